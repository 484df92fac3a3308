"""Where the directory and the roles are not of one mind, who is told, and which act settles it (rules 627, 613)."""

from __future__ import annotations

from datetime import timedelta
from secrets import token_bytes

import pytest
from sqlalchemy import delete, select, update

from backend.crypto import KeyRing
from backend.kit import Kit
from backend.paging import CursorInvalid
from backend.roles import differences
from backend.roles.differing import Difference
from backend.roles.models import Role, StaffRecord
from backend.roles.staff_rows import person_of
from backend.roles.views import Page
from tests.backend.roles.test_staff import GOOD, bring_in
from tests.backend.roles.test_staff_plan import complete
from tests.backend.roles.world import World
from tests.parts.asked import heard

Said = tuple[str, str, str, str | None]


def entry(world: World, name: str, unit: str, **more: str) -> dict[str, str]:
    """A row of the staff file."""
    more.setdefault("position", "chuyen_vien")
    bare = {"national_id": world.numbers[name], "full_name": name, "unit_code": unit}
    return GOOD | bare | {"official_email": "", "employee_code": ""} | more


async def read(world: World, name: str, cursor: str = "", kit: Kit | None = None) -> Page[Difference]:
    async with world.db.read() as tx:
        return await differences.page(tx, kit or world.kit, world.people[name], cursor=cursor, now=world.now)


async def said(world: World, name: str, kit: Kit | None = None) -> list[Said]:
    found = await read(world, name, kit=kit)
    assert found.next_cursor is None
    return [(row.unit_code, row.name, row.why, row.act) for row in found.items]


async def test_r32_a_directory_that_says_another_unit_or_post_leads_to_a_transfer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.employ("An", "NV", "Chi")
    await world.employ("Bình", "NV-P", "Chi")
    await world.employ("Eve", "TC", "Dũng")
    await bring_in(world, entry(world, "An", "NV"))
    monkeypatch.setattr(differences, "PAGE", 1)
    assert await said(world, "Giang") == [], "who was never listed differs from nothing, and fills no page"
    monkeypatch.undo()
    await bring_in(world, entry(world, "Eve", "TC", position=""))
    assert await said(world, "Giang") == [], "a post that the file leaves open"
    await bring_in(world, entry(world, "An", "TC"), entry(world, "Bình", "NV-P", position="van_thu"))
    own = [("NV", "An", "elsewhere", "transfer"), ("NV-P", "Bình", "elsewhere", "transfer")]
    assert await said(world, "Chi") == own
    assert await said(world, "Dũng") == [], "it is the unit that holds the role that moves somebody"
    assert await said(world, "Giang") == [(unit, name, kind, None) for unit, name, kind, _ in own]
    (an, binh) = (await read(world, "Chi")).items
    assert (str(an.held), str(an.listed), an.listed_unit) == ("Chuyên viên", "Chuyên viên", "Đơn vị TC")
    assert (str(binh.listed), binh.account_id) == ("Văn thư", world.people["Bình"])
    assert an.national_id == "000******000" and await said(world, "An") == []


