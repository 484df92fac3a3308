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
from backend.account import Account
from backend.accounts.codes import codes, otp, starts
from backend.accounts.codes.otp import CodeData, CodeStep
from backend.accounts.door import Door
from backend.accounts.identity import absorbing, candidates, people
from backend.accounts.identity.candidates import Candidate
from backend.accounts.passwords import password_login, passwords
from backend.accounts.passwords.password_login import CredentialsWrong, Found
from backend.accounts.self import mine
from backend.accounts.ways_in import assurance
from backend.caller import Caller, Who
from backend.devices.sessions import AccountFrozen
from backend.kit import Kit
from backend.roles import uniting
from backend.support import notices


class JoinData(CodeData, frozen=True, kw_only=True):
    """What a join remembers between its steps, encrypted: the other account, and the password that was right."""

    other: UUID
    stored: str


JOIN = flows.Kind("join", JoinData, own=True)


async def listed(tx: AsyncSession, kit: Kit, who: Who) -> list[Candidate]:
    """The accounts that may be the caller's too."""
    return await candidates.of(tx, kit, await tx.get_one(Account, who.account_id))


async def begin(door: Door, caller: Caller, *, number: str, password: str, captcha: str | None) -> CodeStep:
    """Check the other account's number and password, and send the code to its phone.

    Wrong ones count as at its sign-in. Raises InsufficientAssurance, CredentialsWrong, NotJoinable, JoinConflict.
    """
    who, now = caller.me, caller.now
    solved = door.captcha.check(captcha, now)
    name = number.strip().upper()
    async with door.db.write() as tx:
        _demand(who, await mine.held(tx, who), door.kit, now=now)
        await door.captcha.spend(tx, solved, now=now)
        found = await password_login.find(tx, door.kit, name, caller.jkt)
        tries = password_login.tries_of(found.account_id, name, caller.address, found.known_key)
        spent = await password_login.count_try(tx, door.kit, tries, now)
        await starts.count(tx, door.kit, caller, account=who.account_id)
    if not await password_login.is_right(door, found.stored, password, tries, spent, now):
        refusal = CredentialsWrong()
        refusal.later = partial(password_login.remember, door, found.account_id, tries, "", now)
        raise refusal
    return await _send_code(door, caller, found)


async def _send_code(door: Door, caller: Caller, found: Found) -> CodeStep:
    assert found.account_id is not None
    async with door.db.write() as tx:
        stays, goes = await _both(tx, caller.me, found.account_id)
        await uniting.refuse(tx, door.kit, stays, goes, now=caller.now)
        phones = [people.number_of(door.kit, one) for one in await people.phones_of(tx, goes.id)]
        if not phones:
            raise CredentialsWrong
        data = JoinData(
            other=goes.id,
            stored=found.stored or "",
            phone=phones[0],
            address=caller.address,
            who=str(goes.id),
            owned=True,
            known_key=found.known_key,
        )
        await _still_proved(tx, door.kit, data)
        owed, step = await otp.begin(await JOIN.start(tx, door.kit, caller, "otp", data))
    return await otp.deliver(door, owed, step)


async def give_code(door: Door, caller: Caller, flow_id: UUID, typed: str) -> dict[str, object]:
    """A right code proves the other account: the two are one when this returns; the account as it is shown."""
    code = await otp.guess(door, JOIN, flow_id, typed, caller)
    kit, now = door.kit, caller.now
    async with door.db.write() as tx:
        flow = await JOIN.find(tx, kit, flow_id, caller, "otp")
        data = flow.data
        await uniting.hold_requests(tx, flow.account, data.other)
        stays, goes = await _both(tx, caller.me, data.other)
        _demand(caller.me, stays, kit, now=now, age=kit.limits.flow_lifetime)
        await uniting.refuse(tx, kit, stays, goes, now=now)
        await _still_proved(tx, kit, data)
        await codes.consume(tx, code, now=now)
        await flow.advance("done")
        proof = absorbing.Proof("password", by=stays.id, phone=data.phone)
        number = await uniting.unite(tx, kit, stays, goes, proof, now=now)
        notices.tell(tx, kit, stays.id, "accounts_joined", now=now, number=number)
        await tx.refresh(stays)
        return await people.described(tx, kit, stays)


async def _still_proved(tx: AsyncSession, kit: Kit, data: JoinData) -> None:
    """Password and phone are the other account's now: whoever knows an old one proves nothing."""
    row = await passwords.current(tx, data.other)
    phones = [people.number_of(kit, one) for one in await people.phones_of(tx, data.other)]
    if row is None or row.hash != data.stored or data.phone not in phones:
        raise CredentialsWrong


async def _both(tx: AsyncSession, who: Who, goes: UUID) -> tuple[Account, Account]:
    """Both rows, held; raises where one of them, or the caller's session, is not open any more."""
    await uniting.hold_accounts(tx, who.account_id, goes)
    here = await mine.held(tx, who)
    there = await tx.get_one(Account, goes, populate_existing=True)
    if there.frozen_at is not None:
        raise AccountFrozen
    return here, there


def _demand(who: Who, account: Account, kit: Kit, *, now: datetime, age: int = 0) -> None:
    """VNeID of level 2 or a certificate, just now; `age` more seconds for the time that the code takes."""
    assurance.demand_proved(who, kit.limits, now=now - timedelta(seconds=age))
    assurance.demand(who, account, kit.limits, now=now, careful=True)
