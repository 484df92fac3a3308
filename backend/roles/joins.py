"""Two accounts of one person become one when the person proves both (cases/roles.md, R26).

VNeID proves the account that stays, just now. The other one, a candidate by name and birth date with another kind of
number, is proved by its whole sign-in, password and code, which ends in a join instead of a session. What stands
in the way is said before anything changes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend import flows
from backend.accounts.codes import codes, otp, starts
from backend.accounts.codes.otp import CodeData, CodeStep
from backend.accounts.door import Door
from backend.accounts.identity import absorbing, candidates, people
from backend.accounts.identity.candidates import Candidate
from backend.accounts.models import Account
from backend.accounts.passwords import password_login, passwords
from backend.accounts.passwords.password_login import CredentialsWrong, Found
from backend.accounts.self import mine
from backend.accounts.ways_in import assurance
from backend.devices.entry import Who
from backend.devices.sessions import AccountFrozen
from backend.errors import Conflict
from backend.flows import Flow
from backend.kit import Kit
from backend.outbox import renewal
from backend.outbox.queue import REVOCATION
from backend.roles import policy
from backend.roles.models import Role, RoleRequest
from backend.roles.scope import systems_touched
from backend.support import notices

KIND = "join"
BOTH_ROLES, BOTH_ASK, STILL_UNDONE, CHANGED = "home_role", "role_request", "undo", "recently_changed"


class NotJoinable(Conflict):
    """The other account is not a candidate: another name or birth date, or the same kind of number."""

    code = "not_joinable"
    title = "Tài khoản kia không cùng họ tên, ngày sinh hoặc không phải tài khoản mở bằng số CMND nên không gộp được"


class JoinConflict(Conflict):
    """Something stands in the way of making two accounts one; `conflicts` names it, and nothing has changed."""

    code = "join_conflict"
    title = "Chưa gộp được hai tài khoản vì còn việc phải giải quyết trước"


class JoinData(CodeData, frozen=True, kw_only=True):
    """What a join remembers between its steps, encrypted: the other account, and the password that was right."""

    other: UUID
    stored: str


async def listed(tx: AsyncSession, kit: Kit, who: Who) -> list[Candidate]:
    """The accounts that may be the caller's too."""
    return await candidates.of(tx, kit, await tx.get_one(Account, who.account_id))


async def begin(
    door: Door, who: Who, *, number: str, password: str, captcha: str | None, address: str, now: datetime
) -> CodeStep:
    """Check the other account's number and password, and send the code to its phone.

    Wrong ones count as at its sign-in. Raises InsufficientAssurance, CredentialsWrong, NotJoinable, JoinConflict.
    """
    solved = door.captcha.check(captcha, now)
    name = number.strip().upper()
    async with door.db.write() as tx:
        _demand(who, await mine.locked(tx, who.account_id), door.kit, now=now)
        await door.captcha.spend(tx, solved, now=now)
        found = await password_login.find(tx, door.kit, name, who.jkt)
        tries = password_login.tries_of(found.account_id, name, address, found.known_key)
        spent = await password_login.count_try(tx, door.kit, tries, now)
        await starts.count(tx, door.kit, jkt=who.jkt, address=address, now=now, account=who.account_id)
    if not await password_login.is_right(door, found.stored, password, tries, spent, now):
        refusal = CredentialsWrong()
        refusal.later = partial(password_login.remember, door, found.account_id, tries, "", now)
        raise refusal
    return await _send_code(door, who, found, address, now)


async def _send_code(door: Door, who: Who, found: Found, address: str, now: datetime) -> CodeStep:
    assert found.account_id is not None
    async with door.db.write() as tx:
        stays, goes = await _both(tx, who.account_id, found.account_id)
        await _refuse(tx, door.kit, stays, goes, now=now)
        phones = [people.number_of(door.kit, one) for one in await people.phones_of(tx, goes.id)]
        if not phones:
            raise CredentialsWrong
        data = JoinData(
            other=goes.id,
            stored=found.stored or "",
            phone=phones[0],
            address=address,
            who=str(goes.id),
            owned=True,
            known_key=found.known_key,
        )
        await _still_proved(tx, door.kit, data)
        life = door.kit.limits.flow_lifetime
        flow = flows.start(
            tx, door.kit.keys, kind=KIND, step="otp", data=data, jkt=who.jkt, lifetime=life, now=now,
            account_id=stays.id,
        )  # fmt: skip
        owed, step = await otp.begin(tx, door.kit, flow, data, purpose=KIND, now=now)
    return await otp.deliver(door, owed, step, now)


async def send_again(door: Door, who: Who, flow_id: UUID, *, now: datetime) -> CodeStep:
    """The same code once more."""
    async with door.db.write() as tx:
        flow = await _own(tx, who, flow_id, now)
        data = flows.data_of(flow, door.kit.keys, JoinData)
        owed, step = await otp.again(tx, door.kit, flow, data, now=now)
    return await otp.deliver(door, owed, step, now)


