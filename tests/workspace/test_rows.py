"""What a manager reads in a row and after a word: whom it is about, from where to where, and on which day it counts."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select, update

from backend.db import new_id
from backend.outbox.models import System
from backend.outside.clock import local_day
from backend.roles import requests
from backend.roles.models import Role
from backend.roles.wish import Draft
from tests.workspace.office import Desk, Office, Somebody
from tests.workspace.test_deciding import word
from tests.workspace.test_systems import NOBODY
from tests.workspace.test_walked import told

# what a page says does not depend on where the rows are kept
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)


async def role_of(office: Office, who: Somebody) -> UUID:
    """A role in Chi's unit."""
    begun = await office.employ(who)
    async with office.service.db.read() as tx:
        return (await tx.scalars(select(Role.id).where(Role.request_id == begun))).one()


async def asked(office: Office, who: Somebody, draft: Draft) -> UUID:
    """What somebody with a role wishes; past the ten seconds in which their role could be taken back."""
    office.service.pass_time(seconds=11)
    async with office.service.db.write() as tx:
        now = office.service.clock.now()
        made = await requests.create(tx, office.service.kit, draft, by=who.account_id, now=now, level=2)
    return made.id


async def test_r13_of_an_end_with_a_day_to_come_the_page_says_when_systems_are_told_and_which(
    office: Office, desk: Desk
) -> None:
    now = office.service.clock.now()
    system = System(id=new_id(), name=f"Lưu trữ {office.number}", kind="scim", url=NOBODY, created_at=now)
    system.unit_codes = msgspec.json.encode([office.unit]).decode()
    async with office.service.db.write() as tx:
        tx.add(system)
    who = await office.person("Tô Văn Nghỉ Sau")
    role, day = await role_of(office, who), local_day(now) + timedelta(days=9)
    end = await asked(office, who, Draft(kind="end", role_id=role, effective_on=day))
    path = f"/workspace/requests/{end}"
    await desk.send(f"{path}/decision", word("approved"))
    page = told(await desk.page(path))
    assert f"Đã phê duyệt, có hiệu lực từ ngày {day:%d/%m/%Y}. Người đề nghị sẽ được báo lúc" in page
    for _ in range(2):  # while it can be taken back, and after that
        page = told(await desk.page(path))
        assert f"Sẽ thay đổi ở các hệ thống Các hệ thống sẽ được báo ngày {day:%d/%m/%Y}." in page
        assert "Các hệ thống sẽ được báo lúc" not in page and "Không có gì thay đổi" not in page
        assert f"Lưu trữ {office.number}" in page and "Thu quyền sử dụng" in page
        office.service.pass_time(seconds=11)
    async with office.service.db.write() as tx:
        await tx.execute(update(System).where(System.id == system.id).values(disabled_at=now))


async def test_r20_w19_a_row_says_from_where_to_where_somebody_moves(office: Office, desk: Desk) -> None:
    who = await office.person("Tô Thị Từ Đâu")
    await role_of(office, who)
    moves = Draft(kind="transfer", unit=office.other, position="chuyen_vien", subject_type="cong_chuc")
    path = f"/workspace/requests/{await asked(office, who, moves)}"
    for shown in (await desk.page("/workspace"), await desk.page(path)):
        assert f"Sở Nội vụ {office.number} → Sở Tài chính {office.number}" in told(shown)
    await office.asks("Tô Văn Mới Vào")
    (row,) = re.findall(
        r"<li id=\"row-[^>]*>(?:(?!</li>).)*Tô Văn Mới Vào.*?</li>", await desk.page("/workspace"), re.DOTALL
    )
    assert f"Sở Nội vụ {office.number}" in row and "→" not in row


async def test_r31_two_of_one_name_are_told_apart_by_the_last_digits(office: Office, desk: Desk) -> None:
    twins = [await office.person("Tô Văn Trùng Tên") for _ in range(2)]
    for one in twins:
        await office.lists(one)
    ids = [await office.asks_as(one) for one in twins]
    tails = [f"Tô Văn Trùng Tên …{one.persona.national_id[-3:]}" for one in twins]
    assert tails[0] != tails[1]
    inbox, side = told(await desk.page("/workspace")), told(await desk.page(f"/workspace/requests/{ids[0]}"))
    assert all(one in inbox and one in side for one in tails)
    assert twins[0].persona.national_id[3:9] not in inbox + side, (
        "and no more of the number than the mask shows"
    )
    picks = {"decision": "approved", "pick": [f"{one}:1" for one in ids]}
    result = await desk.send("/workspace/bulk", picks)
    done = told(await desk.page(result.headers["location"]))
    decided = told(await desk.page("/workspace/decisions"))
    assert all(one in done and one in decided for one in tails)


async def test_w01_a_stranger_to_the_directory_is_marked_in_the_row_and_on_the_page_and_no_one_of_many(
    office: Office, desk: Desk
) -> None:
    stranger, known = await office.asks("Tô Thị Người Lạ"), await office.asks("Tô Văn Quen", listed=True)
    page = told(await desk.page(f"/workspace/requests/{stranger}"))
    assert page.index("Đối chiếu") < page.index("Nội dung đề nghị")
    assert "Danh bạ cán bộ không có số định danh của người này." in page and "Chưa có vai trò nào" in page
    assert "Danh bạ cán bộ không có" not in told(await desk.page(f"/workspace/requests/{known}"))
    assert told(await desk.page("/workspace")).count("Không có trong danh bạ") == 1
    picks = {"decision": "approved", "pick": [f"{one}:1" for one in (stranger, known)]}
    many = told(await desk.page((await desk.send("/workspace/bulk", picks)).headers["location"]))
    assert "Đã phê duyệt 1 yêu cầu" in many and "có điểm cần đối chiếu" in many
    path = f"/workspace/requests/{stranger}"
    assert (await desk.send(f"{path}/decision", word("approved"))).status_code == 303, "by itself it may be"


async def test_r31_the_files_of_decisions_and_journal_tell_them_apart_too(office: Office, desk: Desk) -> None:
    twins = [await office.person("Tô Thị Cùng Tên") for _ in range(2)]
    for one in twins:
        request_id = await office.asks_as(one)
        await desk.send(f"/workspace/requests/{request_id}/decision", word("rejected", reason="Sai đơn vị"))
    for path in ("decisions", "audit"):
        sheet = await desk.http.get(f"/workspace/{path}/export.csv", params={"outcome": "rejected"})
        head, *lines = csv.reader(io.StringIO(sheet.content.decode("utf-8-sig")))
        name, digits = head.index("Người liên quan"), head.index("Ba số cuối")
        found = {line[digits] for line in lines if line[name] == "Tô Thị Cùng Tên"}
        assert found == {one.persona.national_id[-3:] for one in twins}, path
        english = await desk.http.get(f"/workspace/{path}/export.csv", params={"lang": "en"})
        assert "Last three digits" in english.text.splitlines()[0]


async def test_a_form_says_of_a_post_beside_another_nothing_that_only_moves_have(
    office: Office, desk: Desk
) -> None:
    path = f"/workspace/people/{await role_of(office, await office.person('Tô Thị Kiêm'))}"
    only_moves = ("Bổ nhiệm và miễn nhiệm: để trống", "Biệt phái và luân chuyển phải có")
    for words in only_moves:
        assert words in told(await desk.page(f"{path}/transfer"))
        assert words not in told(await desk.page(f"{path}/concurrent"))
