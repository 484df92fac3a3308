"""One row that cannot be read, or with which something fails, keeps no other from what a round does (rule 912)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select, update
from structlog.testing import capture_logs

from backend.account import Account
from backend.accounts.identity import candidates, correcting
from backend.accounts.identity.called import NameWord
from backend.appointment import Appointment
from backend.db import new_id
from backend.journal import Entry
from backend.roles import audit_places, coded, deciding, desk_joins, findable, timeline
from backend.roles.audit_places import Place, PlacedTo
from backend.roles.confirming import telling
from backend.roles.models import RequestStep, Role, StaffRecord
from backend.support.models import JoinProposal, NameProposal
from tests.backend.roles.test_confirming import begin, live, states, sweep
from tests.backend.roles.test_differences import entry
from tests.backend.roles.test_employee_codes import CODE
from tests.backend.roles.test_staff import bring_in
from tests.backend.roles.world import World

UNREADABLE = b"nobody can read this"
LEFT = "one_left"


@asynccontextmanager
async def unreadable(world: World, table: Any, column: str, row: UUID) -> AsyncIterator[None]:
    """What is sealed in one row is broken meanwhile."""
    one = update(table).where(table.id == row)
    async with world.db.write() as tx:
        whole = await tx.scalar(select(getattr(table, column)).where(table.id == row))
        await tx.execute(one.values({column: UNREADABLE}))
    yield
    async with world.db.write() as tx:
        await tx.execute(one.values({column: whole}))


def left(lines: list[Any]) -> list[str]:
    return [line["row"] for line in lines if line["event"] == LEFT]


async def test_r26_an_account_that_cannot_be_read_keeps_no_other_from_becoming_findable(world: World) -> None:
    ill = min(world.people.values())
    async with unreadable(world, Account, "full_name", ill):
        with capture_logs() as lines:
            await candidates.fill(world.db, world.kit)
        async with world.db.read() as tx:
            without = await tx.scalars(select(Account.id).where(Account.person_blind.is_(None)))
            assert set(without) == {ill}
    assert left(lines) == [str(ill)]


@pytest.mark.parametrize("table", [StaffRecord, Role])
async def test_r33_a_code_that_cannot_be_read_keeps_no_other_from_becoming_findable(
    world: World, table: Any
) -> None:
    column = "sealed" if table is StaffRecord else "fields"
    if table is StaffRecord:
        await bring_in(world, *(entry(world, name, "NV", employee_code=name) for name in ("An", "Bình")))
    else:
        for name, code in (("An", "CC-7"), ("Bình", "CC-8")):
            await world.employ(name, "NV", "Chi", **{**CODE, "fields": {"employee_code": code}})
    async with world.db.write() as tx:
        await tx.execute(update(table).values(code_blind=None))
        ill = min(await tx.scalars(select(table.id)))
    async with unreadable(world, table, column, ill):
        with capture_logs() as lines:
            await coded.fill(world.db, world.kit)
        async with world.db.read() as tx:
            assert set(await tx.scalars(select(table.id).where(table.code_blind.is_(None)))) == {ill}
    assert left(lines) == [str(ill)]


async def test_a_name_that_cannot_be_read_keeps_no_other_from_being_found(world: World) -> None:
    for name in ("An", "Bình"):
        await world.employ(name, "NV", "Chi")
    async with world.db.write() as tx:
        await tx.execute(delete(NameWord))
    async with unreadable(world, Account, "full_name", world.people["An"]):
        with capture_logs() as lines:
            await findable.fill(world.db, world.kit)
        async with world.db.read() as tx:
            assert set(await tx.scalars(select(NameWord.account_id))) == {world.people["Bình"]}
    assert left(lines) == [str(world.people["An"])]
    await findable.fill(world.db, world.kit)


async def test_a_number_that_cannot_be_read_keeps_no_step_from_its_place(world: World) -> None:
    """Whoever manages still has no say about the own request: the index beside the number tells that."""
    await world.ask("An")
    await world.ask("Chi", world.draft(unit="NV"))
    async with world.db.write() as tx:
        await tx.execute(update(RequestStep).values(decider_id=None))
        mine = select(Appointment.id).where(Appointment.unit_id == world.units["NV"])
        ill = (await tx.scalars(mine)).one()
    async with unreadable(world, Appointment, "national_id", ill):
        with capture_logs() as lines:
            await deciding.fill(world.db, world.kit, now=world.now)
        async with world.db.read() as tx:
            placed = set(await tx.scalars(select(RequestStep.decider_id)))
        assert placed == {world.units["NV"], world.units["HUE"]}
    assert left(lines) == [str(ill)]


async def test_an_entry_that_cannot_be_read_keeps_no_other_from_its_place(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    await audit_places.fill(world.db)
    async with world.db.write() as tx:
        places = await tx.scalar(select(func.count()).select_from(Place)) or 0
        ill = (await tx.scalars(select(Place.seq).order_by(Place.seq).limit(1))).one()
        whole = await tx.scalar(select(Entry.fact).where(Entry.seq == ill))
        own = await tx.scalar(select(func.count()).select_from(Place).where(Place.seq == ill)) or 0
        await tx.execute(update(Entry).where(Entry.seq == ill).values(fact="{"))
        await tx.execute(delete(Place))
        await tx.execute(delete(PlacedTo))
    await audit_places.fill(world.db)
    async with world.db.write() as tx:
        assert await tx.scalar(select(func.count()).select_from(Place)) == places - own
        await tx.execute(update(Entry).where(Entry.seq == ill).values(fact=whole))
        await tx.execute(delete(PlacedTo))


async def test_one_role_that_cannot_end_keeps_no_other_from_its_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("An", "Bình"):
        await world.employ(name, "NV", "Chi")
        await world.signed_in(name)
    await begin(world, "NV")
    await live(world, 17)
    run_down = timeline.run_down

    async def fails(tx: Any, kit: Any, role: Role, *more: Any, **how: Any) -> None:
        if role.account_id == world.people["An"]:
            raise ValueError("a mistake of ours")
        await run_down(tx, kit, role, *more, **how)

    with monkeypatch.context() as patched, capture_logs() as lines:
        patched.setattr(timeline, "run_down", fails)
        assert await live(world, 1) == 1
    assert [await states(world, name) for name in ("An", "Bình")] == [["active"], ["ended"]]
    assert "role_not_ended" in {line["event"] for line in lines}
    assert await sweep(world) == 1 and await states(world, "An") == ["ended"]


async def test_one_review_that_meets_a_mistake_holds_up_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.employ("An", "NV", "Chi")
    await world.employ("Eve", "TC", "Dũng")
    ill = (await begin(world, "NV"))[0]
    await begin(world, "TC")
    managers = telling.managers

    async def fails(tx: Any, kit: Any, review: Any, *more: Any, **how: Any) -> set[UUID]:
        if review.unit_id == world.units["NV"]:
            raise ValueError("a mistake of ours")
        return await managers(tx, kit, review, *more, **how)

    monkeypatch.setattr(telling, "managers", fails)
    with capture_logs() as lines:
        await live(world, 9)
    assert ill.unit_code == "NV" and len(left(lines)) > 0
    assert "Còn 1 vai trò" in (await world.told("Dũng"))[-1]


def proposal(world: World, table: Any, stays: UUID, goes: UUID) -> Any:
    """What a desk has proposed and nobody has confirmed in time."""
    row, seal = new_id(), world.kit.keys.seal
    made: dict[str, Any] = {"id": row, "proposed_at": world.now, "expires_at": world.now}
    made |= {
        "proposed_by": world.people["Giang"],
        "grounds": seal(f"{table.__tablename__}.grounds", row, "x"),
    }
    if table is JoinProposal:
        return table(**made, stays_id=stays, goes_id=goes, stays_print="", goes_print="")
    read = {field: seal(f"support_names.{field}", row, "x") for field in ("full_name", "document")}
    return table(**made, **read, account_id=stays, version=1)


@pytest.mark.parametrize("job", [desk_joins, correcting])
async def test_one_proposal_that_cannot_be_dropped_keeps_no_other_from_its_end(
    world: World, monkeypatch: pytest.MonkeyPatch, job: Any
) -> None:
    table = JoinProposal if job is desk_joins else NameProposal
    an, binh, chi, dung = (world.people[name] for name in ("An", "Bình", "Chi", "Dũng"))
    async with world.db.write() as tx:
        tx.add_all([proposal(world, table, an, binh), proposal(world, table, chi, dung)])
    drop = job._drop

    async def fails(tx: Any, kit: Any, row: Any, *more: Any, **how: Any) -> None:
        if an in (getattr(row, "stays_id", None), getattr(row, "account_id", None)):
            raise ValueError("a mistake of ours")
        await drop(tx, kit, row, *more, **how)

    monkeypatch.setattr(job, "_drop", fails)
    with capture_logs() as lines:
        await job.sweep(world.db, world.kit, world.now)
    async with world.db.read() as tx:
        assert await tx.scalar(select(func.count()).select_from(table)) == 1
    assert len(left(lines)) == 1
    monkeypatch.undo()
    await job.sweep(world.db, world.kit, world.now)
    async with world.db.read() as tx:
        assert await tx.scalar(select(func.count()).select_from(table)) == 0
