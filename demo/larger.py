"""A province of the size of a real one, written straight into the tables: for trying growth, never for its people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select

from backend import statistics
from backend.account import Account
from backend.accounts.models import Identifier
from backend.db import Base, Database, new_id
from backend.kit import Kit
from backend.roles import deciding, findable
from backend.roles.models import RequestStep, Role, RoleRequest
from demo.people import FAMILY, GIVEN, MIDDLE

AT_ONCE = 1000
FIRST = 200_000_000  # of the personal numbers 000…: behind everybody's whom the demo names
Rows = dict[type[Base], dict[str, Any]]


async def enlarge(
    db: Database,
    kit: Kit,
    *,
    units: Sequence[UUID],
    people: int,
    waiting: int,
    others: int = 0,
    now: datetime,
) -> None:
    """So many more people with a role in force and so many who ask for one, in turn in each unit; and others."""
    free = 0
    for start in range(0, people + waiting + others, AT_ONCE):
        made, places = [], range(start, min(start + AT_ONCE, people + waiting + others))
        numbers = await _free(db, kit, free, len(places))
        free = numbers[-1] + 1
        for place, number in zip(places, numbers, strict=True):
            rows, unit = _person(kit, number, now), units[place % len(units)]
            if place < people + waiting:
                rows |= _post(kit, rows[Account]["id"], unit, in_force=place < people, now=now)
            made.append(rows)
        async with db.write() as tx:
            for model in (Account, Identifier, RoleRequest, Role, RequestStep):
                if found := [one[model] for one in made if model in one]:
                    await tx.execute(insert(model), found)
    await deciding.fill(db, kit, now=now)
    await findable.fill(db, kit)
    await statistics.refresh(db, imported=True)


async def _free(db: Database, kit: Kit, first: int, many: int) -> list[int]:
    """So many numbers from the first on that nobody has: who was made in an earlier run keeps theirs."""
    found: list[int] = []
    async with db.read() as tx:
        while len(found) < many:
            asked = range(first, first + many)
            blinds = {
                blind: number for number in asked for blind in kit.keys.blinds("national_id", _digits(number))
            }
            known = select(Identifier.blind).where(
                Identifier.kind == "national_id", Identifier.blind.in_(blinds)
            )
            taken = {blinds[blind] for blind in await tx.scalars(known)}
            found += [number for number in asked if number not in taken]
            first += many
    return found[:many]


def _digits(number: int) -> str:
    return f"000{FIRST + number:09d}"


def name_of(number: int) -> str:
    """Any of some thousand names."""
    parts: list[str] = []
    for choice in (FAMILY, MIDDLE[number % 2], GIVEN[number % 2]):
        number, place = divmod(number, len(choice))
        parts.append(choice[place])
    return " ".join(parts)


def _person(kit: Kit, number: int, now: datetime) -> Rows:
    keys, digits = kit.keys, _digits(number)
    account, identifier = new_id(), new_id()
    return {
        Account: {
            "id": account, "full_name": keys.seal("accounts.full_name", account, name_of(number)),
            "assurance_level": 2, "created_at": now, "vneid_at": now,
        },
        Identifier: {
            "id": identifier, "account_id": account, "kind": "national_id", "source": "demo", "created_at": now,
            "value": keys.seal("identifiers.value", identifier, digits), "blind": keys.blind("national_id", digits),
        },
    }  # fmt: skip


def _post(kit: Kit, account: UUID, unit: UUID, *, in_force: bool, now: datetime) -> Rows:
    """A request, and the role if somebody has said yes."""
    request, role, keys = new_id(), new_id(), kit.keys
    what = {"account_id": account, "unit_id": unit, "subject_type": "cong_chuc", "position": "chuyen_vien"}
    asked = {"created_by": account, "kind": "register", "created_at": now, "status": "pending"}
    step = {"id": new_id(), "request_id": request, "position": 1, "unit_id": unit, "duty": "approve"}
    fields = keys.seal("role_requests.fields", request, "{}")
    if not in_force:
        return {RoleRequest: {**what, **asked, "id": request, "fields": fields}, RequestStep: step}
    done = {"status": "approved", "decided_at": now, "applied_at": now}
    begun = {"state": "active", "from_on": now.date(), "began_at": now, "request_id": request}
    return {
        RoleRequest: {**what, **asked, **done, "id": request, "fields": fields},
        Role: {**what, **begun, "id": role, "fields": keys.seal("roles.fields", role, "{}")},
        RequestStep: step | {"decision": "approved", "at": now},
    }
