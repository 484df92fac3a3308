"""The units as their managers see them: who may open which, who is in charge, who works there, what it was called."""

from __future__ import annotations

import pytest

from backend.imports.rows import records
from backend.roles import unit_life, unit_pages, units
from backend.roles.managers import UnitNotFound
from tests.backend.roles.world import World


async def tree(world: World, name: str, **place: str) -> unit_pages.Branch:
    async with world.db.read() as tx:
        return await unit_pages.tree(tx, world.kit, world.people[name], now=world.now, **place)


async def page(world: World, name: str, code: str, **place: str) -> unit_pages.UnitPage:
    async with world.db.read() as tx:
        return await unit_pages.one(tx, world.kit, code, world.people[name], now=world.now, **place)


async def bring(world: World, *rows: dict[str, str]) -> None:
    async with world.db.write() as tx:
        await units.bring_in(tx, world.kit, records(rows), by=None, now=world.now)


async def test_the_tree_shows_names_counts_and_vacancies_below_ones_own(world: World) -> None:
    await world.employ("An", "NV-P", "Chi")
    (top,) = (await tree(world, "Giang")).lines
    below = {line.code: (line.people, line.units, line.is_vacant, line.is_open) for line in top.below}
    assert below == {"NV": (0, 1, False, True), "TC": (0, 0, False, True)}
    (own,) = (await tree(world, "Chi")).lines
    assert [(one.code, one.people, one.is_vacant) for one in own.below] == [("NV-P", 1, True)]
    assert [one.code for one in (await tree(world, "Chi", below="NV")).lines] == ["NV-P"]
    for strange in ("HUE", "TC", "none"):
        with pytest.raises(UnitNotFound):
            await tree(world, "Chi", below=strange)


@pytest.mark.parametrize("most", [1, 2, 3, 4, 6, 50])
async def test_a_page_of_the_tree_is_no_longer_than_it_may_be_and_loses_no_unit(
    world: World, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    for number in range(7):
        await world.unit(f"P-{number}", "HUE")
        await world.unit(f"P-{number}-A", f"P-{number}")
    monkeypatch.setattr(unit_pages, "PAGE", most)
    await world.appoint("Eve", "NV")
    await world.appoint("Eve", "TC")
    first = await tree(world, "Giang")
    (top,) = first.lines
    if top.below and most < 10:
        further = (await tree(world, "Giang", below=first.below, cursor=first.next_cursor or "")).lines
        codes = [line.code for line in (*top.below, *further)]
        assert codes == sorted(codes) and len(set(codes)) == len(codes) == min(2 * most - 1, 9)
    assert (len(top.below), top.units) == (min(most - 1, 9), 9), "a single unit's parts begin on its own page"
    assert await _walked(world, "Giang") == set(world.units)
    assert await _walked(world, "Eve") == {"NV", "NV-P", "TC"}


async def _walked(world: World, name: str) -> set[str]:
    """Every unit that somebody comes to who follows every link of the tree."""
    seen, ways = set[str](), [("", "")]
    for below, cursor in ways:
        found = await tree(world, name, below=below, cursor=cursor)
        lines = [*found.lines, *(part for line in found.lines for part in line.below)]
        assert len(lines) <= unit_pages.PAGE
        seen |= {line.code for line in lines}
        ways += [(found.below, found.next_cursor)] if found.next_cursor else []
        ways += [way for line in lines if line.units and (way := (line.code, "")) not in ways]
    return seen


async def test_a_unit_is_found_by_name_or_code_with_what_it_stands_below(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unit_pages, "PAGE", 1)
    for name, typed, codes in (
        ("Giang", "don vi nv", ["NV", "NV-P"]), ("Giang", "NV-P", ["NV-P"]), ("Giang", "'", []), ("Giang", "lạ", []),
        ("Chi", "đơn vị", ["NV", "NV-P"]), ("Dũng", "nv", []), ("An", "nv", []),
    ):  # fmt: skip
        found, cursor = list[str](), ""
        while not found or cursor:
            page = await tree(world, name, q=typed, cursor=cursor)
            found += [line.code for line in page.lines]
            cursor = page.next_cursor or ""
            if not page.lines:
                break
        assert found == codes, (name, typed)
    (own,) = (await tree(world, "Chi", q="NV-P")).lines
    assert (own.parent, own.below) == ("Đơn vị NV", [])
    assert (await tree(world, "Giang", below="TC", q="nv")).lines == []
    assert [one.code for one in (await tree(world, "Giang", below="NV", q="p")).lines] == ["NV-P"]


async def test_a_unit_with_its_own_manager_is_closed_to_the_one_above_and_open_to_the_root(
    world: World,
) -> None:
    await world.unit("NV-P1", "NV-P")
    await world.person("Hoa", manages="NV-P")
    (own,) = (await tree(world, "Chi")).lines
    assert [(one.code, one.is_open, one.units) for one in own.below] == [("NV-P", False, 1)]
    for code in ("NV-P", "NV-P1", "TC", "HUE"):
        with pytest.raises(UnitNotFound):
            await page(world, "Chi", code)
    for name, code in (("Chi", "NV"), ("Hoa", "NV-P1"), ("Giang", "NV-P"), ("Giang", "NV-P1")):
        assert (await page(world, name, code)).code == code


async def test_a_unit_shows_who_is_in_charge_and_its_people_by_position(world: World) -> None:
    await world.employ("An", "NV-P", "Chi")
    await world.employ("Bình", "NV-P", "Chi", position="van_thu")
    await bring(world, {"code": "NV-P", "agency_code": "000.02.01.H57"})
    found = await page(world, "Chi", "NV-P")
    assert (found.agency_code, found.leaf_first) == ("H57.01.02", "000.02.01.H57")
    assert (found.managers, found.decided_by, found.people) == ([], "Đơn vị NV", 2)
    assert [[one.name for one in group.people] for group in found.groups] == [["An"], ["Bình"]]
    assert found.groups[0].people[0].national_id.endswith(world.numbers["An"][-3:])
    above = await page(world, "Giang", "NV")
    assert [(lead.name, lead.since) for lead in above.managers] == [("Chi", world.today)]


async def test_people_of_a_unit_are_paged(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("An", "Bình", "Eve"):
        await world.employ(name, "NV", "Chi")
    monkeypatch.setattr(unit_pages, "PAGE", 2)
    first = await page(world, "Chi", "NV")
    second = await page(world, "Chi", "NV", cursor=first.next_cursor or "")
    names = [one.name for found in (first, second) for group in found.groups for one in group.people]
    assert (names, second.next_cursor) == (["An", "Bình", "Eve"], None)


async def test_a_unit_keeps_its_names_its_places_and_its_successors(world: World) -> None:
    await bring(world, {"code": "NV-P", "name": "Phòng Cán bộ", "parent_code": "TC"})
    await world.unit("CU", "TC")
    async with world.db.write() as tx:
        await unit_life.end(tx, world.kit, "CU", successor="NV-P", on=world.today, by=None, now=world.now)
    found = await page(world, "Dũng", "NV-P")
    said = {(was.kind, was.before, was.after, was.on) for was in found.history}
    assert said == {
        ("named", "Đơn vị NV-P", "Phòng Cán bộ", world.today),
        ("placed", "Đơn vị NV", "Đơn vị TC", world.today),
    }
    assert found.predecessors == [("CU", "Đơn vị CU")]
    gone = await page(world, "Dũng", "CU")
    assert (gone.successors, gone.ended_on) == ([("NV-P", "Phòng Cán bộ")], world.today)
    assert "CU" not in {line.code for line in (await tree(world, "Dũng", below="TC")).lines}
