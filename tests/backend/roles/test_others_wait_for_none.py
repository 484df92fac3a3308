"""Of whom a row cannot be read keeps nobody else from the morning's mail, nor from what is due (rules 616, 626, 628)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, update

from backend.appointment import Appointment
from backend.imports.rows import records
from backend.outbox import worker
from backend.roles import overdue, staff
from backend.roles.models import RequestStep, StaffRecord
from tests.backend.roles.test_held_up import planned, until, working
from tests.backend.roles.test_morning import MONDAY, at, letters, opened
from tests.backend.roles.world import World

UNREADABLE = b"nobody can read this"


async def lists_dung(world: World) -> None:
    """The directory knows where Dũng reads his mail."""
    row = {"national_id": world.numbers["Dũng"], "full_name": "Dũng", "birth_date": "1990-01-02"}
    row |= {"unit_code": "TC", "subject_type": "cong_chuc", "position": "chuyen_vien"}
    row |= {"official_email": "dung@hue.example"}
    async with world.db.write() as tx:
        await staff.bring_in(tx, world.kit, records([row]), by=None, now=world.now)


@pytest.mark.parametrize("ill", ["Chi", "Dũng"])
async def test_r44_a_manager_whose_entry_cannot_be_read_keeps_nobody_elses_mail(
    world: World, ill: str
) -> None:
    await opened(world)
    await lists_dung(world)
    await world.ask("An", world.draft(unit="NV"))
    await world.ask("Bình", world.draft(unit="TC"))
    async with world.db.write() as tx:
        record = await staff.record_of(tx, world.kit, world.people[ill])
        assert record is not None
        mine = update(StaffRecord).where(StaffRecord.id == record.id)
        whole = await tx.scalar(select(StaffRecord.sealed).where(StaffRecord.id == record.id))
        await tx.execute(mine.values(sealed=UNREADABLE))
    assert await at(world, MONDAY) == 1
    assert len(await letters(world.db, world.kit)) == 1
    async with world.db.write() as tx:
        await tx.execute(mine.values(sealed=whole))
    assert await at(world, MONDAY + timedelta(minutes=1)) == 1, "and theirs once it can be read"


async def test_an_appointment_that_cannot_be_read_holds_up_nobodys_day(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "ROLL", 0.02)
    await planned(world, "An")
    await planned(world, "Bình")
    async with world.db.write() as tx:
        row = (await tx.scalars(select(Appointment).where(Appointment.ended_at.is_(None)).limit(1))).one()
        ill, whole = row.id, row.national_id
        mine = update(Appointment).where(Appointment.id == ill)
        await tx.execute(mine.values(national_id=UNREADABLE, until_on=world.today))
    world.pass_time(days=2)
    async with working(world) as clock:
        await until(world, ["truong_phong", "truong_phong"])
        assert not await ended(world, ill)
        async with world.db.write() as tx:
            await tx.execute(mine.values(national_id=whole))
        clock.ahead += worker.HELD_UP
        async with asyncio.timeout(20):
            while not await ended(world, ill):
                await asyncio.sleep(0.02)


async def ended(world: World, appointment: UUID) -> bool:
    async with world.db.read() as tx:
        return (await tx.get_one(Appointment, appointment)).ended_at is not None


async def test_a_step_that_fails_to_be_called_late_holds_up_nobodys_day(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "ROLL", 0.02)
    await planned(world, "An")
    await planned(world, "Bình")
    ask_above = overdue._ask_above
    asked = await world.ask("Eve", world.draft(unit="NV"))

    async def fails(tx: Any, kit: Any, found: Any, *more: Any) -> int:
        if found.id == asked.id:
            raise ValueError("a mistake of ours")
        return await ask_above(tx, kit, found, *more)

    monkeypatch.setattr(overdue, "_ask_above", fails)
    async with world.db.write() as tx:
        late = update(RequestStep).where(RequestStep.request_id == asked.id)
        await tx.execute(late.values(due_on=world.today))
    world.pass_time(days=2)
    async with working(world):
        await until(world, ["truong_phong", "truong_phong"])
