"""Two accounts of one person become one when the person proves both (case R26).

VNeID proves the account that stays, just now. The other one, a candidate by name and birth date with another kind of
number, is proved by its whole sign-in, password and code, which ends in a join instead of a session. What stands
in the way is said before anything changes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

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
from backend.flows import Flow
from backend.kit import Kit
from backend.roles import uniting
from backend.support import notices

KIND = "join"


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
        await uniting.refuse(tx, door.kit, stays, goes, now=now)
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
        await uniting.hold_requests(tx, who.account_id, data.other)
        stays, goes = await _both(tx, who.account_id, data.other)
        _demand(who, stays, door.kit, now=now, age=door.kit.limits.flow_lifetime)
        await uniting.refuse(tx, door.kit, stays, goes, now=now)
        await _still_proved(tx, door.kit, data)
        await codes.consume(tx, code, now=now)
        await flows.advance(tx, door.kit.keys, flow, to="done")
        proof = absorbing.Proof("password", by=stays.id, phone=data.phone)
        number = await uniting.unite(tx, door.kit, stays, goes, proof, now=now)
        notices.tell(tx, door.kit, stays.id, "accounts_joined", now=now, number=number)
        await tx.refresh(stays)
        return await people.described(tx, door.kit, stays)


async def _still_proved(tx: AsyncSession, kit: Kit, data: JoinData) -> None:
    """Password and phone are the other account's now: whoever knows an old one proves nothing."""
    row = await passwords.current(tx, data.other)
    phones = [people.number_of(kit, one) for one in await people.phones_of(tx, data.other)]
    if row is None or row.hash != data.stored or data.phone not in phones:
        raise CredentialsWrong


async def _both(tx: AsyncSession, stays: UUID, goes: UUID) -> tuple[Account, Account]:
    """Both rows, held; raises where one of them is not open any more."""
    await uniting.hold_accounts(tx, stays, goes)
    here = await mine.locked(tx, stays)
    there = await tx.get_one(Account, goes, populate_existing=True)
    if there.frozen_at is not None:
        raise AccountFrozen
    return here, there


def _demand(who: Who, account: Account, kit: Kit, *, now: datetime, age: int = 0) -> None:
    """VNeID of level 2 or a certificate, just now; `age` more seconds for the time that the code takes."""
    assurance.demand_proved(who, kit.limits, now=now - timedelta(seconds=age))
    assurance.demand(who, account, kit.limits, now=now, careful=True)


async def _own(tx: AsyncSession, who: Who, flow_id: UUID, now: datetime) -> Flow:
    flow = await flows.find(tx, flow_id, kind=KIND, jkt=who.jkt, step="otp", now=now)
    if flow.account_id != who.account_id:
        raise flows.FlowNotFound
    return flow
