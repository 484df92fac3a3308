"""A province to measure: all is written straight into the database; one half is the root's, one a unit's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import insert, select, update

from backend import statistics
from backend.accounts.identity import called
from backend.accounts.models import Identifier
from backend.appointment import Appointment
from backend.db import new_id
from backend.facts import Delivered, Fact, ManagerAppointed, SessionOpened
from backend.journal import Entry
from backend.outbox.models import Delivery, Link, System
from backend.roles import audit_places
from backend.roles.audit_places import PlacedTo
from backend.roles.confirming import starting
from backend.roles.models import RequestStep, Role, RoleRequest, StaffRecord, Unit
from backend.roles.staff_rows import StaffPerson
from demo.larger import FIRST, enlarge
from tests.service import Service
from tests.workspace.office import Office, Somebody

AT_ONCE, HISTORY, PARTS = 2000, 300, 9
NOBODY = "http://127.0.0.1:9/scim/v2"  # the discard port: nothing listens


class Size(msgspec.Struct, frozen=True):
    """How large a province is; `others` have an account and nothing else, `wards` a manager and nine parts each."""

    open: int
    others: int
    people: int
    journal: int
    wards: int = 0
    directory: bool = False  # of everybody who has a role, where they have it


async def fill(office: Office, size: Size) -> None:
    """People at work and people who ask, in turn in the unit and in the root; what was delivered, and a journal."""
    service = office.service
    async with service.db.read() as tx:
        codes = (office.unit, office.root)
        by_code = {unit.code: unit.id for unit in await tx.scalars(select(Unit).where(Unit.code.in_(codes)))}
    units, now = [by_code[code] for code in codes], service.clock.now()
    many = {"people": size.people, "waiting": size.open, "others": size.others}
    wards = await _wards(office, by_code[office.root], size.wards)
    turns = [*units * size.wards, *wards] if wards else units
    await enlarge(service.db, service.kit, units=turns, now=now, **many)
    if size.directory:
        await _directory(service, now)
    system = System(id=new_id(), name="Đo", kind="scim", url=NOBODY, created_at=now, disabled_at=now)
    async with service.db.write() as tx:
        tx.add(system)
        await tx.flush()
        roles = (await tx.execute(select(Role.id, Role.account_id, Role.request_id))).all()
    for start in range(0, len(roles), AT_ONCE):
        part = [(row.account_id, row.request_id) for row in roles[start : start + AT_ONCE]]
        async with service.db.write() as tx:
            for model, rows in _told(system.id, part, now).items():
                await tx.execute(insert(model), rows)
    for start in range(0, size.journal, AT_ONCE):  # below the first real entry, which the chain begins with
        seqs = range(-size.journal + start, -size.journal + min(start + AT_ONCE, size.journal))
        async with service.db.write() as tx:
            await tx.execute(insert(Entry), [_entry(seq, roles, system.id, units, now) for seq in seqs])
    await audit_places.fill(service.db)
    async with service.db.write() as tx:
        await tx.execute(update(PlacedTo).values(seq=-size.journal - 1))
    await audit_places.fill(service.db)
    async with service.db.write() as tx:
        due = (now + timedelta(days=30)).date()
        await starting.start(tx, service.kit, codes, due, by=None, now=now)
    await statistics.refresh(service.db, imported=True)


async def _directory(service: Service, now: datetime) -> None:
    """Everybody stands in it as they are at work: nothing differs, and all of it is looked through for that."""
    kit = service.kit
    query = select(Role.unit_id, Role.subject_type, Role.position, Identifier.id, Identifier.value)
    held = query.join(Identifier, Identifier.account_id == Role.account_id).where(
        Role.state == "active", Identifier.kind == "national_id", Identifier.ended_at.is_(None)
    )
    async with service.db.write() as tx:
        rows = []
        for unit, subject_type, position, number, sealed in (await tx.execute(held)).all():
            one, digits = new_id(), kit.keys.open("identifiers.value", number, sealed)
            known = StaffPerson(digits, "Nguyễn Thị Có Tên", "")
            rows.append({
                "id": one, "unit_id": unit, "subject_type": subject_type, "position": position, "imported_at": now,
                "national_id_blind": kit.keys.blind("national_id", digits), "email_blind": None, "code_blind": None,
                "sealed": kit.keys.seal("staff_records.sealed", one, msgspec.json.encode(known).decode()),
                "left_at": None,
            })  # fmt: skip
        await tx.execute(insert(StaffRecord), rows)


async def _wards(office: Office, root: UUID, many: int) -> list[UUID]:
    """Units below the root, each with parts of its own, managed by the people who are then given a role there."""
    service, kit, now = office.service, office.service.kit, office.service.clock.now()
    found: list[UUID] = []
    async with service.db.write() as tx:
        for number in range(many):
            ward, one = new_id(), new_id()
            what = {"kind": "", "agency_code": None, "ended_on": None, "successor_id": None}
            rows = [
                {"id": ward, "code": f"X{number:04}", "parent_id": root, "path": f"/{root}/{ward}/"},
                *(
                    {
                        "id": part,
                        "code": f"X{number:04}-{nth}",
                        "parent_id": ward,
                        "path": f"/{root}/{ward}/{part}/",
                    }
                    for nth, part in enumerate(new_id() for _ in range(PARTS))
                ),
            ]
            names = [
                {"name": f"Phường {row['code']}", "folded": f"phuong {row['code']}".lower()} for row in rows
            ]
            await tx.execute(insert(Unit), [what | row | name for row, name in zip(rows, names, strict=True)])
            digits = f"000{FIRST + 2 * many + number:09d}"
            sealed = kit.keys.seal("appointments.national_id", one, digits)
            post = {"id": one, "kind": "manager", "unit_id": ward, "created_at": now, "national_id": sealed}
            await tx.execute(
                insert(Appointment), [post | {"national_id_blind": kit.keys.blind("national_id", digits)}]
            )
            found.append(ward)
    return found


async def grow_old(office: Office, who: Somebody, years: int) -> None:
    """One person with a long life in the unit: so many requests, each with its word and an ended role."""
    service, now = office.service, office.service.clock.now()
    async with service.db.read() as tx:
        unit = await tx.scalar(select(Unit.id).where(Unit.code == office.unit))
    what = {
        "account_id": who.account_id,
        "unit_id": unit,
        "subject_type": "cong_chuc",
        "position": "chuyen_vien",
    }
    async with service.db.write() as tx:
        for number in range(years):
            request, role, at = new_id(), new_id(), now - timedelta(days=years - number)
            asked = {"id": request, "fields": service.kit.keys.seal("role_requests.fields", request, "{}")}
            asked |= {
                "created_by": who.account_id,
                "kind": "register",
                "created_at": at,
                "status": "approved",
            }
            await tx.execute(insert(RoleRequest), [what | asked | {"decided_at": at, "applied_at": at}])
            step = {"id": new_id(), "request_id": request, "position": 1, "unit_id": unit, "duty": "approve"}
            said = {"decision": "approved", "at": at, "by": office.chi.account_id}
            await tx.execute(insert(RequestStep), [step | said])
            post = {
                "id": role,
                "fields": service.kit.keys.seal("roles.fields", role, "{}"),
                "request_id": request,
            }
            post |= {"from_on": at.date(), "began_at": at, "state": "ended", "ended_at": at}
            if number == years - 1:
                post |= {"state": "active", "ended_at": None}
            await tx.execute(insert(Role), [what | post])
        await called.make_findable(tx, service.kit, [who.account_id])


def _told(system: UUID, people: list[tuple[UUID, UUID]], now: datetime) -> dict[Any, list[dict[str, Any]]]:
    """What one system was told of some people."""
    pair = [{"system_id": system, "account_id": account} for account, _ in people]
    times = dict.fromkeys(("not_before", "next_at", "created_at", "changed_at", "done_at"), now)
    made = times | {"version": 1, "lane": 1, "attempts": 0, "state": "done"}
    return {
        Link: [one | {"id": new_id(), "state": "synced", "checked_at": now} for one in pair],
        Delivery: [one | made | {"id": new_id()} for one in pair],
    }


def _entry(seq: int, roles: Sequence[Any], system: UUID, units: list[UUID], now: datetime) -> dict[str, Any]:
    """Nine of ten are of no manager's page, as in life; it hangs on nothing, and nobody verifies this journal."""
    row = roles[seq % len(roles)] if roles else None
    about = row.account_id if row else new_id()
    fact: Fact = SessionOpened(subject=about, session=new_id(), kind="mobile", method="vneid", epoch=1)
    if seq % 10 == 0:
        fact = Delivered(subject=about, system=system, version=1)
    elif seq % 50 == 1:  # also in a village more than a page of them
        fact = ManagerAppointed(subject=about, unit=units[seq % 2])
    return {
        "seq": seq, "at": now, "tag": str(fact.__struct_config__.tag), "subject": about, "key_id": b"", "hash": b"",
        "fact": msgspec.json.encode(fact).decode(),
    }  # fmt: skip
