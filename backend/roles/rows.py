"""Locked rows and the one way in which a request changes its state (rule 611).

The order of locks is the same everywhere: the tree, the request, then the account, then the
managers' rights. Roles are written only while their account is locked, and come into force only
while the tree stands.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key

from backend.account import Account
from backend.db import lock_key, one_after_another
from backend.objects import Making, Pairs, Reading
from backend.outbox.bell import REQUESTS, ring_after
from backend.outside.clock import LOCAL
from backend.roles import policy
from backend.roles.models import RequestStep, Role, RoleRequest, Unit
from backend.statements import Act, Question, by_number, given, listed, one_of

FRESH = {"populate_existing": True}
CHUNK = 500  # accounts in one statement
TREE = "units"  # one change of the tree after another


class Place(NamedTuple):
    """Where a role is, and whether it is the home role."""

    unit_id: UUID
    is_home: bool


class Bumped(NamedTuple):
    """The new version of somebody's roles."""

    role_version: int


class Applied(NamedTuple):
    """When a request became true, and the version of the person's roles then."""

    applied_at: datetime | None
    role_version: int | None


NOT_YET = Applied(None, None)
REQUEST_HELD = Reading(
    RoleRequest,
    lambda query: query.where(RoleRequest.id == given("request", RoleRequest.id)).with_for_update(),
)
ACCOUNT_HELD = Reading(
    Account,
    lambda query: query.where(Account.id == given("account", Account.id)).with_for_update(key_share=True),
)
STEPS = Pairs(
    RequestStep,
    Unit,
    lambda query: (
        query.join(Unit, Unit.id == RequestStep.unit_id)
        .where(RequestStep.request_id == given("request", RequestStep.request_id))
        .order_by(RequestStep.position)
    ),
)
REQUEST = Reading(RoleRequest, lambda query: query.where(RoleRequest.id == given("request", RoleRequest.id)))
ACCOUNT = Reading(Account, lambda query: query.where(Account.id == given("account", Account.id)))
ROLE = Reading(Role, lambda query: query.where(Role.id == given("role", Role.id)))
UNIT = Reading(Unit, lambda query: query.where(Unit.id == given("unit", Unit.id)))
UNIT_NAMED = Reading(
    Unit,
    lambda query: query.where(
        or_(Unit.id == given("unit", Unit.id), Unit.code == given("code", Unit.code))
    ).limit(1),
)
NEW_REQUEST, NEW_STEP, NEW_ROLE = Making(RoleRequest), Making(RequestStep), Making(Role)
PLACES_HELD = Question(
    Place,
    select(Role.unit_id, Role.is_home).where(
        Role.account_id == given("account", Role.account_id), one_of("state", len(policy.HELD), Role.state)
    ),
)


MOVE = Act(
    update(RoleRequest)
    .where(
        RoleRequest.id == given("request", RoleRequest.id),
        RoleRequest.status == given("was", RoleRequest.status),
        RoleRequest.version == given("seen", RoleRequest.version),
    )
    .values(
        status=given("to", RoleRequest.status),
        version=RoleRequest.version + 1,
        decided_at=given("decided_at", RoleRequest.decided_at),
        decided_by=given("decided_by", RoleRequest.decided_by),
        applied_at=func.coalesce(given("applied_at", RoleRequest.applied_at), RoleRequest.applied_at),
        role_version=func.coalesce(given("role_version", RoleRequest.role_version), RoleRequest.role_version),
    )
)
SAY = Act(  # a step takes one word, and waits for nobody from then on
    update(RequestStep)
    .where(RequestStep.id == given("step", RequestStep.id), RequestStep.decision.is_(None))
    .values(
        decision=given("word", RequestStep.decision),
        by=given("speaker", RequestStep.by),
        at=given("said_at", RequestStep.at),
        reason=given("why", RequestStep.reason),
        delegation_id=given("delegation_id", RequestStep.delegation_id),
        is_above=given("is_above", RequestStep.is_above),
        decider_id=None,
        above_id=None,
    )
)
BUMP = Question(
    Bumped,
    update(Account)
    .where(Account.id == given("account", Account.id))
    .values(version=Account.version + 1, role_version=Account.role_version + 1)
    .returning(Account.role_version),
)


@by_number
def home_in(count: int) -> Reading[Role]:
    """Somebody's home role in one of so many states."""
    theirs = Role.account_id == given("account", Role.account_id)
    return Reading(
        Role,
        lambda query: (
            query.where(theirs, Role.is_home, one_of("state", count, Role.state)).order_by(Role.id).limit(1)
        ),
    )


async def request_locked(tx: AsyncSession, request_id: UUID) -> RoleRequest | None:
    """The request as it is now, kept from changing until the commit."""
    return await REQUEST_HELD.maybe(tx, request=request_id)


async def account_locked(tx: AsyncSession, account_id: UUID) -> Account:
    """The account as it is now; holding it, nobody else changes the person's roles."""
    return await ACCOUNT_HELD.one(tx, account=account_id)