async def give_code(door: Door, who: Who, flow_id: UUID, typed: str, *, now: datetime) -> dict[str, object]:
    """A right code proves the other account: the two are one when this returns; the account as it is shown."""
    async with door.db.read() as tx:
        await _own(tx, who, flow_id, now)
    code = await otp.guess(door, flow_id, typed, kind=KIND, jkt=who.jkt, now=now)
    async with door.db.write() as tx:
        flow = await _own(tx, who, flow_id, now)
        data = flows.data_of(flow, door.kit.keys, JoinData)
        requests = select(RoleRequest.id).where(RoleRequest.account_id.in_((who.account_id, data.other)))
        await tx.execute(requests.order_by(RoleRequest.id).with_for_update())
        stays, goes = await _both(tx, who.account_id, data.other)
        _demand(who, stays, door.kit, now=now, age=door.kit.limits.flow_lifetime)
        await _refuse(tx, door.kit, stays, goes, now=now)
        await _still_proved(tx, door.kit, data)
        await codes.consume(tx, code, now=now)
        await flows.advance(tx, door.kit.keys, flow, to="done")
        await _join(tx, door.kit, stays, goes, data.phone, now=now)
        await tx.refresh(stays)
        return await people.described(tx, door.kit, stays)


async def _still_proved(tx: AsyncSession, kit: Kit, data: JoinData) -> None:
    """Password and phone are the other account's now: whoever knows an old one proves nothing."""
    row = await passwords.current(tx, data.other)
    phones = [people.number_of(kit, one) for one in await people.phones_of(tx, data.other)]
    if row is None or row.hash != data.stored or data.phone not in phones:
        raise CredentialsWrong


async def _join(
    tx: AsyncSession, kit: Kit, stays: Account, goes: Account, phone: str, *, now: datetime
) -> None:
    """All of it in this transaction; systems hear of one person who leaves an account and is there under another."""
    (candidate,) = [one for one in await candidates.of(tx, kit, stays) if one.account_id == goes.id]
    held = select(Role.unit_id).where(Role.account_id == goes.id, Role.state == policy.ACTIVE)
    units = set(await tx.scalars(held))
    roles = update(Role).where(Role.account_id == goes.id).values(account_id=stays.id)
    asked = update(RoleRequest).where(RoleRequest.account_id == goes.id).values(account_id=stays.id)
    begun = update(RoleRequest).where(RoleRequest.created_by == goes.id)
    begun = begun.values(created_by=stays.id, idempotency_key=None, idempotency_print=None)
    for statement in (roles, asked, begun):
        await tx.execute(statement.execution_options(synchronize_session=False))
    await absorbing.absorb(tx, kit, stays, goes, proved_phone=phone, now=now)
    await renewal.renew(tx, [goes.id], now=now, lane=REVOCATION)
    touched = {system.id for system in await systems_touched(tx, units)}
    await renewal.renew(tx, [stays.id], now=now, also={stays.id: touched})
    notices.tell(tx, kit, stays.id, "accounts_joined", now=now, number=candidate.number)


async def _both(tx: AsyncSession, stays: UUID, goes: UUID) -> tuple[Account, Account]:
    """Both rows, held in one order for everybody; raises where one of them is not open any more."""
    for account_id in sorted({stays, goes}):
        await tx.execute(select(Account.id).where(Account.id == account_id).with_for_update())
    here = await mine.locked(tx, stays)
    there = await tx.get_one(Account, goes, populate_existing=True)
    if there.frozen_at is not None:
        raise AccountFrozen
    return here, there


async def _refuse(tx: AsyncSession, kit: Kit, stays: Account, goes: Account, *, now: datetime) -> None:
    """Raise what keeps two accounts from becoming one, before anything changes."""
    if goes.id not in {one.account_id for one in await candidates.of(tx, kit, stays)}:
        raise NotJoinable
    found = []
    if await _holds(tx, stays.id) and await _holds(tx, goes.id):
        found.append(BOTH_ROLES)
    if await _asks(tx, stays.id) and await _asks(tx, goes.id):
        found.append(BOTH_ASK)
    undo = now - timedelta(seconds=kit.limits.undo_window)
    fresh = exists().where(RoleRequest.account_id == goes.id, RoleRequest.decided_at > undo)
    if await tx.scalar(select(fresh.label("fresh"))):
        found.append(STILL_UNDONE)
    careful = now - timedelta(seconds=kit.limits.caution)
    if any(at is not None and at > careful for at in (goes.phone_changed_at, goes.recovered_at)):
        found.append(CHANGED)
    if found:
        raise JoinConflict(conflicts=found)


async def _holds(tx: AsyncSession, account_id: UUID) -> bool:
    held = select(Role.id).where(Role.account_id == account_id, Role.state.in_(policy.HELD))
    return await tx.scalar(held.limit(1)) is not None


async def _asks(tx: AsyncSession, account_id: UUID) -> bool:
    waits = select(RoleRequest.id).where(
        RoleRequest.account_id == account_id, RoleRequest.status.in_(policy.OPEN)
    )
    return await tx.scalar(waits.limit(1)) is not None


def _demand(who: Who, account: Account, kit: Kit, *, now: datetime, age: int = 0) -> None:
    """VNeID of level 2 or a certificate, just now; `age` more seconds for the time that the code takes."""
    assurance.demand_proved(who, kit.limits, now=now - timedelta(seconds=age))
    assurance.demand(who, account, kit.limits, now=now, careful=True)


async def _own(tx: AsyncSession, who: Who, flow_id: UUID, now: datetime) -> Flow:
    flow = await flows.find(tx, flow_id, kind=KIND, jkt=who.jkt, step="otp", now=now)
    if flow.account_id != who.account_id:
        raise flows.FlowNotFound
    return flow
