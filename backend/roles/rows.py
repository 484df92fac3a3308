"""Locked rows and the one way in which a request changes its state (rule 611).

The order of locks is the same everywhere: the tree, the request, then the account, then the
managers' rights. Roles are written only while their account is locked, and come into force only
while the tree stands.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload

from backend.account import Account
from backend.db import lock_key, one_after_another
from backend.outbox.bell import REQUESTS, ring_after
from backend.outside.clock import LOCAL
from backend.roles import policy
from backend.roles.models import RequestStep, Role, RoleRequest, Unit

FRESH = {"populate_existing": True}
CHUNK = 500  # accounts in one statement
TREE = "units"  # one change of the tree after another


async def request_locked(tx: AsyncSession, request_id: UUID) -> RoleRequest | None:
    """The request as it is now, kept from changing until the commit."""
    query = select(RoleRequest).where(RoleRequest.id == request_id).with_for_update()
    return (await tx.execute(query.execution_options(**FRESH))).scalar_one_or_none()


async def account_locked(tx: AsyncSession, account_id: UUID) -> Account:
    """The account as it is now; holding it, nobody else changes the person's roles."""
    query = select(Account).where(Account.id == account_id).with_for_update(key_share=True)
    return (await tx.execute(query.execution_options(**FRESH))).scalar_one()


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
    query = select(RequestStep).where(RequestStep.request_id == request_id).order_by(RequestStep.position)
    query = query.options(joinedload(RequestStep.unit))
    return list((await tx.execute(query.execution_options(**FRESH))).scalars())


async def role_now(tx: AsyncSession, role_id: UUID | None) -> Role | None:
    """The role as it is now."""
    if role_id is None:
        return None
    query = select(Role).where(Role.id == role_id).execution_options(**FRESH)
    return (await tx.execute(query)).scalar_one_or_none()


async def home_role(tx: AsyncSession, account_id: UUID, *states: str) -> Role | None:
    """The person's home role in one of the states."""
    query = select(Role).where(Role.account_id == account_id, Role.is_home, Role.state.in_(states))
    return (
        await tx.execute(query.order_by(Role.id).limit(1).execution_options(**FRESH))
    ).scalar_one_or_none()


async def units_held(tx: AsyncSession, account_id: UUID) -> set[UUID]:
    """Where the person has, or will have, a role."""
    held = select(Role.unit_id).where(Role.account_id == account_id, Role.state.in_(policy.HELD))
    return set(await tx.scalars(held))


async def move(tx: AsyncSession, found: RoleRequest, *, to: str, **values: object) -> None:
    """Take one edge of the state machine; whoever comes second gets AlreadyDecided."""
    moved = (
        update(RoleRequest)
        .where(
            RoleRequest.id == found.id,
            RoleRequest.status == found.status,
            RoleRequest.version == found.version,
        )
        .values(status=to, version=found.version + 1, **values)
        .returning(RoleRequest)
    )
    await tx.flush()
    as_it_is = moved.execution_options(synchronize_session=False, **FRESH)
    if (await tx.execute(as_it_is)).scalar_one_or_none() is None:
        raise policy.AlreadyDecided(**last_word(found))
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
    query = (
        update(Account)
        .where(Account.id == account_id)
        .values(version=Account.version + 1, role_version=Account.role_version + 1)
        .returning(Account.role_version)
        .execution_options(synchronize_session=False)
    )
    return int((await tx.execute(query)).scalar_one())


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


def stamp(now: datetime, *, by: UUID) -> dict[str, object]:
    """Who decided a request, and when."""
    return {"decided_at": now, "decided_by": by}
