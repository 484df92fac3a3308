"""One person as a manager of theirs sees them: every role, what was asked and decided, what may be done (rule 820)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend import paging
from backend.accounts.identity import numbers
from backend.accounts.identity.people import full_names
from backend.kit import Kit
from backend.names import masked
from backend.outbox import states
from backend.outbox.states import SyncState
from backend.roles import acts, authority, cancelling, movements, policy, posts, rights, sight
from backend.roles.catalogue.in_force import in_force
from backend.roles.models import Role, RoleRequest, Unit
from backend.roles.views import Page, RoleView
from backend.words import Label

SHOWN, STRETCH = 20, 25  # of roles that have ended and of requests: on a page; and looked through for it


class Place(msgspec.Struct, frozen=True):
    """From where each of the two lists is shown."""

    roles: str = ""
    requests: str = ""


START = Place()


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
    planned_on: date | None  # of what is granted for a day to come
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
    roles: Page[PersonRole]
    requests: Page[PersonRequest]
    is_suspended: bool


async def person(
    tx: AsyncSession, kit: Kit, account_id: UUID, reader: UUID, *, now: datetime, place: Place = START
) -> Person:
    """A person of the reader's (rights.is_theirs); RoleNotFound for anybody else (rule 613)."""
    who = await authority.of(tx, kit, reader, now=now)
    paths = list(await tx.scalars(_paths(account_id)))
    own_blinds = set(await numbers.blinds_of(tx, kit, account_id))
    managers = await rights.managers_over(tx, paths, on=who.today)
    if not any(rights.is_theirs(who, path, managers, own_blinds) for path in paths):
        raise policy.RoleNotFound
    catalogue = await in_force(tx)
    held = await posts.of(tx, account_id, cursor=place.roles or None, most=SHOWN)
    roles = [
        PersonRole(
            shown,
            catalogue.position_label(shown.position),
            is_theirs=shown.state in policy.HELD
            and reader != account_id
            and who.decides(rights.decider(post.path, managers, own_blinds)),
            stands=post.stands_on is not None,
            is_beside=not post.is_home,
        )
        for post, shown in zip(held.items, await posts.shown(tx, kit, account_id, held.items), strict=True)
    ]
    number = (await numbers.personal(tx, kit, [account_id])).get(account_id, "")
    return Person(
        account_id,
        (await full_names(tx, kit, [account_id]))[account_id],
        masked(number),
        Page(roles, held.next_cursor),
        await _requests(tx, kit, account_id, who, now, place.requests),
        is_suspended=await acts.halting(tx, account_id) is not None,
    )


def _paths(account_id: UUID) -> Select[str]:
    """Where somebody has or had a role, whatever was taken back left out."""
    held = select(Role.unit_id).where(Role.account_id == account_id, Role.state != policy.UNDONE)
    return select(Unit.path).where(Unit.id.in_(held))


async def _requests(
    tx: AsyncSession, kit: Kit, account_id: UUID, who: authority.Authority, now: datetime, cursor: str
) -> Page[PersonRequest]:
    """The newest of a stretch of them that the reader may see; a page may be short, and another follow."""
    query = select(RoleRequest).where(RoleRequest.account_id == account_id)
    if cursor:
        query = query.where(RoleRequest.id < paging.uuid_of(cursor))
    found = (await tx.scalars(query.order_by(RoleRequest.id.desc()).limit(STRETCH + 1))).all()
    stretch, beyond = paging.cut(found, STRETCH)
    seen = await sight.known(tx, kit, who, stretch)
    shown, more = paging.cut([one for one in stretch if one.id in seen], SHOWN)
    last = shown[-1] if more else stretch[-1] if beyond else None
    return Page(await _lines(tx, kit, shown, now), paging.cursor_of(str(last.id)) if last else None)


async def _lines(
    tx: AsyncSession, kit: Kit, shown: Sequence[RoleRequest], now: datetime
) -> list[PersonRequest]:
    names = await full_names(tx, kit, {one.decided_by for one in shown if one.decided_by})
    named = select(Unit.id, Unit.name).where(Unit.id.in_({one.unit_id for one in shown}))
    units = {row.id: row.name for row in await tx.execute(named)}
    sync, catalogue = await states.states_for_requests(tx, [one.id for one in shown], now), await in_force(tx)
    return [
        PersonRequest(
            one.id,
            catalogue.movement_label(movements.of(one).code),
            one.status,
            one.effective_on if cancelling.is_to_come(one, now) else None,
            units[one.unit_id],
            one.created_at,
            one.decided_at,
            names.get(one.decided_by) if one.decided_by else None,
            sync[one.id],
        )
        for one in shown
    ]
