"""Requests that a change of units or managers would leave with nobody to decide them (rule 1003)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers
from backend.accounts.models import Identifier
from backend.roles import policy, rights
from backend.roles.models import RequestStep, RoleRequest, Unit

CHUNK = 500
OPEN = (policy.PENDING, policy.RETURNED)


class Step(NamedTuple):
    """One word that an open request still needs."""

    request_id: UUID
    account_id: UUID
    unit_id: UUID


class Deciders(NamedTuple):
    """Who decides what is open: the steps, the applicants' blind numbers, the managers of each unit, the paths."""

    steps: list[Step]
    own: dict[UUID, set[bytes]]
    managers: dict[UUID, set[bytes]]
    paths: dict[UUID, str]

    def lost(
        self,
        *,
        paths: Mapping[UUID, str] | None = None,
        managers: dict[UUID, set[bytes]] | None = None,
        closed: Collection[UUID] = (),
    ) -> set[UUID]:
        """The requests that somebody decides now, and nobody would with these paths and managers."""
        after = self.managers if managers is None else managers
        after = {unit: held for unit, held in after.items() if unit not in closed}
        return {
            step.request_id
            for step in self.steps
            if self._decider(step, self.paths, self.managers) is not None
            and (step.unit_id in closed or self._decider(step, paths or self.paths, after) is None)
        }

    def _decider(
        self, step: Step, paths: Mapping[UUID, str], managers: dict[UUID, set[bytes]]
    ) -> UUID | None:
        path = paths.get(step.unit_id, self.paths[step.unit_id])
        return rights.decider(path, managers, self.own.get(step.account_id, set()))


async def deciders(tx: AsyncSession, *, below: str = "/") -> Deciders:
    """What is open at or below a unit of this path, and who decides it; of the whole province, if none is named."""
    query = (
        select(RoleRequest.id, RoleRequest.account_id, RequestStep.unit_id, Unit.path)
        .join(RequestStep, RequestStep.request_id == RoleRequest.id)
        .join(Unit, Unit.id == RequestStep.unit_id)
        .where(RoleRequest.status.in_(OPEN), RequestStep.decision.is_(None), Unit.path.startswith(below))
    )
    found = (await tx.execute(query)).all()
    managers = await rights.managers_by_unit(tx, on=None) if found else {}
    steps = [Step(row[0], row[1], row[2]) for row in found]
    own = await own_among(tx, {step.account_id for step in steps}, set().union(*managers.values()))
    return Deciders(steps, own, managers, {row[2]: row[3] for row in found})


async def own_among(tx: AsyncSession, people: set[UUID], managing: set[bytes]) -> dict[UUID, set[bytes]]:
    """Which of the managers' blind numbers are one of these people's own."""
    found: dict[UUID, set[bytes]] = {}
    blinds = sorted(managing)
    for start in range(0, len(blinds), CHUNK):
        held = select(
            Identifier.account_id, Identifier.blind
        ).where(
            Identifier.kind == numbers.NATIONAL_ID,  # the index begins with it
            Identifier.blind.in_(blinds[start : start + CHUNK]),
            Identifier.ended_at.is_(None),
        )
        for row in await tx.execute(held):
            if row.account_id in people:
                found.setdefault(row.account_id, set()).add(row.blind)
    return found
