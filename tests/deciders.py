"""The rule of who decides, worked out anew for every step there is, and compared with what stands on the step.

The deciding unit is the nearest upwards with managers among whom the applicant is not (rule 613). Numbers are compared
as they are, opened, and not by their indexes.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.models import Identifier
from backend.appointment import MANAGER, Appointment
from backend.kit import Kit
from backend.roles.models import RequestStep, Role, RoleRequest, Unit
from backend.roles.reorganising.models import ROLE, Moved


async def misplaced(tx: AsyncSession, kit: Kit) -> list[str]:
    """Every step on which another unit stands than the rule says."""
    steps = (
        await tx.execute(
            select(
                RequestStep.id, RequestStep.decider_id, RequestStep.above_id, RequestStep.overdue_at,
                RequestStep.due_on, RequestStep.decision, RoleRequest.status,
                RoleRequest.account_id, Unit.path,
            )
            .join(RoleRequest, RoleRequest.id == RequestStep.request_id)
            .join(Unit, Unit.id == RequestStep.unit_id)
        )
    ).all()  # fmt: skip
    managers = await _managers(tx, kit)
    own = await _numbers(tx, kit, {step.account_id for step in steps if step.status == "pending"})
    found = []
    for step in steps:
        waits = step.status == "pending" and step.decision is None
        units = (
            [*_deciders(step.path, managers, own.get(step.account_id)), None, None] if waits else [None] * 2
        )
        wanted, above = units[0], units[1] if step.overdue_at else None
        if step.above_id != above:
            found.append(f"step {step.id}: {step.above_id} stands above, the rule says {above}")
        if wanted and step.due_on is None:
            found.append(f"step {step.id} waits without a last day")
        if step.decider_id != wanted:
            found.append(
                f"step {step.id}: {step.decider_id} stands on it as deciding, the rule says {wanted}"
            )
    return found + await _left_behind(tx)


async def _left_behind(tx: AsyncSession) -> list[str]:
    """Roles that a reorganisation took along, and that are held where they were nevertheless (rule 640)."""
    gone = select(Moved.row_id, Moved.new_id).where(Moved.kind == ROLE, Moved.back_at.is_(None))
    pairs = {row[0]: row[1] for row in await tx.execute(gone)}
    held = select(Role.id).where(Role.id.in_(pairs), Role.state != "ended")
    return [
        f"role {role} went with its unit to {pairs[role]} and has not ended"
        for role in await tx.scalars(held)
    ]


def _deciders(path: str, managers: dict[UUID, set[str]], own: str | None) -> list[UUID]:
    """The nearest first; else the highest where somebody beside the applicant decides."""
    way = [UUID(part) for part in reversed(path.strip("/").split("/"))]
    found = [unit for unit in way if managers.get(unit) and own not in managers[unit]]
    return found or [unit for unit in way if managers.get(unit, set()) - {own}][-1:]


async def _managers(tx: AsyncSession, kit: Kit) -> dict[UUID, set[str]]:
    found: dict[UUID, set[str]] = {}
    held = select(Appointment.id, Appointment.unit_id, Appointment.national_id)
    for row in await tx.execute(held.where(Appointment.counts(MANAGER, None))):
        number = kit.keys.open("appointments.national_id", row.id, row.national_id)
        found.setdefault(row.unit_id, set()).add(number)
    return found


async def _numbers(tx: AsyncSession, kit: Kit, accounts: set[UUID]) -> dict[UUID, str]:
    held = select(Identifier).where(Identifier.kind == "national_id", Identifier.ended_at.is_(None))
    rows = await tx.scalars(held.where(Identifier.account_id.in_(accounts)))
    return {row.account_id: kit.keys.open("identifiers.value", row.id, row.value) for row in rows}
