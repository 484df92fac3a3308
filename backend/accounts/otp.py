"""The code step of any flow: send, send again, guess (contract §4). What follows a right code is the flow's own.

A flow that must not say whether anybody is behind it spends its number's budget unseen, lets its
messages leave after the answer, and is a `decoy` where there is nobody: its code is never right.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import NamedTuple
from uuid import UUID

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from backend import flows
from backend.accounts import codes
from backend.accounts.door import Door
from backend.accounts.models import OneTimeCode
from backend.accounts.texts import code_text
from backend.errors import TooMany
from backend.flows import Flow
from backend.kit import Kit
from backend.names import masked_phone
from backend.outside.sms import SmsUnavailable
from backend.throttle import Window

log = structlog.get_logger("otp")
AGAIN = (0, 5, 15)  # seconds before each try of a message that nobody waits for at a button
LOCKED = 7200  # seconds that codes rest after too many wrong ones (security A6)

Later = Callable[[], Awaitable[None]]


class CodeData(msgspec.Struct, frozen=True, kw_only=True):
    """What the code step needs of a flow's working data; flows add their own fields."""

    phone: str = ""  # where the code goes, E.164
    address: str = ""  # the caller's network address
    who: str = ""  # whose budget is spent
    owned: bool = False  # the number is confirmed as the person's own
    unseen: bool = False  # the caller must not learn where the code goes, nor whether it does
    decoy: bool = False  # nobody gets the code, and it is never right
    strict: bool = True  # wrong codes of a day are counted; not where VNeID has said who it is already


class CodeStep(msgspec.Struct, frozen=True):
    """The flow waits for the code; times in seconds. `sent_to` is nothing where it must not be known."""

    id: UUID
    sent_to: str | None
    resend_in: int
    expires_in: int
    attempts_left: int
    step: str = "otp"


class Sending(NamedTuple):
    """A message that is owed once the transaction is committed."""

    flow: Flow
    code: OneTimeCode
    phone: str
    spent: list[bytes]
    back_to: str | None  # the step that is due again if it cannot leave


async def spend(
    tx: AsyncSession,
    kit: Kit,
    flow: Flow,
    data: CodeData,
    purpose: str,
    now: datetime,
    *,
    at_once: bool = False,
) -> list[bytes] | None:
    """Count one sending; nothing when a hidden flow's message must stay here."""
    spent = await codes.spend(
        tx,
        kit,
        phone="" if data.unseen else data.phone,
        confirmed=data.owned,
        who=data.who,
        jkt=flow.jkt,
        address=data.address,
        now=now,
        purpose=purpose,
        at_once=at_once,
    )
    if not data.unseen:
        return None if data.decoy else spent
    unseen = await codes.spend_unseen(tx, kit, phone=data.phone, purpose=purpose, now=now)
    return None if unseen is None or data.decoy else [*spent, *unseen]


async def begin(
    tx: AsyncSession,
    kit: Kit,
    flow: Flow,
    data: CodeData,
    *,
    purpose: str,
    now: datetime,
    back_to: str | None = None,
    instead_of: OneTimeCode | None = None,
) -> tuple[Sending | None, CodeStep]:
    """Make the flow's code within the budgets; raises codes.OtpLimit.

    `instead_of` is the flow's code to another number: it is right no more, and its guesses count on.
    """
    spent = await spend(tx, kit, flow, data, purpose, now, at_once=instead_of is not None)
    code = codes.issue(
        tx,
        kit,
        flow,
        phone=data.phone,
        purpose=purpose,
        account_id=None if data.unseen else flow.account_id,  # also what is written down must cost the same
        now=now,
        withheld=spent is None,
    )
    if instead_of is not None:
        instead_of.voided_at, code.attempts = now, instead_of.attempts
    owed = Sending(flow, code, data.phone, spent, back_to) if spent is not None else None
    return owed, step_of(kit, flow, code, data, now)


async def again(
    tx: AsyncSession, kit: Kit, flow: Flow, data: CodeData, *, now: datetime
) -> tuple[Sending | None, CodeStep]:
    """The same code once more, with the same budget of guesses (design §4.3); the caller has seen that `otp` is due."""
    code = await codes.of_flow(tx, flow)
    wait = codes.pause(kit.limits, code.purpose) - int((now - code.last_sent_at).total_seconds())
    if wait > 0:
        raise codes.OtpTooSoon(retry_after=wait)
    if code.attempts >= codes.guesses(kit.limits, code.purpose):
        raise codes.OtpExhausted
    spent = await spend(tx, kit, flow, data, code.purpose, now)
    codes.sent_again(tx, kit, code, now=now, withheld=spent is None)
    owed = Sending(flow, code, data.phone, spent, None) if spent is not None else None
    return owed, step_of(kit, flow, code, data, now)


async def again_later(
    door: Door, flow_id: UUID, *, kind: str, jkt: str | None, now: datetime
) -> tuple[CodeStep, Later | None]:
    """The same code once more in a flow whose messages leave after the answer: the second value sends it."""
    async with door.db.write() as tx:
        flow = await flows.find(tx, flow_id, kind=kind, jkt=jkt, now=now)
        flows.expect(flow, "otp")
        owed, step = await again(tx, door.kit, flow, flows.data_of(flow, door.kit.keys, CodeData), now=now)
    return step, partial(deliver_later, door, owed) if owed is not None else None


