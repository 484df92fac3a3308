"""The phone and the code within a sign-in: binding a new person's phone, or proving that the known one is at hand.

Source 003, steps 4 and 5; source 001, 2.1, step 3 and its notes; rule 201.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend import account_rows
from backend.account import Account
from backend.account_rows import AccountNow
from backend.accounts.codes import codes, otp
from backend.accounts.codes.code_rows import Code
from backend.accounts.codes.otp import CodeStep
from backend.accounts.door import Door
from backend.accounts.identity import people
from backend.accounts.phones.binding import bind_phone, with_room
from backend.accounts.phones.phones import read_phone
from backend.accounts.ways_in.entering import Done
from backend.accounts.ways_in.login import LOGIN, LoginData, enter
from backend.caller import Caller
from backend.errors import FieldError, FieldsInvalid
from backend.facts import PhoneBound
from backend.flows import Handle
from backend.outside.eid.eid_claims import Person


async def give_phone(door: Door, flow_id: UUID, text: str, caller: Caller) -> CodeStep:
    """Send a code to the phone that a new person names (source 003, step 4)."""
    phone = read_phone(text, allow_invented=door.settings.is_demo)
    async with door.db.write() as tx:
        flow, refusal = await with_room(LOGIN, tx, door.kit, flow_id, caller, "phone", phone)
        person, account_id, owned = flow.data.person, flow.row.account_id, False
        assert person is not None
        if account_id is not None:
            blinds = door.kit.keys.blinds("phone", phone)
            owned = any(row.blind in blinds for row in await people.mobiles_of(tx, account_id))
        who = f"{person.issuer}|{person.subject}"
        data = msgspec.structs.replace(flow.data, phone=phone, who=who, owned=owned)
        owed, step = await otp.begin(flow, data, back_to="phone")
        if refusal is not None:
            raise refusal
        await flow.advance("otp", data)
    return await otp.deliver(door, owed, step)


async def send_again(door: Door, flow_id: UUID, caller: Caller, *, method_id: UUID | None = None) -> CodeStep:
    """Send the same code once more; or, in a password sign-in, one to another registered number.

    A number that was put in force while this sign-in waited (lost phone) is used at once, whatever was chosen before.
    """
    async with door.db.write() as tx:
        flow = await LOGIN.find(tx, door.kit, flow_id, caller, "otp")
        before = await codes.of_flow(tx, flow.row)
        number = await _number(door, flow, method_id, before)
        if number == flow.data.phone:
            owed, step = await otp.again(flow)
        else:
            if before.attempts >= codes.guesses(door.kit.limits, before.purpose):
                raise codes.OtpExhausted
            data = msgspec.structs.replace(flow.data, phone=number)
            owed, step = await otp.begin(flow, data, instead_of=before)
            await flow.advance("otp", data)
    return await otp.deliver(door, owed, step)


async def _number(door: Door, flow: Handle[LoginData], method_id: UUID | None, before: Code) -> str:
    """Where the code shall go now; raises FieldsInvalid for a number that is not this account's."""
    phones = []
    if flow.data.method == "password" and flow.row.account_id is not None:
        phones = await people.phones_of(flow.tx, flow.row.account_id)
    numbers = {row.id: people.number_of(door.kit, row) for row in phones}
    if method_id is not None:
        if method_id not in numbers:
            raise FieldsInvalid(
                FieldError("method_id", "unknown", "Lần đăng nhập này không có số điện thoại nào như vậy")
            )
        return numbers[method_id]
    present = flow.data.phone
    if not numbers or (
        present in numbers.values() and not await _has_changed(flow, since=before.first_sent_at)
    ):
        return present
    return next(iter(numbers.values()))


async def _has_changed(flow: Handle[LoginData], *, since: datetime) -> bool:
    """Whether the account's main number is newer than the code that was sent last (rule 160)."""
    changed = await flow.tx.scalar(select(Account.phone_changed_at).where(Account.id == flow.row.account_id))
    return changed is not None and changed > since


async def give_code(door: Door, flow_id: UUID, typed: str, caller: Caller) -> Done:
    """Take the code: the guess is counted and committed before it is compared (rule 208)."""
    code, begun = await otp.guessed(door, LOGIN, flow_id, typed, caller)
    async with door.db.write() as tx:
        flow = begun.on(tx)
        await codes.consume(tx, code, now=caller.now)
        data = flow.data
        if data.person is None:
            account = await account_rows.HELD.one(tx, account=flow.account)
            await _used(tx, door, account, data.phone, caller.now)
        else:
            account = await _bind(door, flow, data.person)
        return await enter(door, flow, data, account)


async def _used(tx: AsyncSession, door: Door, account: AccountNow, number: str, now: datetime) -> None:
    """Remember which number it was; raises OtpExpired when it is the account's no more: it may be the lost one."""
    row = next(
        (one for one in await people.phones_of(tx, account.id) if people.number_of(door.kit, one) == number),
        None,
    )
    if row is None:
        raise codes.OtpExpired
    row.last_used_at = now


async def _bind(door: Door, flow: Handle[LoginData], person: Person) -> AccountNow:
    tx, kit, now, data = flow.tx, door.kit, flow.now, flow.data
    account, is_new = await people.account_or_new(tx, kit, person, now=now, by=data.method)
    if not is_new:
        await account_rows.SHOWN_ANEW.run(tx, account=account.id)
    is_main = is_new or not await people.mobiles_of(tx, account.id)
    await bind_phone(tx, kit, account.id, data.phone, now=now, is_main=is_main)
    kit.journal.record(tx, PhoneBound(subject=account.id, flow=flow.id), by=account.id, now=now)
    return account
