"""The systems downstream on their page: in step, waiting, failing, and sent again."""

from __future__ import annotations

import asyncio
import html
import re
from urllib.parse import quote
from uuid import UUID

import msgspec
from sqlalchemy import select, update

from backend.db import new_id
from backend.journal import Entry
from backend.outbox.circuit import OF_SYSTEM
from backend.outbox.models import Delivery, System
from backend.outside.connectors.ldap import LdapConnector
from backend.outside.connectors.learnt import LEARNT_WORDS, Learnt, written
from backend.outside.connectors.scim import ScimConnector
from backend.outside.connectors.scim.user import FORMATTED
from tests.workspace.office import Desk, Office
from workspace import sync_labels

NOBODY = "http://127.0.0.1:9/scim/v2"  # the discard port: nothing listens
WAIT = 20


async def test_a_system_that_does_not_answer_is_named_with_the_cause_and_tried_again(
    office: Office, desk: Desk
) -> None:
    service, name = office.service, f"Một cửa điện tử {office.number}"
    system = System(id=new_id(), name=name, kind="scim", url=NOBODY, created_at=service.clock.now())
    system.unit_codes = msgspec.json.encode([office.unit]).decode()
    async with service.db.write() as tx:
        tx.add(system)
    request_id = await office.has_role("Nguyễn Văn Tường")
    held = await desk.page(f"/workspace/requests/{request_id}")
    assert name in held and "Chờ gửi" in held
    service.pass_time(seconds=11)
    try:
        async with asyncio.timeout(WAIT):
            while "Nguyễn Văn Tường" not in (page := await desk.page("/workspace/systems")):
                await asyncio.sleep(0.3)
        assert "Hệ thống không phản hồi; sẽ tự gửi lại" in page
        assert "Mục lâu nhất chưa gửi xong, từ" in page
        assert f'action="/workspace/systems/{system.id}/replay"' in page
        other = await office.desk(office.dung)
        assert "Nguyễn Văn Tường" not in await other.page("/workspace/systems")
        await other.http.aclose()
        again = await desk.send(f"/workspace/systems/{system.id}/replay", {})
        assert again.status_code == 303
        assert "Đã yêu cầu gửi lại 1 mục." in await desk.page(again.headers["location"])
    finally:
        async with service.db.write() as tx:
            await tx.execute(
                update(System).where(System.id == system.id).values(disabled_at=service.clock.now())
            )


async def with_a_parked_delivery(office: Office) -> tuple[System, UUID]:
    """A system of the office's unit that an operator has paused, and what failed there."""
    service, now = office.service, office.service.clock.now()
    row = System(id=new_id(), name=f"Văn bản {office.number}", kind="scim", url=NOBODY, created_at=now)
    row.stopped_until, row.reconciled_at = now.replace(year=9999), now
    row.learnt = written(Learnt(no_groups=True))
    row.unit_codes = msgspec.json.encode([office.unit]).decode()
    async with service.db.write() as tx:
        tx.add(row)
    await office.has_role("Nguyễn Văn Tường")
    dead = update(Delivery).where(Delivery.system_id == row.id)
    dead = dead.values(state="dead", error="twins", not_before=now)
    async with service.db.write() as tx:
        return row, (await tx.scalars(dead.returning(Delivery.id))).one()