async def deliver(door: Door, sending: Sending, now: datetime) -> None:
    """Hand the text to the SMS centre; when that fails nothing is counted (contract §3.1). Raises SmsUnavailable."""
    flow, code = sending.flow, sending.code
    try:
        await _hand_over(door, sending)
    except SmsUnavailable:
        async with door.db.write() as tx:
            if sending.back_to is None:
                await codes.unsend(tx, code, sending.spent, now=now)
            else:
                living = await flows.find(tx, flow.id, kind=flow.kind, jkt=flow.jkt, now=now)
                await flows.advance(tx, door.kit.keys, living, to=sending.back_to)
                await codes.void(tx, flow, sending.spent, now=now)
        raise


async def deliver_later(door: Door, sending: Sending) -> None:
    """The same after the answer, tried again while the person waits for the message.

    What was counted stays counted: giving it back would tell who gets a message and who does not (security TO14).
    """
    for pause in AGAIN:
        await asyncio.sleep(pause)
        try:
            return await _hand_over(door, sending)
        except SmsUnavailable:
            log.warning("code not sent", purpose=sending.code.purpose)
    return None


async def _hand_over(door: Door, sending: Sending) -> None:
    code = sending.code
    text = code_text(
        codes.text_of(door.kit, code, sending.flow), door.settings, door.kit.limits, code.purpose
    )
    await door.sms.send(sending.phone, text, message_id=f"{code.id}-{code.sendings}")


async def guess(
    door: Door, flow_id: UUID, typed: str, *, kind: str, jkt: str | None, now: datetime
) -> OneTimeCode:
    """Count a guess, commit that, then compare (security D3); returns the right code, which is not used up yet."""
    async with door.db.write() as tx:
        flow = await flows.find(tx, flow_id, kind=kind, jkt=jkt, now=now)
        flows.expect(flow, "otp")
        data = flows.data_of(flow, door.kit.keys, CodeData)
        if data.strict:
            await _refuse_locked(tx, door.kit, data.who, kind, now)
        code = await codes.count_guess(tx, door.kit, flow, now=now)
    if codes.matches(door.kit, code, flow, typed) and not data.decoy:
        return code
    async with door.db.write() as tx:
        if data.strict:
            await _count_wrong(tx, door.kit, data.who, kind, now)
        refusal = codes.wrong(tx, door.kit, code, now=now)
    raise refusal


async def give_back(door: Door, code: OneTimeCode) -> None:
    """A right code could not be acted on, because somebody else did not answer: it costs no guess."""
    async with door.db.write() as tx:
        row = await tx.get(OneTimeCode, code.id, with_for_update=True)
        if row is not None and row.used_at is None and row.attempts > 0:
            row.attempts -= 1


def step_of(kit: Kit, flow: Flow, code: OneTimeCode, data: CodeData, now: datetime) -> CodeStep:
    """What the caller is told of the code."""
    return CodeStep(
        id=flow.id,
        sent_to=None if data.unseen else masked_phone(data.phone),
        resend_in=codes.pause(kit.limits, code.purpose),
        expires_in=int((code.expires_at - now).total_seconds()),
        attempts_left=max(0, codes.guesses(kit.limits, code.purpose) - code.attempts),
    )


async def _refuse_locked(tx: AsyncSession, kit: Kit, who: str, kind: str, now: datetime) -> None:
    lock, in_all = Window(1, LOCKED), kit.limits.wrong_reset_codes_per_hour
    if (
        kit.limits.wrong_codes_per_day
        and await kit.throttle.left(tx, f"{kind} lock", who, [lock], now=now) <= 0
    ):
        raise codes.OtpLimit(retry_after=LOCKED)
    if kind == "recovery" and in_all:
        window = [Window(in_all, codes.HOUR)]
        if await kit.throttle.left(tx, "wrong resets", "all", window, now=now) <= 0:
            log.error("too many wrong reset codes in all")  # the operator's alarm (security TO18)
            raise codes.OtpLimit(retry_after=codes.HOUR)


async def _count_wrong(tx: AsyncSession, kit: Kit, who: str, kind: str, now: datetime) -> None:
    """Wrong codes of one person in a day end in a rest; wrong resets of everybody are counted too."""
    most = kit.limits.wrong_codes_per_day
    if most and kind != "registration":
        day = [Window(most, codes.DAY)]
        if await kit.throttle.left(tx, f"{kind} wrong", who, day, now=now) <= 1:
            await _spent(tx, kit, f"{kind} lock", who, Window(1, LOCKED), now)
        await _spent(tx, kit, f"{kind} wrong", who, day[0], now)
    if kind == "recovery" and (in_all := kit.limits.wrong_reset_codes_per_hour):
        await _spent(tx, kit, "wrong resets", "all", Window(in_all, codes.HOUR), now)


async def _spent(tx: AsyncSession, kit: Kit, what: str, who: str, window: Window, now: datetime) -> None:
    try:
        await kit.throttle.spend(tx, [(what, who, [window])], now=now)
    except TooMany:
        return  # full already: that is all there is to know
