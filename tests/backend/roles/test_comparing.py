"""What stands side by side before a word is said, and what is not decided among many (rule 650)."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from backend.errors import Refusal
from backend.roles import inbox
from backend.roles.compared import Comparison
from backend.roles.models import Unit
from tests.backend.roles.test_differences import entry
from tests.backend.roles.test_staff import bring_in
from tests.backend.roles.test_staff_plan import complete
from tests.backend.roles.world import MANY, World

BORN = "1990-01-02"
HEAD = "giam_doc"


async def side_by_side(world: World, name: str, request_id: object) -> Comparison:
    found = (await world.seen_by(name, request_id)).compared  # type: ignore[arg-type]
    assert found is not None
    return found


async def test_r10_the_decider_sees_directory_account_and_wish_with_the_differences_marked(
    world: World,
) -> None:
    await bring_in(
        world, entry(world, "An", "TC", birth_date="1990-03-02", full_name="Ân", employee_code="C1")
    )
    asked = await world.ask("An", world.draft(unit="NV", fields={"employee_code": "C2"}))
    shown = await side_by_side(world, "Chi", asked.id)
    lines = {line.label: line for line in shown.lines}
    born, place = lines["Ngày sinh"], lines["Đơn vị"]
    assert (born.directory, born.account, born.wish, born.differs) == ("02/03/1990", "02/01/1990", None, True)
    assert (place.directory, place.wish, place.differs) == ("Đơn vị TC", "Đơn vị NV", True)
    assert (lines["Mã cán bộ"].directory, lines["Mã cán bộ"].wish, lines["Mã cán bộ"].differs) == (
        "C1",
        "C2",
        True,
    )
    assert lines["Họ và tên"].differs and not lines["Chức vụ"].differs
    assert shown.risks == ["name", "birth_date", "unit"]
    assert (await world.seen_by("An", asked.id)).compared is None, "it is for whoever has to decide"


async def test_r10_a_year_that_fits_and_a_tone_in_another_place_are_no_difference(world: World) -> None:
    await bring_in(world, entry(world, "An", "NV", birth_date="1990", full_name="AN"))
    asked = await world.ask("An", world.draft(unit="NV"))
    shown = await side_by_side(world, "Chi", asked.id)
    assert (shown.risks, shown.is_listed, shown.is_vouched) == ([], True, True)
    assert not any(line.differs for line in shown.lines)


async def test_w01_what_somebody_holds_and_who_holds_the_post_stand_there(world: World) -> None:
    await bring_in(
        world, entry(world, "An", "NV", birth_date=BORN), entry(world, "Bình", "NV", birth_date=BORN)
    )
    await world.employ("An", "NV", "Chi", position=HEAD)
    await world.employ("Bình", "NV", "Chi")
    world.pass_time(seconds=11)
    asked = await world.ask("Bình", world.draft("amend", position=HEAD))
    shown = await side_by_side(world, "Chi", asked.id)
    assert shown.risks == ["leading"]
    assert [(one.name, one.digits) for one in shown.holders] == [("An", world.numbers["An"][-3:])]
    assert [(one.unit, one.state) for one in shown.held] == [("Đơn vị NV", "active")]
    again = await world.ask("An", world.draft("amend", fields={"employee_code": "C3"}))
    assert (await side_by_side(world, "Chi", again.id)).risks == [], "a post that stays is no news"


async def test_w01_among_many_what_wants_a_look_is_left_out_and_named_in_its_row(world: World) -> None:
    await bring_in(
        world, entry(world, "Eve", "NV", birth_date=BORN), entry(world, "Bình", "NV", birth_date=BORN)
    )
    await complete(world, entry(world, "Eve", "NV", birth_date=BORN))  # Bình has left
    wishes = {"An": "unlisted", "Bình": "left", "Eve": None}
    asked = {name: await world.ask(name, world.draft(unit="NV")) for name in wishes}
    assert await in_rows(world) == {n: [why] if why else [] for n, why in wishes.items()}
    for name, why in wishes.items():
        if why is None:
            assert (await world.approve("Chi", asked[name].id, how=MANY)).status == "approved"
            continue
        with pytest.raises(Refusal, match="look_first"):
            await world.approve("Chi", asked[name].id, how=MANY)
        assert (await world.approve("Chi", asked[name].id)).status == "approved", "by itself it may be"


async def test_r42_where_nobody_has_brought_a_directory_in_its_silence_keeps_nobody_out_of_the_many(
    world: World,
) -> None:
    asked = await world.ask("An", world.draft(unit="NV"))
    shown = await side_by_side(world, "Chi", asked.id)
    assert (shown.risks, shown.has_directory, shown.is_listed) == ([], False, False)
    head = await world.ask("Bình", world.draft(unit="NV", position=HEAD))
    assert (await side_by_side(world, "Chi", head.id)).risks == ["leading"], "what is known still counts"
    assert await in_rows(world) == {"An": [], "Bình": ["leading"]}
    assert (await world.approve("Chi", asked.id, how=MANY)).status == "approved"


async def test_r42_a_directory_speaks_for_the_agency_that_it_was_brought_in_for(world: World) -> None:
    await called(world, HUE="H57", NV="H57.1", TC="H57.2")
    await bring_in(world, entry(world, "Bình", "NV", birth_date=BORN))
    below, beside = (
        await world.ask("An", world.draft(unit="NV-P")),
        await world.ask("Eve", world.draft(unit="TC")),
    )
    for decider, request, why, has_directory in (
        ("Chi", below, ["unlisted"], True),
        ("Dũng", beside, [], False),
    ):
        shown = await side_by_side(world, decider, request.id)
        assert (shown.risks, shown.has_directory) == (why, has_directory)
    assert await in_rows(world, "Chi", "Dũng") == {"An": ["unlisted"], "Eve": []}
    await complete(world, entry(world, "Giang", "NV", birth_date=BORN))  # Bình has left: the agency is known
    await called(world, NV=None, TC=None)
    assert (await side_by_side(world, "Dũng", beside.id)).risks == ["unlisted"], "all of it is one agency"


async def test_r42_who_leaves_an_agency_with_a_directory_is_asked_of_that_one(world: World) -> None:
    await called(world, NV="H57.1", TC="H57.2")
    await world.employ("An", "NV", "Chi")
    world.pass_time(seconds=11)
    await bring_in(world, entry(world, "Bình", "NV", birth_date=BORN))
    moves = await world.ask("An", world.draft("transfer", unit="TC"))
    assert (await side_by_side(world, "Dũng", moves.id)).risks == ["unlisted"]


async def called(world: World, **codes: str | None) -> None:
    """Give units their agency codes."""
    async with world.db.write() as tx:
        for unit, code in codes.items():
            await tx.execute(update(Unit).where(Unit.id == world.units[unit]).values(agency_code=code))


async def in_rows(world: World, *deciders: str) -> dict[str, list[str]]:
    """What is marked in the rows of what waits."""
    async with world.db.read() as tx:
        pages = [
            await inbox.waiting(tx, world.kit, world.people[one], now=world.now)
            for one in deciders or ("Chi",)
        ]
    return {row.applicant: row.risks for page in pages for row in page.items}


async def test_w01_an_end_and_a_no_want_no_comparison(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    world.pass_time(seconds=11)
    end = await world.ask("An", world.draft("end", role_id=role.id))
    assert (await world.seen_by("Chi", end.id)).compared is None
    assert (await world.approve("Chi", end.id, how=MANY)).status == "approved"
