"""Fills an empty demo: units, staff, managers, systems, roles in force and requests that wait."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import people
from backend.db import Database
from backend.errors import settle
from backend.imports.plan import at_once
from backend.imports.rows import Record, records
from backend.kit import Kit
from backend.outbox import queue, systems
from backend.outbox.models import System
from backend.outside.eid.eid_claims import Person
from backend.roles import desired, requests, review, staff, units
from backend.roles.appointments import ManagersImport
from backend.roles.models import Unit
from backend.roles.wish import Draft
from backend.support import desks, notices
from demo.people import PLACES, StaffRow, manager_rows, staff_rows
from demo.persona import PERSONAS, Persona, persona
from demo.province import MAIL_HOST, units_csv_rows
from demo.stand import Stand

IN_FORCE, WAITING = 24, 9  # roles and requests that a first visitor finds
WARNING = "Cảnh giác với người mạo danh cán bộ hỗ trợ"
WHAT_TO_DO = (
    "Chỉ làm theo hướng dẫn của người đọc đúng mã yêu cầu có trong ứng dụng của bạn.\n"
    "Cán bộ hỗ trợ không bao giờ hỏi mật khẩu, mã PIN hay mã xác thực."
)
LOOKED_AT = ("19774", "19789", "SNV")  # the units of the cast's managers


async def seed(db: Database, kit: Kit, stand: Stand, *, issuer: str, now: datetime) -> bool:
    """Fill an empty database; False when it holds a province already."""
    async with db.read() as tx:
        if await tx.scalar(select(func.count()).select_from(Unit)):
            return False
    async with db.write() as tx:
        await units.bring_in(tx, kit, _records(units_csv_rows()), by=None, now=now)
        await staff.bring_in(tx, kit, _records(staff_rows()), by=None, now=now)
        await at_once(ManagersImport(kit, now), tx, _records(manager_rows()), by=None)
        for name, system in stand.systems.items():
            await systems.add(
                tx,
                kit,
                name=system.title_vi,
                kind="scim",
                url=stand.system_url(name),
                token=system.token,
                unit_codes=[],
                people=desired.people_in_scope,
                by=None,
                now=now,
            )
        await _open_desk(tx, kit, now)
    await _fill(db, kit, issuer, now)
    return True


async def _open_desk(tx: AsyncSession, kit: Kit, now: datetime) -> None:
    """A support desk, the member of the cast who answers there, and the warning of source 004 for everybody."""
    name, mailbox = "Đội hỗ trợ công nghệ thông tin thành phố", f"hotrocntt@{MAIL_HOST}"
    await desks.add(tx, kit, "CNTT", name=name, mailbox=mailbox, phone="0550 246 300", now=now)
    answers = persona("khanh")
    if answers is not None:
        await desks.hire(tx, kit, "CNTT", answers.national_id, now=now)
    notices.publish(tx, kit, title=WARNING, body=WHAT_TO_DO, until=None, now=now)


async def tell_systems_again(db: Database, *, now: datetime) -> None:
    """The stand-in systems forget everything when the demo stops, so they are told anew when it starts."""
    async with db.write() as tx:
        for system in await tx.scalars(select(System).where(System.disabled_at.is_(None))):
            told = await systems.affected(tx, system, desired.people_in_scope)
            await queue.backfill(tx, system.id, told, now=now)


def _records(rows: Sequence[msgspec.Struct]) -> list[Record]:
    return records(msgspec.structs.asdict(row) for row in rows)


async def _fill(db: Database, kit: Kit, issuer: str, now: datetime) -> None:
    """Some of the staff have registered already; some of them wait for a manager."""
    cast = {one.national_id for one in PERSONAS}
    looked_at = [
        row
        for row in staff_rows()
        if row.national_id not in cast
        and row.unit_code.startswith(LOOKED_AT)
        and row.subject_type != "can_bo"
    ]
    deciders = await _deciders(db, kit, issuer, now)
    for number, row in enumerate(_spread(looked_at)[: IN_FORCE + WAITING]):
        made = now - timedelta(hours=5 * (IN_FORCE + WAITING - number))
        async with db.write() as tx:
            account_id = await _account(tx, kit, _person_of(row, issuer), made)
            draft = Draft(
                kind="register",
                subject_type=row.subject_type,
                unit=row.unit_code,
                position=row.position,
                fields=_fields(row),
            )
            request = await requests.create(tx, kit, draft, by=account_id, now=made, level=2)
        if number < IN_FORCE:
            async with db.write() as tx:
                decider = deciders[row.unit_code.partition("-")[0]]
                settle(await review.approve(tx, kit, request.id, version=None, by=decider, now=made))


async def _deciders(db: Database, kit: Kit, issuer: str, now: datetime) -> dict[str, UUID]:
    """The accounts of the cast's managers, by their unit."""
    found = {}
    async with db.write() as tx:
        for persona in PERSONAS:
            unit = PLACES.get(persona.key, ("",))[0]
            if unit in LOOKED_AT:
                found[unit] = await _account(tx, kit, _cast_person(persona, issuer), now)
    return found


async def _account(tx: AsyncSession, kit: Kit, person: Person, now: datetime) -> UUID:
    return (await people.account_or_new(tx, kit, person, now=now))[0].id


def _cast_person(persona: Persona, issuer: str) -> Person:
    return Person(
        issuer=issuer,
        subject=persona.sub,
        national_id=persona.national_id,
        full_name=persona.full_name,
        birth_date=persona.birth_date,
        gender=persona.gender,
        level=persona.level,
    )


def _person_of(row: StaffRow, issuer: str) -> Person:
    return Person(
        issuer=issuer,
        subject=f"staff-{row.employee_code}",
        national_id=row.national_id,
        full_name=row.full_name,
        birth_date=row.birth_date,
        gender=None,
        level=2,
    )


def _fields(row: StaffRow) -> dict[str, str]:
    fields = {"employee_code": row.employee_code, "official_email": row.official_email}
    if row.subject_type == "nguoi_lao_dong":
        fields["contract_number"] = f"HĐ-{row.employee_code}"
    return fields


def _spread(rows: list[StaffRow]) -> list[StaffRow]:
    """In turn from each of the units that are looked at, so that every manager finds something."""
    by_unit = [[row for row in rows if row.unit_code.startswith(code)] for code in LOOKED_AT]
    longest = max(len(some) for some in by_unit)
    return [some[index] for index in range(longest) for some in by_unit if index < len(some)]
