"""The phone and the code within a sign-in: binding a new person's phone, or proving that the known one is at hand.

Source 003, steps 4 and 5; source 001, 2.1, step 3 and its notes; rule 201.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend import flows
from backend.accounts.codes import codes, otp
from backend.accounts.codes.otp import CodeStep
from backend.accounts.door import Door
from backend.accounts.identity import people
from backend.accounts.models import Account, OneTimeCode
from backend.accounts.phones.binding import bind_phone, refuse_crowded
from backend.accounts.phones.phones import read_phone
from backend.accounts.ways_in.entering import Done
from backend.accounts.ways_in.login import KIND, LoginData, enter
from backend.errors import FieldError, FieldsInvalid
from backend.facts import PhoneBound
from backend.outside.eid.eid_claims import Person


async def give_phone(door: Door, flow_id: UUID, text: str, *, jkt: str | None, now: datetime) -> CodeStep:
    """Send a code to the phone that a new person names (source 003, step 4)."""
    phone = read_phone(text, allow_invented=door.settings.is_demo)
    async with door.db.write() as tx:
        flow = await flows.find(tx, flow_id, kind=KIND, jkt=jkt, step="phone", now=now)
        data = flows.data_of(flow, door.kit.keys, LoginData)
        assert data.person is not None
        owned = False
        if flow.account_id is not None:
            blinds = door.kit.keys.blinds("phone", phone)
            owned = any(row.blind in blinds for row in await people.phones_of(tx, flow.account_id))
        who = f"{data.person.issuer}|{data.person.subject}"
        data = msgspec.structs.replace(data, phone=phone, who=who, owned=owned)
        owed, step = await otp.begin(tx, door.kit, flow, data, purpose=KIND, now=now, back_to="phone")
        await refuse_crowded(tx, door.kit, phone, flow.account_id)
        await flows.advance(tx, door.kit.keys, flow, to="otp", data=data)
    return await otp.deliver(door, owed, step, now)


async def send_again(
    door: Door, flow_id: UUID, *, jkt: str | None, now: datetime, method_id: UUID | None = None
) -> CodeStep:
    """Send the same code once more; or, in a password sign-in, one to another registered number.

    A number that was put in force while this sign-in waited (lost phone) is used at once, whatever was chosen before.
    """
    async with door.db.write() as tx:
        flow = await flows.find(tx, flow_id, kind=KIND, jkt=jkt, step="otp", now=now)
        data = flows.data_of(flow, door.kit.keys, LoginData)
        before = await codes.of_flow(tx, flow)
        number = await _number(tx, door, flow, data, method_id, before)
        if number == data.phone:
            owed, step = await otp.again(tx, door.kit, flow, data, now=now)
        else:
            if before.attempts >= codes.guesses(door.kit.limits, before.purpose):
                raise codes.OtpExhausted
            data = msgspec.structs.replace(data, phone=number)
            owed, step = await otp.begin(tx, door.kit, flow, data, purpose=KIND, now=now, instead_of=before)
            await flows.advance(tx, door.kit.keys, flow, to="otp", data=data)
    return await otp.deliver(door, owed, step, now)


async def _number(
    tx: AsyncSession,
    door: Door,
    flow: flows.Flow,
    data: LoginData,
    method_id: UUID | None,
    before: OneTimeCode,
) -> str:
    """Where the code shall go now; raises FieldsInvalid for a number that is not this account's."""
    phones = []
    if data.method == "password" and flow.account_id is not None:
        phones = await people.phones_of(tx, flow.account_id)
    numbers = {row.id: people.number_of(door.kit, row) for row in phones}
    if method_id is not None:
        if method_id not in numbers:
            raise FieldsInvalid(
                FieldError("method_id", "unknown", "Lần đăng nhập này không có số điện thoại nào như vậy")
            )
        return numbers[method_id]
    if not numbers or (
        data.phone in numbers.values() and not await _has_changed(tx, flow, since=before.first_sent_at)
    ):
        return data.phone
    return next(iter(numbers.values()))


async def _has_changed(tx: AsyncSession, flow: flows.Flow, *, since: datetime) -> bool:
    """Whether the account's main number is newer than the code that was sent last (rule 160)."""
    changed = await tx.scalar(select(Account.phone_changed_at).where(Account.id == flow.account_id))
    return changed is not None and changed > since


async def give_code(door: Door, flow_id: UUID, typed: str, *, jkt: str | None, now: datetime) -> Done:
    """Take the code: the guess is counted and committed before it is compared (rule 208)."""
    code = await otp.guess(door, flow_id, typed, kind=KIND, jkt=jkt, now=now)
    async with door.db.write() as tx:
        flow = await flows.find(tx, flow_id, kind=KIND, jkt=jkt, step="otp", now=now)
        await codes.consume(tx, code, now=now)
        data = flows.data_of(flow, door.kit.keys, LoginData)
        if data.person is None:
            assert flow.account_id is not None
            account = await tx.get_one(Account, flow.account_id, with_for_update=True)
            await _used(tx, door, account, data.phone, now)
        else:
            account = await _bind(tx, door, flow, data, data.person, now)
        await flows.advance(tx, door.kit.keys, flow, to="done", account_id=account.id)
        return await enter(tx, door, flow, account, data, now=now)


async def _used(tx: AsyncSession, door: Door, account: Account, number: str, now: datetime) -> None:
    """Remember which number it was; raises OtpExpired when it is the account's no more: it may be the lost one."""
    row = next(
        (one for one in await people.phones_of(tx, account.id) if people.number_of(door.kit, one) == number),
        None,
    )
    if row is None:
        raise codes.OtpExpired
    row.last_used_at = now


async def _bind(
    tx: AsyncSession, door: Door, flow: flows.Flow, data: LoginData, person: Person, now: datetime
) -> Account:
    account = await people.account_of(tx, door.kit, person, now=now, by=data.method)
    if account is None:
        account = await people.open_account(tx, door.kit, person, now=now, by=data.method)
    phones = await people.phones_of(tx, account.id)
    await bind_phone(tx, door.kit, account.id, data.phone, now=now, is_main=not phones)
    account.version += 1
    door.kit.journal.record(tx, PhoneBound(subject=account.id, flow=flow.id), by=account.id, now=now)
    return account
