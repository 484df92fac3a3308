"""The page of differences: found from the people's, in both languages, and each line leads to its act (rules 627, 820)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import delete, select

from backend.imports.rows import records
from backend.roles import staff
from backend.roles.models import Role, StaffRecord
from tests.workspace.office import Desk, Office, Somebody

PATH = "/workspace/differences"


def entry(somebody: Somebody, unit: str) -> dict[str, str]:
    persona = somebody.persona
    return {
        "national_id": persona.national_id,
        "full_name": persona.full_name,
        "birth_date": persona.birth_date,
        "unit_code": unit,
        "subject_type": "cong_chuc",
        "position": "chuyen_vien",
    }


async def role_of(office: Office, somebody: Somebody) -> UUID:
    async with office.service.db.read() as tx:
        return (await tx.scalars(select(Role.id).where(Role.account_id == somebody.account_id))).one()


async def test_r32_where_there_is_no_directory_the_page_says_so_and_not_that_nothing_differs(
    office: Office, desk: Desk
) -> None:
    async with office.service.db.write() as tx:
        await tx.execute(delete(StaffRecord))
    assert "Danh bạ cán bộ chưa có" in await desk.page(PATH)
    await office.lists(await office.person("Vi Văn Ngoài"), unit=office.other)
    assert "Không có khác biệt nào" in await desk.page(PATH)


async def test_nobody_is_told_to_remind_themselves(office: Office, desk: Desk) -> None:
    await office.lists(office.chi)
    page = await desk.page(PATH)
    assert office.chi.persona.full_name in page and "Bạn chưa đăng ký vai trò ở đây." in page
    assert "Nhắc người này" not in page
    await office.lists(await office.person("Mạc Văn Nhắc"))
    assert "Nhắc người này" in await desk.page(PATH)


async def test_r32_r45_the_page_names_who_differs_and_leads_to_what_settles_it(
    office: Office, desk: Desk
) -> None:
    assert PATH in await desk.page("/workspace/people")
    names = ("Ngô Thị Chuyển", "Đinh Văn Nghỉ", "Tô Thị Chờ", "Mạc Văn Mới")
    moved, left, asking, new = [await office.person(name) for name in names]
    for one in (moved, left):
        await office.employ(one)
    asked = await office.asks_as(asking)
    rows = [entry(moved, office.other), *(entry(one, office.unit) for one in (left, asking, new))]
    now, kit = office.service.clock.now(), office.service.kit
    async with office.service.db.write() as tx:
        await staff.bring_in(tx, kit, records(rows), by=None, now=now)
        gone = await staff.record_of(tx, kit, left.account_id)
        assert gone is not None
        gone.left_at = now
    page = await desk.page(PATH)
    acts = {
        f"{await role_of(office, moved)}/transfer": "Danh bạ ghi khác",
        f"{await role_of(office, left)}/separation": "Đã rời danh bạ",
    }
    for act, why in acts.items():
        assert f'action="/workspace/people/{act}"' in page and why in page
        await desk.page(f"/workspace/people/{act}")
    assert f"/workspace/requests/{asked}" in page and "Nhắc người này đăng ký" in page
    for somebody in (moved, left, asking, new):
        assert somebody.persona.full_name in page and somebody.persona.national_id not in page
    english = await desk.page(PATH, lang="en")
    assert "The directory says otherwise" in english and "Has left the directory" in english
    operator = await office.desk(office.ha)
    assert "Người được giao phê duyệt khác quyết định" in await operator.page(PATH)
    await operator.http.aclose()
    stranger = await office.desk(office.dung)
    assert "Ngô Thị Chuyển" not in await stranger.page(PATH)
    assert (await stranger.http.get(PATH, params={"cursor": "x"})).status_code == 400
    await stranger.http.aclose()
