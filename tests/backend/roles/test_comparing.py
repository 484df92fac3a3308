"""What stands side by side before a word is said, and what is not decided among many (rule 650)."""

from __future__ import annotations

import pytest

from backend.errors import Refusal
from backend.roles import inbox
from backend.roles.compared import Comparison
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
    async with world.db.read() as tx:
        rows = (await inbox.waiting(tx, world.kit, world.people["Chi"], now=world.now)).items
    assert {row.applicant: row.risks for row in rows} == {
        n: [why] if why else [] for n, why in wishes.items()
    }
    for name, why in wishes.items():
        if why is None:
            assert (await world.approve("Chi", asked[name].id, how=MANY)).status == "approved"
            continue
        with pytest.raises(Refusal, match="look_first"):
            await world.approve("Chi", asked[name].id, how=MANY)
        assert (await world.approve("Chi", asked[name].id)).status == "approved", "by itself it may be"


async def test_w01_an_end_and_a_no_want_no_comparison(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    world.pass_time(seconds=11)
    end = await world.ask("An", world.draft("end", role_id=role.id))
    assert (await world.seen_by("Chi", end.id)).compared is None
    assert (await world.approve("Chi", end.id, how=MANY)).status == "approved"
