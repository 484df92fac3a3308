"""Of whom which system has to be told otherwise after the catalogue: whose post is called, or gives, something else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.outbox.models import Delivery, System
from backend.roles import policy
from backend.roles.catalogue.entries import Catalogue
from backend.roles.models import Role, Unit
from backend.roles.scope import in_scope, scope_of

Post = tuple[str, str]  # subject type, position


class Concerned(NamedTuple):
    """The people of one system, and those of them who lose a right there."""

    system_id: UUID
    system: str
    people: frozenset[UUID]
    losing: frozenset[UUID]


class Held(NamedTuple):
    """A role in force."""

    account_id: UUID
    post: Post
    path: str


async def concerned(
    tx: AsyncSession, before: Catalogue, after: Catalogue, *, now: datetime
) -> list[Concerned]:
    """Per connected system, where there is anybody; an undecided undo (ten seconds) counts as both of its posts."""
    posts = await _posts(tx)
    systems = await tx.scalars(select(System).where(System.disabled_at.is_(None)).order_by(System.name))
    found = []
    for system in systems.all():
        pairs = [(post, said(before, post, system.name), said(after, post, system.name)) for post in posts]
        changed = {post for post, old, new in pairs if old != new}
        if not changed:
            continue
        losing = {post for post, old, new in pairs if old[1].keys() - new[1].keys()}
        scope = await scope_of(tx, system)
        roles = [one for one in await _held(tx, changed) if in_scope(one.path, scope)]
        people = {one.account_id for one in roles} | await _undecided(tx, system.id, now)
        losers = frozenset(one.account_id for one in roles if one.post in losing)
        if people:
            found.append(Concerned(system.id, system.name, frozenset(people), losers))
    return found


def said(catalogue: Catalogue, post: Post, system: str) -> tuple[str, dict[str, str]]:
    """What a system hears of a post: its words, and the grants with theirs (backend/roles/desired.py)."""
    grants = catalogue.grants_of(*post, system)
    return str(catalogue.position_label(post[1])), {grant.code: grant.label for grant in grants}


async def _posts(tx: AsyncSession) -> Sequence[Post]:
    query = select(Role.subject_type, Role.position).where(Role.state == policy.ACTIVE).distinct()
    return [(row.subject_type, row.position) for row in await tx.execute(query)]


async def _held(tx: AsyncSession, posts: set[Post]) -> list[Held]:
    query = (
        select(Role.account_id, Role.subject_type, Role.position, Unit.path)
        .join(Unit, Unit.id == Role.unit_id)
        .join(Account, Account.id == Role.account_id)
        .where(Role.state == policy.ACTIVE, Account.status == "active")
        .where(Role.position.in_({position for _, position in posts}))
    )
    rows = (Held(row[0], (row[1], row[2]), row[3]) for row in await tx.execute(query))
    return [held for held in rows if held.post in posts]


async def _undecided(tx: AsyncSession, system_id: UUID, now: datetime) -> set[UUID]:
    """Whose decision may still be taken back: then they have again what they had, and nobody would tell it."""
    waiting = (Delivery.system_id == system_id, Delivery.state == "pending", Delivery.not_before > now)
    return set(await tx.scalars(select(Delivery.account_id).where(*waiting)))
