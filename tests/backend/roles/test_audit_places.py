"""A manager's page of the journal is found by places, and shows what looking through the journal would (rules 613, 912)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from backend.facts import Delivered, ManagerAppointed
from backend.journal import Entry
from backend.roles import audit, audit_places, audit_wanted
from backend.roles.audit_places import Place, PlacedTo
from backend.roles.audit_wanted import Wanted
from backend.roles.reorganising import running
from tests.backend.roles.test_reorganising import begin, go_on, plan
from tests.backend.roles.world import World

READERS = ("Chi", "Dũng", "Giang", "Eve")
ASKED = (Wanted(), Wanted("sync"), Wanted(unit="NV"), Wanted(outcome="approved"))


async def seen(world: World, reader: str, wanted: Wanted, *, most: int = 500) -> list[int]:
    """The numbers of the entries on all pages."""
    found, before = list[int](), None
    async with world.db.read() as tx:
        while True:
            lines, before = await audit.of_units(
                tx, world.kit, world.people[reader], wanted, before=before, most=most, now=world.now
            )
            found += [line.seq for line in lines]
            if before is None:
                return found


async def all_seen(world: World) -> dict[tuple[str, Wanted], list[int]]:
    return {(who, wanted): await seen(world, who, wanted) for who in READERS for wanted in ASKED}


async def compare(world: World) -> None:
    """By places, and as if none stood there."""
    await audit_places.fill(world.db)
    by_places = await all_seen(world)
    async with world.db.write() as tx:
        upto = await audit_places.placed_to(tx)
        await tx.execute(update(PlacedTo).values(seq=0))
    assert by_places == await all_seen(world)
    async with world.db.write() as tx:
        await tx.execute(update(PlacedTo).values(seq=upto))


async def told(world: World, name: str) -> int:
    """One system has been told of somebody; the number of the entry."""
    async with world.db.write() as tx:
        fact = Delivered(subject=world.people[name], system=UUID(int=9), version=1)
        world.kit.journal.record(tx, fact, by=None, now=world.now)
    async with world.db.read() as tx:
        return int(await tx.scalar(select(func.max(Entry.seq))) or 0)


async def test_places_show_what_the_whole_journal_would(world: World) -> None:
    await told(world, "An")
    await world.employ("An", "NV-P", "Chi")
    await compare(world)
    first = await told(world, "An")
    rejected = await world.ask("Bình")
    await world.reject("Chi", rejected.id)
    await compare(world)
    moved = await world.ask("An", world.draft("transfer", unit="TC"))
    await world.approve("Chi", moved.id)
    await compare(world)
    await world.approve("Dũng", moved.id)
    last = await told(world, "An")
    await compare(world)
    assert {first, last} <= set(await seen(world, "Dũng", Wanted("sync"))), (
        "it has come along with the person"
    )
    assert await seen(world, "Chi", Wanted("sync")) == [], "and left with the person"


async def test_nobody_touches_an_entry_when_a_manager_comes_or_goes(world: World) -> None:
    await world.employ("An", "NV-P", "Chi")
    await told(world, "An")
    await compare(world)
    async with world.db.read() as tx:
        before = await tx.scalar(select(func.count()).select_from(Place))
    of_chi = await seen(world, "Chi", Wanted("sync"))
    await world.appoint("Eve", "NV-P")
    assert await seen(world, "Eve", Wanted("sync")) == of_chi != []
    assert await seen(world, "Chi", Wanted("sync")) == []
    await world.dismiss("Eve")
    assert await seen(world, "Chi", Wanted("sync")) == of_chi
    async with world.db.read() as tx:
        assert await tx.scalar(select(func.count()).select_from(Place)) == before
    await compare(world)


async def test_what_is_about_a_manager_and_what_has_come_up_is_the_one_aboves(world: World) -> None:
    await world.employ("Chi", "NV", "Giang")
    await told(world, "Chi")
    late = await world.ask("An", world.draft(unit="NV-P"))
    await compare(world)
    world.pass_time(days=7)
    await world.roll()
    await compare(world)
    await world.approve("Giang", late.id)
    await compare(world)
    about = {"Chi", "An"}
    async with world.db.read() as tx:
        lines, _ = await audit.of_units(tx, world.kit, world.people["Giang"], now=world.now)
    assert {line.subject for line in lines if line.fact.__struct_config__.tag.startswith("role")} == about  # type: ignore[union-attr]
    await world.appoint("Eve", "NV-P")
    await world.appoint("Bình", "NV")
    await compare(world)


async def test_what_was_asked_goes_along_with_a_merger_and_comes_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "PAUSE", 0)
    await world.employ("An", "NV", "Chi")
    asked = await world.ask("Bình")
    later = await world.ask("Eve", world.draft(effective_on=world.today + timedelta(days=9)))
    await world.approve("Chi", later.id)
    await told(world, "An")
    await compare(world)
    run = await begin(world, await plan(world, {"action": "merge", "unit_code": "NV", "target_code": "TC"}))
    await compare(world)
    await go_on(world, run)
    await compare(world)
    async with world.db.read() as tx:
        lines, _ = await audit.of_units(tx, world.kit, world.people["Dũng"], Wanted("role"), now=world.now)
    assert asked.id in {getattr(line.fact, "request", None) for line in lines}


async def test_a_page_looks_at_what_it_shows_wherever_it_lies(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_places, "BATCH", 50)
    monkeypatch.setattr(audit_places, "PAUSE", 0)
    own = ManagerAppointed(subject=None, unit=world.units["NV"])
    strange = ManagerAppointed(subject=None, unit=world.units["TC"])
    async with world.db.write() as tx:
        for fact in [own, own, *[strange] * (audit_wanted.CHUNK * 2), own]:
            world.kit.journal.record(tx, fact, by=None, now=world.now)
    await audit_places.fill(world.db)
    async with world.db.read() as tx:
        reader = world.people["Chi"]
        page, older = await audit.of_units(
            tx, world.kit, reader, Wanted("manager"), most=2, chunks=1, now=world.now
        )
        assert [line.fact.unit for line in page] == [world.units["NV"]] * 2  # type: ignore[attr-defined]
        assert page[0].seq - page[1].seq == audit_wanted.CHUNK * 2 + 1
        more, _ = await audit.of_units(
            tx, world.kit, reader, Wanted("manager"), before=older, most=2, chunks=1, now=world.now
        )
        assert more[0].seq == page[1].seq - 1
    assert await seen(world, "Chi", Wanted("manager"), most=1) == await seen(world, "Chi", Wanted("manager"))


async def test_what_has_no_place_yet_is_looked_through(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    await audit_places.fill(world.db)
    async with world.db.read() as tx:
        placed = await audit_places.placed_to(tx)
    fresh = await told(world, "An")
    assert fresh > placed
    assert (await seen(world, "Chi", Wanted()))[0] == fresh
    assert fresh in await seen(world, "Chi", Wanted("sync"))


async def test_the_places_of_many_units_are_asked_for_at_once(world: World) -> None:
    """A root whose units have no managers of their own reads all of them."""
    many = 520  # more than SQLite joins in one statement
    await world.dismiss("Dũng")
    for number in range(many):
        await world.unit(f"X-{number}", "TC")
    async with world.db.write() as tx:
        for number in range(many):
            fact = ManagerAppointed(subject=None, unit=world.units[f"X-{number}"])
            world.kit.journal.record(tx, fact, by=None, now=world.now)
    await audit_places.fill(world.db)
    units = [world.units[f"X-{number}"] for number in reversed(range(many))]
    async with world.db.read() as tx:
        page, _ = await audit.of_units(tx, world.kit, world.people["Giang"], Wanted("manager"), now=world.now)
    assert [line.fact.unit for line in page] == units[:50]  # type: ignore[attr-defined]


async def test_tw17_an_entry_that_nobody_can_read_any_more_stops_no_page_and_no_other_entrys_place(
    world: World,
) -> None:
    """Somebody has altered it in the file; that it is altered says the proof of the chain, and only that."""
    await world.employ("An", "NV", "Chi")
    async with world.db.read() as tx:
        first = select(func.min(Entry.seq)).where(Entry.tag == "role.requested")
        altered, fact = (
            await tx.execute(select(Entry.seq, Entry.fact).where(Entry.seq == first.scalar_subquery()))
        ).one()
    async with world.db.write() as tx:
        await tx.execute(update(Entry).where(Entry.seq == altered).values(fact="{}x"))
    try:
        others = await seen(world, "Chi", Wanted())
        assert others and altered not in others
        await audit_places.fill(world.db)
        async with world.db.read() as tx:
            last = await tx.scalar(select(func.max(Entry.seq)))
            assert await audit_places.placed_to(tx) == last
        assert await seen(world, "Chi", Wanted()) == others
        async with world.db.read() as tx:
            assert (await world.kit.journal.verify(tx))[1] == f"entry {altered} was altered"
    finally:
        async with world.db.write() as tx:
            await tx.execute(update(Entry).where(Entry.seq == altered).values(fact=fact))
            await tx.execute(update(PlacedTo).values(seq=0))