async def test_r32_a_move_that_is_planned_settles_it_and_a_suspended_post_is_not_moved(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    await bring_in(world, entry(world, "An", "TC"))
    async with world.db.write() as tx:
        await tx.execute(
            update(Role).where(Role.id == role.id).values(state="suspended", suspended_by=role.request_id)
        )
    ((_, _, kind, act),) = await said(world, "Chi")
    assert (kind, act) == ("elsewhere", None)
    async with world.db.write() as tx:
        await tx.execute(update(Role).where(Role.id == role.id).values(state="active", suspended_by=None))
    moved = await world.move("Chi", role.id, "TC", effective_on=world.today + timedelta(days=3))
    await world.approve("Dũng", moved.id)
    assert await said(world, "Giang") == []


async def test_r45_who_has_left_the_directory_and_holds_a_role_leads_to_the_separation(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    await bring_in(world, entry(world, "An", "NV"), entry(world, "Bình", "NV", position=""))
    await complete(world, entry(world, "Bình", "NV", position=""))
    assert await said(world, "Chi") == [("NV", "An", "left", "separation")]
    async with world.db.write() as tx:
        await tx.execute(update(Role).values(is_home=False))
    assert await said(world, "Chi") == [("NV", "An", "left", "end")], (
        "of a post beside another only that ends"
    )
    await bring_in(world, entry(world, "An", "NV"))
    assert await said(world, "Chi") == []


async def test_r45_nobody_is_offered_their_own_end(world: World) -> None:
    asked = await world.ask("Chi", world.draft(unit="NV"))
    await world.approve("Giang", asked.id)
    await bring_in(world, entry(world, "Chi", "NV"), entry(world, "Bình", "NV", position=""))
    await complete(world, entry(world, "Bình", "NV", position=""))
    assert await said(world, "Chi") == [("NV", "Chi", "left", None)]
    assert await said(world, "Giang") == [("NV", "Chi", "left", "separation")]


async def test_r32_whoever_is_listed_with_a_post_and_holds_no_role_stands_there_with_what_they_asked(
    world: World,
) -> None:
    stranger = entry(world, "An", "NV", national_id="000000000099", full_name="Người Lạ")
    await bring_in(
        world, stranger, entry(world, "An", "NV"), entry(world, "Bình", "TC"), entry(world, "Eve", "NV")
    )
    mine, afar = await world.ask("An"), await world.ask("Eve", world.draft(unit="TC"))
    rows = {row.name: row for row in (await read(world, "Chi")).items}
    assert {name: (row.why, row.request_id, row.account_id) for name, row in rows.items()} == {
        "Người Lạ": ("no_role", None, None),
        "An": ("no_role", mine.id, None),
        "Eve": ("no_role", None, None),  # what another unit decides is not found here
    }
    await world.approve("Chi", mine.id)
    await world.approve("Dũng", afar.id)
    found = {(unit, name, kind) for unit, name, kind, _ in await said(world, "Giang")}
    assert found == {("NV", "Người Lạ", "no_role"), ("TC", "Bình", "no_role"), ("TC", "Eve", "elsewhere")}


async def test_r32_a_page_goes_on_where_the_last_one_ended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.employ("An", "NV", "Chi")
    await world.employ("Bình", "NV", "Chi")
    await bring_in(world, *(entry(world, name, "TC") for name in ("An", "Bình", "Eve", "Giang")))
    every = await said(world, "Giang")
    assert [kind for _, _, kind, _ in every] == ["elsewhere", "elsewhere", "no_role", "no_role"]
    for page, stretches in ((1, 1000), (3, 1000), (25, 1), (25, 3)):
        monkeypatch.setattr(differences, "PAGE", page)
        monkeypatch.setattr(differences, "STRETCHES", stretches)
        walked, cursor, pages = list[Said](), "", 0
        while pages == 0 or cursor:
            found = await read(world, "Giang", cursor)
            walked += [(row.unit_code, row.name, row.why, row.act) for row in found.items]
            cursor, pages = found.next_cursor or "", pages + 1
            assert len(found.items) <= page
        assert (walked, pages > 1) == (every, True), (page, stretches)
    for wrong in ("", "TlY", "TlYgeA", "TlYgYSBi"):  # "NV", "NV x", "NV a b"
        with pytest.raises(CursorInvalid):
            await read(world, "Giang", wrong or "====")


@pytest.mark.parametrize("glance", [2, 7, 250])
async def test_r32_of_many_units_only_those_are_read_where_anything_differs(
    world: World, monkeypatch: pytest.MonkeyPatch, glance: int
) -> None:
    for number in range(60):
        await world.unit(f"P-{number:02d}", "HUE")
    await world.appoint("Dũng", "P-30")
    monkeypatch.setattr(differences, "STRETCHES", 2)
    assert await _asked_for(world) == 1, "whether there is a directory at all"
    assert (await read(world, "Giang")).next_cursor is None, "without one nobody is led from page to page"
    monkeypatch.undo()
    await world.employ("An", "P-01", "Giang")
    await bring_in(world, entry(world, "An", "P-01"))
    assert await _asked_for(world) == 2, "that, and two sides of 64 units on which nothing differs"
    await world.employ("Eve", "P-30", "Dũng")
    await bring_in(world, entry(world, "An", "P-59"), entry(world, "Bình", "P-29"), entry(world, "Eve", "TC"))
    monkeypatch.setattr(differences, "GLANCE", glance)
    every = [
        ("P-01", "An", "elsewhere", "transfer"),
        ("P-29", "Bình", "no_role", None),
        ("P-30", "Eve", "elsewhere", None),
    ]
    assert await said(world, "Giang") == every
    for page in (1, 2):
        monkeypatch.setattr(differences, "PAGE", page)
        walked, cursor = list[Said](), ""
        while not walked or cursor:
            found = await read(world, "Giang", cursor)
            walked += [(row.unit_code, row.name, row.why, row.act) for row in found.items]
            cursor = found.next_cursor or ""
        assert walked == every, page


async def _asked_for(world: World) -> int:
    """How often the directory is asked for a page."""
    with heard() as statements:
        await read(world, "Giang")
    return len([one for one, _ in statements if "staff_records" in one])


async def test_r32_entries_under_another_key_are_compared_as_well(world: World) -> None:
    """A key is added and nothing rewritten yet: what is written now is under it, the rest under the old one (rule 905)."""
    for name in ("An", "Bình"):
        await world.employ(name, "NV", "Chi")
    await bring_in(world, entry(world, "An", "NV"), entry(world, "Bình", "TC"), entry(world, "Eve", "NV"))
    both = KeyRing([token_bytes(32), *world.kit.keys._masters.values()])
    async with world.db.write() as tx:
        for record in await tx.scalars(select(StaffRecord)):
            number = person_of(world.kit, record).national_id
            record.national_id_blind = both.blind("national_id", number)
    found = await said(world, "Chi", world.kit._replace(keys=both))
    assert found == [("NV", "Bình", "elsewhere", "transfer"), ("NV", "Eve", "no_role", None)]
    async with world.db.write() as tx:
        await tx.execute(delete(StaffRecord))  # nobody but this test knows that key
