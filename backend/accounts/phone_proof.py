"""Binding a phone within a sign-in: the number, the code, the code again (source 003, steps 4 and 5; contract §4)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from backend import flows
from backend.accounts import codes, people
from backend.accounts.login import KIND, Done, Door, LoginData, let_in
from backend.accounts.models import OneTimeCode
from backend.accounts.phones import read_phone
from backend.accounts.texts import code_text
from backend.errors import FieldError, FieldsInvalid
from backend.facts import PhoneBound
from backend.flows import Flow
from backend.kit import Kit
from backend.names import masked_phone
from backend.outside.sms import SmsUnavailable


class CodeStep(msgspec.Struct, frozen=True):
    """The sign-in waits for the code; times in seconds."""

    id: UUID
    sent_to: str
    resend_in: int
    expires_in: int
    attempts_left: int
    step: str = "otp"


async def give_phone(door: Door, flow_id: UUID, text: str, *, jkt: str | None, now: datetime) -> CodeStep:
    """Send a code to the phone that a new person names (source 003, step 4)."""
    phone = read_phone(text, allow_invented=door.settings.is_demo)
    async with door.db.write() as tx:
        flow = await flows.find(tx, flow_id, kind=KIND, jkt=jkt, now=now)
        flows.expect(flow, "phone")
        data = flows.data_of(flow, door.kit.keys, LoginData)
        spent = await _spend(tx, door.kit, data, phone, flow, now)
        most = door.kit.limits.accounts_per_phone
        if most and await people.accounts_with(tx, door.kit, phone) >= most:
            raise FieldsInvalid(
                FieldError(
                    "phone", "phone_taken_often", "Số này đã dùng cho nhiều tài khoản, vui lòng dùng số khác"
                )
            )
        await flows.advance(
            tx, door.kit.keys, flow, to="otp", data=msgspec.structs.replace(data, phone=phone)
        )
        code = codes.issue(tx, door.kit, flow, phone=phone, purpose=KIND, account_id=flow.account_id, now=now)
    await _send(door, flow, code, phone, spent, back_to="phone", jkt=jkt, now=now)
    return _code_step(door.kit, flow, code, phone, now)


async def send_again(door: Door, flow_id: UUID, *, jkt: str | None, now: datetime) -> CodeStep:
    """Send the same code once more; it keeps its budget of guesses (design §4.3)."""
    async with door.db.write() as tx:
        flow = await flows.find(tx, flow_id, kind=KIND, jkt=jkt, now=now)
        flows.expect(flow, "otp")
        data = flows.data_of(flow, door.kit.keys, LoginData)
        assert data.phone is not None
        code = await codes.of_flow(tx, flow)
        wait = door.kit.limits.otp_resend_after - int((now - code.last_sent_at).total_seconds())
        if wait > 0:
            raise codes.OtpTooSoon(retry_after=wait)
        if code.attempts >= codes.guesses(door.kit.limits):
            raise codes.OtpExhausted
        spent = await _spend(tx, door.kit, data, data.phone, flow, now)
        codes.sent_again(tx, door.kit, code, now=now)
    await _send(door, flow, code, data.phone, spent, back_to=None, jkt=jkt, now=now)
    return _code_step(door.kit, flow, code, data.phone, now)


async def give_code(door: Door, flow_id: UUID, typed: str, *, jkt: str | None, now: datetime) -> Done:
    """Take the code: the guess is counted and committed before it is compared (security D3)."""
    async with door.db.write() as tx:
        flow = await flows.find(tx, flow_id, kind=KIND, jkt=jkt, now=now)
        flows.expect(flow, "otp")
        code = await codes.count_guess(tx, door.kit, flow, now=now)
    if not codes.matches(door.kit, code, flow, typed):
        async with door.db.write() as tx:
            refusal = codes.wrong(tx, door.kit, code, now=now)
        raise refusal
    async with door.db.write() as tx:
        flow = await flows.find(tx, flow_id, kind=KIND, jkt=jkt, now=now)
        flows.expect(flow, "otp")
        await codes.consume(tx, code, now=now)
        data = flows.data_of(flow, door.kit.keys, LoginData)
        assert data.person is not None
        assert data.phone is not None
        account = await people.account_of(tx, door.kit, data.person, now=now)
        if account is None:
            account = await people.open_account(tx, door.kit, data.person, now=now)
        people.bind_phone(tx, door.kit, account.id, data.phone, now=now)
        account.version += 1
        door.kit.journal.record(tx, PhoneBound(subject=account.id, flow=flow.id), by=account.id, now=now)
        await flows.advance(tx, door.kit.keys, flow, to="done", account_id=account.id)
        return await let_in(tx, door.kit, account, data.device, data.person, jkt=jkt, now=now)


async def _spend(
    tx: AsyncSession, kit: Kit, data: LoginData, phone: str, flow: Flow, now: datetime
) -> list[bytes]:
    assert data.person is not None
    who = f"{data.person.issuer}|{data.person.subject}"
    owned = False
    if flow.account_id is not None:
        blinds = kit.keys.blinds("phone", phone)
        owned = any(row.blind in blinds for row in await people.phones_of(tx, flow.account_id))
    return await codes.spend(
        tx, kit, phone=phone, confirmed=owned, who=who, jkt=flow.jkt, address=data.address, now=now
    )


async def _send(
    door: Door,
    flow: Flow,
    code: OneTimeCode,
    phone: str,
    spent: list[bytes],
    *,
    back_to: str | None,
    jkt: str | None,
    now: datetime,
) -> None:
    """Hand the text to the SMS centre after the commit; when that fails nothing is counted (contract §3.1)."""
    text = code_text(codes.text_of(door.kit, code, flow), door.settings, door.kit.limits)
    try:
        await door.sms.send(phone, text, message_id=f"{code.id}-{code.sendings}")
    except SmsUnavailable:
        async with door.db.write() as tx:
            if back_to is None:
                await codes.unsend(tx, code, spent, now=now)
            else:
                living = await flows.find(tx, flow.id, kind=KIND, jkt=jkt, now=now)
                await flows.advance(tx, door.kit.keys, living, to=back_to)
                await codes.void(tx, flow, spent, now=now)
        raise


def _code_step(kit: Kit, flow: Flow, code: OneTimeCode, phone: str, now: datetime) -> CodeStep:
    return CodeStep(
        id=flow.id,
        sent_to=masked_phone(phone),
        resend_in=kit.limits.otp_resend_after,
        expires_in=int((code.expires_at - now).total_seconds()),
        attempts_left=codes.guesses(kit.limits) - code.attempts,
    )
