"""Two accounts of one person made one: what stands in the way, and all of it in one transaction (case R26).

Whether they are one person's is for the caller to know: by proof of both (`backend.roles.joins`), or by two clerks of a
desk (`backend.roles.desk_joins`). What stands in the way is said before anything changes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.identity import absorbing, candidates, correcting
from backend.accounts.identity.absorbing import Proof
from backend.appointment import Appointment
from backend.errors import Conflict
from backend.kit import Kit
from backend.outbox import renewal
from backend.outbox.queue import REVOCATION
from backend.roles import deciding, own, policy
from backend.roles.models import RequestStep, Role, RoleRequest
from backend.roles.opened import Opened
from backend.roles.scope import systems_touched

BOTH_ROLES, BOTH_ASK, STILL_UNDONE, CHANGED = "home_role", "role_request", "undo", "recently_changed"


class NotJoinable(Conflict):
    """The other account is not a candidate: another name or birth date, or the same kind of number."""

    code = "not_joinable"
    title = "Tài khoản kia không cùng họ tên, ngày sinh hoặc không phải tài khoản mở bằng số CMND nên không gộp được"


class JoinConflict(Conflict):
    """Something stands in the way of making two accounts one; `conflicts` names it, and nothing has changed."""

    code = "join_conflict"
    title = "Chưa gộp được hai tài khoản vì còn việc phải giải quyết trước"


async def hold_requests(tx: AsyncSession, *accounts: UUID) -> None:
    """Requests are held before accounts, as whoever decides about them does."""
    requests = select(RoleRequest.id).where(RoleRequest.account_id.in_(accounts))
    await tx.execute(requests.order_by(RoleRequest.id).with_for_update())


async def hold_accounts(tx: AsyncSession, *accounts: UUID) -> None:
    """The rows of both, held in one order for everybody."""
    for account_id in sorted(set(accounts)):
        await tx.execute(select(Account.id).where(Account.id == account_id).with_for_update())


async def refuse(tx: AsyncSession, kit: Kit, stays: Account, goes: Account, *, now: datetime) -> None:
    """Raise what keeps two accounts from becoming one, before anything changes: NotJoinable, JoinConflict."""
    if goes.id not in {one.account_id for one in await candidates.of(tx, kit, stays)}:
        raise NotJoinable
    found = []
    if await own.holds_role(tx, stays.id) and await own.holds_role(tx, goes.id):
        found.append(BOTH_ROLES)
    if await _asks(tx, stays.id) and await _asks(tx, goes.id):
        found.append(BOTH_ASK)
    undo = now - timedelta(seconds=kit.limits.undo_window)
    fresh = exists().where(RoleRequest.account_id == goes.id, RoleRequest.decided_at > undo)
    if await tx.scalar(select(fresh.label("fresh"))):
        found.append(STILL_UNDONE)
    if changed_lately(kit, goes, now):
        found.append(CHANGED)
    if found:
        raise JoinConflict(conflicts=found)


def changed_lately(kit: Kit, account: Account, now: datetime) -> bool:
    """Whether phone or password came anew within a day, by somebody who need not be the owner (rule 162)."""
    careful = now - timedelta(seconds=kit.limits.caution)
    return any(at is not None and at > careful for at in (account.phone_changed_at, account.recovered_at))


async def unite(
    tx: AsyncSession, kit: Kit, stays: Account, goes: Account, proof: Proof, *, now: datetime
) -> str:
    """All of it; systems hear of one person who leaves an account and is there under another. The number, masked."""
    (candidate,) = [one for one in await candidates.of(tx, kit, stays) if one.account_id == goes.id]
    held = select(Role.unit_id).where(Role.account_id == goes.id, Role.state == policy.ACTIVE)
    units = set(await tx.scalars(held))
    roles = update(Role).where(Role.account_id == goes.id).values(account_id=stays.id)
    asked = update(RoleRequest).where(RoleRequest.account_id == goes.id).values(account_id=stays.id)
    begun = update(RoleRequest).where(RoleRequest.created_by == goes.id)
    begun = begun.values(created_by=stays.id, idempotency_key=None, idempotency_print=None)
    spoken = select(RequestStep.request_id).where(RequestStep.by == goes.id)
    words = [
        update(RoleRequest).where(column == goes.id, RoleRequest.id.in_(spoken)).values({column: stays.id})
        for column in (RoleRequest.decided_by, RoleRequest.kept_by)
    ]
    said = update(RequestStep).where(RequestStep.by == goes.id).values(by=stays.id)  # four eyes count people
    lent = update(Appointment).where(Appointment.by == goes.id).values(by=stays.id)
    looks = delete(Opened).where(Opened.account_id == goes.id)
    for statement in (roles, asked, begun, *words, said, lent, looks):
        await tx.execute(statement.execution_options(synchronize_session=False))
    await correcting.over(tx, kit, goes.id, by=proof.by, now=now)
    await absorbing.absorb(tx, kit, stays, goes, proof, now=now)
    await deciding.person_changed(tx, kit, stays.id)
    await renewal.renew(tx, [goes.id], now=now, lane=REVOCATION)
    touched = {system.id for system in await systems_touched(tx, units)}
    await renewal.renew(tx, [stays.id], now=now, also={stays.id: touched})
    return candidate.number


async def _asks(tx: AsyncSession, account_id: UUID) -> bool:
    waits = select(RoleRequest.id).where(
        RoleRequest.account_id == account_id, RoleRequest.status.in_(policy.OPEN)
    )
    return await tx.scalar(waits.limit(1)) is not None