async def test_o23_operators_act_on_a_systems_page_and_others_look(office: Office, desk: Desk) -> None:
    service = office.service
    row, one = await with_a_parked_delivery(office)
    place = f"/workspace/systems/{quote(row.name)}"
    assert f'href="{place}"' in await desk.page("/workspace/systems")
    page = await desk.page(place)  # Chi manages a unit below the root
    assert "Người vận hành tạm dừng" in page and "Không có nhóm" in page and "Chạy tiếp" not in page
    for path, form in ((f"{place}/resume", {}), (f"{place}/deliveries/{one}/skip", {"reason": "hai hồ sơ"})):
        assert (await desk.send(path, form)).status_code == 403
    head = await office.desk(office.ha)
    assert "hai hồ sơ của cùng một người" in await head.page(place)
    for act, shown in (("resume", "Tạm dừng"), ("pause", "Chạy tiếp"), ("reconcile", "Đang chờ đối chiếu")):
        answer = await head.send(f"{place}/{act}", {})
        assert answer.status_code == 303, answer.text
        page = await head.page(answer.headers["location"])
        assert f"<button>{shown}</button>" in page or shown in page
    async with service.db.read() as tx:
        asked = await tx.scalars(select(Entry.by).where(Entry.tag == "system.comparison_asked"))
        assert office.ha.account_id in set(asked), "who pressed it"
    (act,) = re.findall(r'action="([^"]+)"[^>]*>(?:(?!</form>).)*<button>Gửi lại</button>', page, re.DOTALL)
    answer = await head.send(html.unescape(act), {})
    assert answer.status_code == 303, "the button that the page shows"
    async with service.db.write() as tx:
        assert (await tx.get_one(Delivery, one)).state == "pending"
        await tx.execute(update(Delivery).where(Delivery.id == one).values(state="dead", error="twins"))
    answer = await head.send(f"{place}/deliveries/{one}/skip", {"reason": "hai hồ sơ"})
    assert "Đã bỏ qua mục này." in await head.page(answer.headers["location"])
    assert (await head.send(f"{place}/deliveries/{one}/skip", {"reason": "x"})).status_code == 409
    assert (await head.send(f"{place}/nothing", {})).status_code == 404
    assert (await head.http.get("/workspace/systems/nobody")).status_code == 404
    async with service.db.write() as tx:
        await tx.execute(update(System).where(System.id == row.id).values(disabled_at=service.clock.now()))
    for act in ("pause", "reconcile"):
        assert (await head.send(f"{place}/{act}", {})).status_code == 409, "nobody would come to do it"
    await head.http.aclose()


async def test_a36_the_operator_of_another_root_stops_nothing_and_passes_nothing_over(office: Office) -> None:
    service, other = office.service, Office(office.service)
    await other.open()
    row, one = await with_a_parked_delivery(office)
    place, why = f"/workspace/systems/{quote(row.name)}", {"reason": "hai hồ sơ"}
    stranger, head = await other.desk(other.ha), await office.desk(office.ha)
    page = await stranger.page(place)
    assert "Chạy tiếp" not in page and str(one) not in page
    for act in ("pause", "resume", "reconcile"):
        assert (await stranger.send(f"{place}/{act}", {})).status_code == 403
    assert (await stranger.send(f"{place}/deliveries/{one}/skip", why)).status_code == 403
    async with service.db.write() as tx:  # both are served by it now
        shared = msgspec.json.encode([office.unit, other.unit]).decode()
        await tx.execute(update(System).where(System.id == row.id).values(unit_codes=shared))
    page = await stranger.page(place)
    assert "Chạy tiếp" in page and str(one) not in page
    assert (await stranger.send(f"{place}/deliveries/{one}/skip", why)).status_code == 409
    assert str(one) in await head.page(place)
    assert (await head.send(f"{place}/deliveries/{one}/skip", why)).status_code == 303
    async with service.db.write() as tx:
        await tx.execute(update(System).where(System.id == row.id).values(disabled_at=service.clock.now()))
    for browser in (stranger, head):
        await browser.http.aclose()


async def test_what_was_learnt_of_a_system_stands_on_its_page(office: Office, desk: Desk) -> None:
    service, name = office.service, f"Thư điện tử {office.number}"
    system = System(id=new_id(), name=name, kind="scim", url=NOBODY, created_at=service.clock.now())
    system.disabled_at = service.clock.now()
    system.learnt = written(Learnt(no_groups=True, loses=["title"]))
    async with service.db.write() as tx:
        tx.add(system)
    page = await desk.page("/workspace/systems")
    shown = page[page.index(f'id="system-{system.id}"') :]
    assert "Không có nhóm: chỉ giữ người dùng" in shown
    assert "Không giữ chức vụ" in shown


def test_everything_that_can_be_learnt_and_every_cause_has_its_words() -> None:
    fields = {*ScimConnector.holds, *LdapConnector.holds, FORMATTED} - {"active", "user_name", "groups"}
    assert set(sync_labels.LEARNT) == {*LEARNT_WORDS, *(f"loses:{field}" for field in fields)}
    assert OF_SYSTEM - {word for word in OF_SYSTEM if word.startswith(("status_", "ldap_"))} <= set(
        sync_labels.CAUSES
    )
