"""Employee codes that an earlier release sealed become findable, so that nobody types another's (case R33)."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

from sqlalchemy import select, update

from backend.db import Database
from backend.kit import Kit
from backend.roles import draft as drafts
from backend.roles import policy
from backend.roles.models import Role, StaffRecord
from backend.roles.staff_rows import person_of
from backend.trouble import apart

BATCH = 200
FIRST = UUID(int=0)


async def fill(db: Database, kit: Kit) -> None:
    """Of people who are in the directory or hold a role, a few in each transaction."""
    for table in (StaffRecord, Role):
        last: UUID | None = FIRST
        while last is not None:
            last = await _some(db, kit, table, last)
            await asyncio.sleep(0)


async def _some(db: Database, kit: Kit, table: Any, after: UUID) -> UUID | None:
    """Write the index of the next rows that lack it and have a code; the last of them, nothing at the end."""
    current = StaffRecord.left_at.is_(None) if table is StaffRecord else Role.state.in_(policy.HELD)
    query = select(table).where(table.code_blind.is_(None), current, table.id > after)
    async with db.read() as tx:
        found = list(await tx.scalars(query.order_by(table.id).limit(BATCH)))
    codes: dict[UUID, str] = {}
    for row in found:
        with apart("employee_codes", row.id):
            codes[row.id] = _code(kit, row)
    codes = {row_id: code for row_id, code in codes.items() if code}
    if codes:
        async with db.write() as tx:
            for row_id, code in codes.items():
                blind = {"code_blind": kit.keys.blind("employee_code", code)}
                await tx.execute(
                    update(table).where(table.id == row_id, table.code_blind.is_(None)).values(blind)
                )
    return found[-1].id if found else None


def _code(kit: Kit, row: StaffRecord | Role) -> str:
    if isinstance(row, StaffRecord):
        return person_of(kit, row).employee_code
    return drafts.fields_of(kit, row).get("employee_code", "")