async def tree_stands(tx: AsyncSession, *, wait: bool = True) -> bool:
    """No unit ends, moves or changes until the commit: what is read of it is so when a role comes into force.

    Asked before any row is locked: whoever changes the tree keeps everybody's accounts from changing, and would wait
    for ours while we wait for the tree. False when it changes just now and the caller does not `wait`.
    """
    if not wait and tx.get_bind().dialect.name == "postgresql":
        return bool(await tx.scalar(select(func.pg_try_advisory_xact_lock_shared(lock_key(TREE)))))
    await one_after_another(tx, TREE, leaning=True)
    return True


async def steps_of(tx: AsyncSession, request_id: UUID) -> list[RequestStep]:
    """The steps in their order with their units, as they are now."""
    found = await STEPS.all(tx, request=request_id)
    for step, unit in found:
        set_committed_value(step, "unit", unit)
    return [step for step, _ in found]


async def role_now(tx: AsyncSession, role_id: UUID | None) -> Role | None:
    """The role as it is now."""
    return await ROLE.maybe(tx, role=role_id) if role_id is not None else None


async def home_role(tx: AsyncSession, account_id: UUID, *states: str) -> Role | None:
    """The person's home role in one of the states."""
    return await home_in(len(states)).maybe(tx, account=account_id, **listed("state", states))


async def account_of(tx: AsyncSession, account_id: UUID) -> Account:
    """The account, read where this transaction has not read it."""
    known: Account | None = tx.identity_map.get(identity_key(Account, account_id))
    return known if known is not None else await ACCOUNT.one(tx, account=account_id)


async def request_of(tx: AsyncSession, request_id: UUID) -> RoleRequest | None:
    """The request, read where this transaction has not read it."""
    known: RoleRequest | None = tx.identity_map.get(identity_key(RoleRequest, request_id))
    return known if known is not None else await REQUEST.maybe(tx, request=request_id)


async def unit_of(tx: AsyncSession, unit_id: UUID) -> Unit:
    """The unit, read where this transaction has not read it."""
    known: Unit | None = tx.identity_map.get(identity_key(Unit, unit_id))
    return known if known is not None else await UNIT.one(tx, unit=unit_id)


async def places_held(tx: AsyncSession, account_id: UUID) -> list[Place]:
    """Where the person has, or will have, a role."""
    return await PLACES_HELD.all(tx, account=account_id, **listed("state", policy.HELD))


async def units_held(tx: AsyncSession, account_id: UUID) -> set[UUID]:
    """In which units that is."""
    return {one.unit_id for one in await places_held(tx, account_id)}


async def move(
    tx: AsyncSession,
    found: RoleRequest,
    *,
    to: str,
    decided_at: datetime | None,
    decided_by: UUID | None,
    applied: Applied | None = None,
    **values: object,
) -> None:
    """Take one edge of the state machine; whoever comes second gets AlreadyDecided.

    `applied`: what this transaction will make of it, and writes once more only if it comes otherwise.
    """
    seen = {"request": found.id, "was": found.status, "seen": found.version}
    so = {"decided_at": decided_at, "decided_by": decided_by}
    if await MOVE.touched(tx, to=to, **so, **(applied or NOT_YET)._asdict(), **seen) == 0:
        raise policy.AlreadyDecided(**last_word(found))
    as_it_is = {"status": to, "version": found.version + 1, **so, **(applied._asdict() if applied else {})}
    for name, value in as_it_is.items():
        set_committed_value(found, name, value)
    for name, value in values.items():
        setattr(found, name, value)
    if to not in {policy.PENDING, policy.APPROVED}:  # nobody is waited for any more
        paths = (await tx.scalars(_paths_of(found.id))).all()
        over = (
            update(RequestStep)
            .where(RequestStep.request_id == found.id)
            .values(decider_id=None, above_id=None)
        )
        await tx.execute(over.execution_options(synchronize_session=False))
        tell_pages(tx, paths)


def tell_pages(tx: AsyncSession, paths: Iterable[str]) -> None:
    """Open pages of whoever decides for units of these paths look again when this is committed (live.py)."""
    for path in set(paths):
        ring_after(tx, f"{REQUESTS}:{path}")


def _paths_of(request_id: UUID) -> Select[str]:
    steps = select(Unit.path).join(RequestStep, RequestStep.unit_id == Unit.id)
    return steps.where(RequestStep.request_id == request_id)


async def bump(tx: AsyncSession, account_id: UUID) -> int:
    """The person's roles look different now: the next version of them (and of what `GET /v1/me` shows)."""
    return (await BUMP.one(tx, account=account_id)).role_version


async def accounts_locked(tx: AsyncSession, accounts: Iterable[UUID]) -> None:
    """Hold many accounts until the commit, in one order for everybody."""
    ids = sorted(accounts)
    for start in range(0, len(ids), CHUNK):
        query = select(Account.id).where(Account.id.in_(ids[start : start + CHUNK])).order_by(Account.id)
        await tx.execute(query.with_for_update(key_share=True))


def last_word(found: RoleRequest) -> dict[str, Any]:
    """What may be told to somebody who came too late; never a name."""
    at = found.decided_at.astimezone(LOCAL).isoformat(timespec="seconds") if found.decided_at else None
    return {"decision": found.status, "at": at}


def stamp(now: datetime, *, by: UUID) -> dict[str, Any]:
    """Who decided a request, and when."""
    return {"decided_at": now, "decided_by": by}
