"""One person as a manager of theirs sees them: every role, what was asked and decided, what may be done (rule 820)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers
from backend.accounts.identity.people import full_names
from backend.kit import Kit
from backend.names import masked
from backend.outbox import states
from backend.outbox.states import SyncState
from backend.roles import acts, authority, movements, own, policy, rights, rows
from backend.roles.catalogue.in_force import in_force
from backend.roles.models import Role, RoleRequest, Unit
from backend.roles.views import RoleView
from backend.words import Label

MOST = 50


class PersonRole(msgspec.Struct, frozen=True):
    """A role, its position in words, and what the reader may do with it."""

    role: RoleView
    position: Label
    is_theirs: bool  # the reader's to act upon
    stands: bool  # on another role: it is ended and nothing else
    is_beside: bool  # a concurrent post


class PersonRequest(msgspec.Struct, frozen=True):
    """A request that the reader may see."""

    id: UUID
    movement: Label
    status: str
    unit: str
    created_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    sync: list[SyncState]


class Person(msgspec.Struct, frozen=True):
    """Everything on one page."""

    account_id: UUID
    name: str
    national_id: str
    roles: list[PersonRole]
    requests: list[PersonRequest]
    is_suspended: bool


async def person(tx: AsyncSession, kit: Kit, account_id: UUID, reader: UUID, *, now: datetime) -> Person:
    """A person of the reader's (rights.is_theirs); RoleNotFound for anybody else (rule 613)."""
    who = await authority.of(tx, kit, reader, now=now)
    held = select(Role, Unit).join(Unit, Unit.id == Role.unit_id)
    rows_now = {
        role.id: (role, unit) for role, unit in await tx.execute(held.where(Role.account_id == account_id))
    }
    managers = await rights.managers_over(tx, [unit.path for _, unit in rows_now.values()], on=who.today)
    own_blinds = set(await numbers.blinds_of(tx, kit, account_id))
    paths = [unit.path for role, unit in rows_now.values() if role.state != policy.UNDONE]
    if not any(rights.is_theirs(who, path, managers, own_blinds) for path in paths):
        raise policy.RoleNotFound
    catalogue = await in_force(tx)
    roles = [
        PersonRole(
            shown,
            catalogue.position_label(shown.position),
            is_theirs=shown.state in policy.HELD
            and reader != account_id
            and who.decides(rights.decider(rows_now[shown.id][1].path, managers, own_blinds)),
            stands=rows_now[shown.id][0].stands_on is not None,
            is_beside=not rows_now[shown.id][0].is_home,
        )
        for shown in await own.roles_of(tx, kit, account_id)
    ]
    number = (await numbers.personal(tx, kit, [account_id])).get(account_id, "")
    return Person(
        account_id,
        (await full_names(tx, kit, [account_id]))[account_id],
        masked(number),
        roles,
        await _requests(tx, kit, account_id, who, now),
        is_suspended=await acts.halting(tx, account_id) is not None,
    )


async def _requests(
    tx: AsyncSession, kit: Kit, account_id: UUID, who: authority.Authority, now: datetime
) -> list[PersonRequest]:
    query = select(RoleRequest).where(RoleRequest.account_id == account_id)
    asked = (await tx.scalars(query.order_by(RoleRequest.id.desc()).limit(MOST))).all()
    stands = {
        one.id: await rights.standing(tx, kit, one, await rows.steps_of(tx, one.id), who) for one in asked
    }
    seen = [one for one in asked if stands[one.id].sees]
    names = await full_names(tx, kit, {one.decided_by for one in seen if one.decided_by})
    named = select(Unit.id, Unit.name).where(Unit.id.in_({one.unit_id for one in seen}))
    units = {row.id: row.name for row in await tx.execute(named)}
    sync, catalogue = await states.states_for_requests(tx, [one.id for one in seen], now), await in_force(tx)
    return [
        PersonRequest(
            one.id,
            catalogue.movement_label(movements.of(one).code),
            one.status,
            units[one.unit_id],
            one.created_at,
            one.decided_at,
            names.get(one.decided_by) if one.decided_by else None,
            sync[one.id],
        )
        for one in seen
    ]
