"""The systems downstream on their page: in step, waiting, failing, and sent again."""

from __future__ import annotations

import asyncio

import msgspec
from sqlalchemy import update

from backend.db import new_id
from backend.outbox.circuit import OF_SYSTEM
from backend.outbox.models import System
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
    assert name in held and "Chờ gửi, còn hoàn tác được" in held
    service.pass_time(seconds=11)
    try:
        async with asyncio.timeout(WAIT):
            while "Nguyễn Văn Tường" not in (page := await desk.page("/workspace/systems")):
                await asyncio.sleep(0.3)
        assert "Hệ thống không phản hồi; sẽ tự gửi lại" in page
        assert "Mục lâu nhất chưa gửi xong, từ:" in page
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
