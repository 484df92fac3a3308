"""Which systems a plan concerns, and who comes or goes there (rule 640)."""

from __future__ import annotations

from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers
from backend.kit import Kit
from backend.names import masked
from backend.outbox.models import System
from backend.roles import policy, rights, undecided
from backend.roles.models import Role
from backend.roles.reorganising import acts
from backend.roles.reorganising.plan import Plan
from backend.roles.scope import in_scope, scope_of

CHUNK = 500


class AtSystem(msgspec.Struct, frozen=True):
    """One connected system: who comes to it, who goes, of whom it is told something else."""

    system: str
    gains: frozenset[UUID]
    loses: frozenset[UUID]
    changes: int


async def at_systems(tx: AsyncSession, plan: Plan) -> list[AtSystem]:
    """Per connected system; a role that waits or is to come counts for none."""
    before = {place.id: place.path for place in plan.known.values()}
    after = {place.id: place.path for place in plan.after.values()}
    ids = {code: place.id for code, place in plan.known.items()}
    going = {one.role: ids[one.target] for one in plan.going}
    names = {place.id: place.name for place in plan.known.values()}
    otherwise = {place.id for place in plan.after.values() if names[place.id] != place.name}
    query = select(Role.id, Role.account_id, Role.unit_id).where(Role.state == policy.ACTIVE)
    roles = [(row[1], row[2], going.get(row[0], row[2])) for row in await tx.execute(query)]
    touched = {
        who
        for who, old, new in roles
        if old != new or before[old] != after[new] or not otherwise.isdisjoint(_way(after[new]))
    }
    roles = [one for one in roles if one[0] in touched]
    found = []
    systems = select(System).where(System.disabled_at.is_(None)).order_by(System.name)
    for system in (await tx.scalars(systems)).all():
        scope = await scope_of(tx, system)
        tops = None if scope is None else {after[UUID(top.strip("/").split("/")[-1])] for top in scope}
        was = frozenset(who for who, old, _ in roles if in_scope(before[old], scope))
        will = frozenset(
            who for who, _, new in roles if in_scope(after[new], None if tops is None else list(tops))
        )
        found.append(AtSystem(system.name, will - was, was - will, len(was & will)))
    return found


class Concerns(msgspec.Struct, frozen=True):
    """What somebody should know first: codes of units that gain people and have nobody in charge, and open requests
    that nobody would decide.
    """

    vacant: list[str]
    undecided: int


async def concerns(tx: AsyncSession, plan: Plan) -> Concerns:
    """Both, as things would be afterwards."""
    managed = await rights.managers_by_unit(tx, on=None)
    gaining = {one.target for one in plan.going}
    vacant = [code for code in sorted(gaining) if plan.known[code].id not in managed]
    over = {plan.known[code].id for code in acts.closing(plan.wanted.acts)}
    paths = {place.id: place.path for place in plan.after.values()}
    heirs = {
        plan.known[one].id: paths[plan.known[two].id]
        for one, two in acts.successors(plan.wanted.acts).items()
    }
    rest = {unit: held for unit, held in managed.items() if unit not in over}
    lost = (await undecided.deciders(tx)).lost(paths=paths | heirs, managers=rest)
    return Concerns(vacant, len(lost))


async def named(tx: AsyncSession, kit: Kit, people: frozenset[UUID]) -> list[str]:
    """Their masked numbers, in order."""
    every, shown = sorted(people), []
    for start in range(0, len(every), CHUNK):
        known = await numbers.personal(tx, kit, every[start : start + CHUNK])
        shown += [masked(known.get(one, "")) for one in every[start : start + CHUNK]]
    return shown


def _way(path: str) -> set[UUID]:
    return {UUID(part) for part in path.strip("/").split("/")}
