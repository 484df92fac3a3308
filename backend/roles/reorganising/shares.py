"""Who goes where when a unit is split: a file of people, in which nobody may be forgotten (rule 640)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers
from backend.accounts.models import Identifier
from backend.imports.rows import Record, Row, RowError
from backend.kit import Kit
from backend.names import masked
from backend.roles import policy
from backend.roles.models import Role, StaffRecord
from backend.roles.reorganising import acts as acting
from backend.roles.reorganising.acts import Act
from backend.roles.staff_rows import listed_number, opened
from backend.roles.unit_tree import Tree
from backend.typed import BadText

COLUMNS = REQUIRED = ("national_id", "target_code")
CHUNK = 500
NAMED = 50  # of whom a file forgets; whoever forgets more has forgotten a unit


class Held(NamedTuple):
    """What stands in a split unit: a role or a row of the staff directory, and by which number it is found."""

    row: UUID
    unit: str
    blind: bytes
    is_role: bool


async def read(
    tx: AsyncSession,
    kit: Kit,
    rows: Sequence[Record],
    acts: Sequence[Act],
    known: Tree,
    errors: list[RowError],
) -> tuple[dict[UUID, str], dict[UUID, str]]:
    """To which unit each role and each record of a split goes; in `errors` whoever is strange, twice or forgotten."""
    targets: dict[str, set[str]] = {}
    for act in acts:
        if act.action == acting.SPLIT:
            targets.setdefault(act.unit, set()).add(act.target)
    by_blind: dict[bytes, list[Held]] = {}
    for held in await _held(tx, {known[code].id: code for code in targets}):
        by_blind.setdefault(held.blind, []).append(held)
    gone: dict[Held, str] = {}
    for record in rows:
        _share(kit, record, by_blind, targets, gone, errors)
    forgotten: dict[str, dict[bytes, Held]] = {}
    for held in (one for found in by_blind.values() for one in found if one not in gone):
        forgotten.setdefault(held.unit, {}).setdefault(held.blind, held)  # the directory's row comes first
    for code, people in forgotten.items():
        line = next(act.line for act in acts if act.unit == code)
        values = {"count": str(len(people)), "who": await _who(tx, kit, list(people.values()))}
        errors.append(RowError(line, "unit_code", "split_forgets", values))
    roles = {held.row: target for held, target in gone.items() if held.is_role}
    return roles, {held.row: target for held, target in gone.items() if not held.is_role}


async def _who(tx: AsyncSession, kit: Kit, people: Sequence[Held]) -> str:
    """The first of them, as an office finds them again: the masked number, and the employee code where there is one."""
    some, found = people[:NAMED], list[str]()
    listed = select(StaffRecord.id, StaffRecord.sealed).where(
        StaffRecord.id.in_([one.row for one in some if not one.is_role])
    )
    for row_id, sealed in await tx.execute(listed):
        person = opened(kit, row_id, sealed)
        code = f" ({person.employee_code})" if person.employee_code else ""
        found.append(f"{masked(person.national_id)}{code}")
    roles = select(Role.account_id).where(Role.id.in_([one.row for one in some if one.is_role]))
    known = await numbers.personal(tx, kit, set(await tx.scalars(roles)))
    found += [masked(number) for number in known.values()]
    return ", ".join([*sorted(found), *(["…"] if len(people) > NAMED else [])])


async def listed(tx: AsyncSession, codes: Mapping[UUID, str]) -> int:
    """How many rows of the staff directory stand in these units."""
    found, ids = 0, sorted(codes)
    for start in range(0, len(ids), CHUNK):
        there = (StaffRecord.unit_id.in_(ids[start : start + CHUNK]), StaffRecord.left_at.is_(None))
        found += await tx.scalar(select(func.count()).select_from(StaffRecord).where(*there)) or 0
    return found


def _share(
    kit: Kit,
    record: Record,
    by_blind: Mapping[bytes, Sequence[Held]],
    targets: Mapping[str, set[str]],
    gone: dict[Held, str],
    errors: list[RowError],
) -> None:
    row = Row(record, errors)
    number, target = (
        row.text("national_id", longest=20, required=True),
        row.text("target_code", longest=40, required=True),
    )
    if not number or not target:
        return
    try:
        number = listed_number(number)  # as the directory takes them, an old CMND too (case R19)
        blinds = kit.keys.blinds(numbers.kind_of(number), number)
    except BadText as bad:
        row.wrong("national_id", bad.code)
        return
    found = [held for blind in blinds for held in by_blind.get(blind, ())]
    fitting = [held for held in found if target in targets[held.unit]]
    if not found:
        row.wrong("national_id", "not_in_split")
    elif not fitting:
        known = ", ".join(sorted({code for held in found for code in targets[held.unit]}))
        row.wrong("target_code", "not_a_part", known=known)
    elif any(held in gone for held in fitting):
        row.wrong("national_id", "person_twice")
    else:
        gone.update(dict.fromkeys(fitting, target))


async def _held(tx: AsyncSession, codes: Mapping[UUID, str]) -> list[Held]:
    records = select(StaffRecord.id, StaffRecord.unit_id, StaffRecord.national_id_blind)
    there = (StaffRecord.unit_id.in_(codes), StaffRecord.left_at.is_(None))
    found = [Held(row[0], codes[row[1]], row[2], False) for row in await tx.execute(records.where(*there))]
    roles = (
        select(Role.id, Role.unit_id, Identifier.blind)
        .join(Identifier, Identifier.account_id == Role.account_id)
        .where(Role.unit_id.in_(codes), Role.state.in_(policy.HELD))
        .where(numbers.is_of(numbers.NATIONAL_ID), Identifier.ended_at.is_(None))
    )
    return found + [Held(row[0], codes[row[1]], row[2], True) for row in await tx.execute(roles)]
