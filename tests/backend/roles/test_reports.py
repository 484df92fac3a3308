"""What the reports tell, and of how much of it at most (rule 912, case W19)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from backend.roles import reports
from backend.roles.models import Unit
from backend.roles.reports import Report
from tests.backend.roles.world import World
from tests.parts.asked import heard


async def report(world: World, name: str) -> Report:
    async with world.db.read() as tx:
        return await reports.report(tx, world.kit, world.people[name], now=world.now)


async def busy(world: World, names: str = "ABCD") -> None:
    """As many decisions in NV and in NV-P in turn, and as many requests that have waited four days."""
    for number, name in enumerate(names):
        unit = ("NV", "NV-P")[number % 2]
        for what in ("Đã", "Chờ"):
            await world.person(f"{what} {name}")
        await world.employ(f"Đã {name}", unit, "Chi")
        await world.ask(f"Chờ {name}", world.draft(unit=unit))
    world.pass_time(days=4)


async def test_the_report_tells_of_everything_while_that_is_little(world: World) -> None:
    await busy(world)
    found = await report(world, "Chi")
    assert found.ages == [0, 0, 4, 0, 0]
    assert [(pace.unit, pace.month, pace.number) for pace in found.paces] == [
        ("Đơn vị NV", "03/2026", 2),
        ("Đơn vị NV-P", "03/2026", 2),
    ]
    assert found.words == {"register": {"approved": 4}}
    assert [number for _, number in found.people] == [4]
    assert found.bounds == {}
    assert sum(number for _, number in found.weeks) == 4
    assert found.weeks[0][0].weekday() == 0 and len(found.weeks) == reports.WEEKS
    nothing = Report([0] * 5, [], [(monday, 0) for monday, _ in found.weeks], {}, [], {})
    assert await report(world, "Dũng") == nothing, "nothing of another's units"


@pytest.mark.parametrize("units", [0, reports.UNITS])
async def test_it_stops_at_a_bound_and_says_so(
    world: World, monkeypatch: pytest.MonkeyPatch, units: int
) -> None:
    await busy(world)
    for name, bound in (("OLDEST", 3), ("NEWEST", 2), ("EACH", 0), ("PEOPLE", 3), ("UNITS", units)):
        monkeypatch.setattr(reports, name, bound)
    found = await report(world, "Chi")
    assert sum(found.ages) == 3
    assert sum(found.words["register"].values()) == sum(pace.number for pace in found.paces) == 2
    assert sum(number for _, number in found.people) == 3
    assert found.bounds == {"ages": 3, "words": 2, "people": 3}


async def test_of_a_part_of_the_province_s_words_it_says_so_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await busy(world)
    monkeypatch.setattr(reports, "UNITS", 0)
    for looked, told in ((4, {"words": 4}), (2, {"words": 2}), (5, {})):
        monkeypatch.setattr(reports, "LOOKED", looked)
        assert (await report(world, "Chi")).bounds == told, (
            "behind those that were looked through may be more"
        )
    monkeypatch.setattr(reports, "LOOKED", 4)
    assert (await report(world, "Dũng")).bounds == {"words": 0}, "none among them is not none at all"


async def test_units_of_one_name_are_not_one_unit_that_has_too_many(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await busy(world)
    async with world.db.write() as tx:
        await tx.execute(update(Unit).values(name="Văn phòng"))
    monkeypatch.setattr(reports, "EACH", 3)
    monkeypatch.setattr(reports, "NEWEST", 0)
    assert (await report(world, "Chi")).bounds == {}, "two of the one and two of the other, all told"


async def test_old_words_are_left_out(world: World) -> None:
    await busy(world)
    world.now += timedelta(days=reports.MONTHS_BACK)
    found = await report(world, "Chi")
    assert found.words == {} and found.paces == []
    assert found.ages == [0, 0, 0, 0, 4]


async def test_more_of_everything_is_read_by_as_many_statements(world: World) -> None:
    async def asked() -> int:
        with heard() as said:
            await report(world, "Chi")
        return len(said)

    await busy(world, "AB")
    few = await asked()
    await busy(world, "CDEFGH")
    assert await asked() == few
