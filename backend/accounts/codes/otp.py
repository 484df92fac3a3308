"""The code step of any flow: send, send again, guess (rule 201). What follows a right code is the flow's own.

A flow that must not say whether anybody is behind it spends its number's budget unseen, lets its
messages leave after the answer, and is a `decoy` where there is nobody: its code is never right.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Literal, NamedTuple
from uuid import UUID

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from backend import flows
from backend.accounts.codes import codes, locks, sms_budget, work
from backend.accounts.codes.messages import send_later
from backend.accounts.codes.texts import code_text
from backend.accounts.door import Door
from backend.accounts.models import OneTimeCode
from backend.flows import Flow, Step
from backend.kit import Kit
from backend.names import masked_phone
from backend.outside.messages.sms import SmsUnavailable, SmsUncertain

log = structlog.get_logger("otp")

Later = Callable[[], Awaitable[None]]


class CodeData(msgspec.Struct, frozen=True, kw_only=True):
    """What the code step needs of a flow's working data; flows add their own fields."""

    phone: str = ""  # where the code goes, E.164
    address: str = ""  # the caller's network address
    who: str = ""  # whose budget is spent
    owned: bool = False  # the number is confirmed as the person's own
    known_key: str | None = (
        None  # of a device that the account knows: what others cause is not counted with its own
    )
    unseen: bool = False  # the caller must not learn where the code goes, nor whether it does
    decoy: bool = False  # nobody gets the code, and it is never right
    strict: bool = True  # wrong codes of a day are counted; not where VNeID has said who it is already

    @property
    def counted_as(self) -> str:
        """The name that tries and messages of this person are counted under."""
        return self.who if self.known_key is None else f"{self.who}|{self.known_key}"

    def share(self, purpose: str) -> str:
        """Which of the number's budgets a message is taken from."""
        if self.known_key is not None:
            return f"{codes.KNOWN} {self.known_key}"
        if self.unseen or self.owned:
            return codes.ASKED if self.unseen else codes.CONFIRMED
        return codes.REGISTERED if purpose == "registration" else codes.TYPED


class CodeStep(msgspec.Struct, frozen=True):
    """The flow waits for the code; times in seconds. `sent_to` is nothing where it must not be known.

    `delivery` speaks up only when the SMS centre has not said whether it took the message (case TO13).
    """

    id: UUID
    sent_to: str | None
    resend_in: int
    expires_in: int
    attempts_left: int
    step: str = "otp"
    delivery: Literal["uncertain"] | None = None


class Sending(NamedTuple):
    """A message that is owed once the transaction is committed."""

    flow: Flow
    code: OneTimeCode
    phone: str
    spent: list[bytes]
    back_to: Step | None  # the step that is due again if it cannot leave
    lives_from: datetime  # the code's newest sending if this one cannot leave


async def begin(
    tx: AsyncSession,
    kit: Kit,
    flow: Flow,
    data: CodeData,
    *,
    purpose: str,
    now: datetime,
    back_to: Step | None = None,
    instead_of: OneTimeCode | None = None,
) -> tuple[Sending | None, CodeStep]:
    """Make the flow's code within the budgets; raises codes.OtpLimit.

    `instead_of` is the flow's code to another number: it is right no more, and its guesses count on.
    """
    spent = await _spend(tx, kit, flow, data, purpose, now, at_once=instead_of is not None)
    code = codes.issue(
        tx,
        kit,
        flow,
        phone=data.phone,
        purpose=purpose,
        account_id=None if data.unseen else flow.account_id,  # also what is written down must cost the same
        now=now,
    )
    if instead_of is not None:
        instead_of.voided_at, code.attempts = now, instead_of.attempts
    owed = Sending(flow, code, data.phone, spent, back_to, now) if spent is not None else None
    return owed, _step_of(kit, flow, code, data, now)


async def _spend(
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
        phone=data.phone,
        share=data.share(purpose),
        who=data.counted_as,
        jkt=flow.jkt,
        address=data.address,
        now=now,
        purpose=purpose,
        at_once=at_once,
    )
    leaves = spent is not None and not data.decoy
    typed, ours = "" if data.unseen else data.phone, data.owned or data.known_key is not None
    await sms_budget.spend(tx, kit, phone=typed, confirmed=ours, address=data.address, now=now, leaves=leaves)
    return spent if leaves else None


async def again(
    tx: AsyncSession, kit: Kit, flow: Flow, data: CodeData, *, now: datetime
) -> tuple[Sending | None, CodeStep]:
    """The same code once more, with the same budget of guesses (rule 203); the caller has seen that `otp` is due."""
    code = await codes.of_flow(tx, flow)
    wait = codes.pause(kit.limits, code.purpose) - int((now - code.last_sent_at).total_seconds())
    if wait > 0:
        raise codes.OtpTooSoon(retry_after=wait)
    if code.attempts >= codes.guesses(kit.limits, code.purpose):
        raise codes.OtpExhausted
    spent = await _spend(tx, kit, flow, data, code.purpose, now)
    earlier = code.last_sent_at
    codes.sent_again(tx, kit, code, now=now)
    owed = Sending(flow, code, data.phone, spent, None, earlier) if spent is not None else None
    return owed, _step_of(kit, flow, code, data, now)


async def again_later(
    door: Door, flow_id: UUID, *, kind: str, jkt: str | None, now: datetime
) -> tuple[CodeStep, Later | None]:
    """The same code once more in a flow whose messages leave after the answer: the second value sends it."""
    async with door.db.write() as tx:
        flow = await flows.find(tx, flow_id, kind=kind, jkt=jkt, step="otp", now=now)
        owed, step = await again(tx, door.kit, flow, flows.data_of(flow, door.kit.keys, CodeData), now=now)
    return step, partial(deliver_later, door, owed) if owed is not None else None


async def deliver(door: Door, sending: Sending | None, step: CodeStep, now: datetime) -> CodeStep:
    """Hand over what is owed; the step as the person is told of it.

    A text that has not left counts nothing (rule 110); raises SmsUnavailable. One that may have left is
    counted, its code is right, and another is the person's own to ask for (case TO13).
    """
    if sending is None:
        return step
    flow, code = sending.flow, sending.code
    try:
        await door.sms.send(sending.phone, _text_of(door, sending), message_id=_name_of(sending))
    except SmsUncertain:
        log.warning("code uncertain", purpose=code.purpose)
        return msgspec.structs.replace(step, delivery="uncertain")
    except SmsUnavailable:
        async with door.db.write() as tx:
            if sending.back_to is None:
                await codes.unsend(tx, door.kit, code, sending.spent, sent_at=sending.lives_from, now=now)
            else:
                living = await flows.find(tx, flow.id, kind=flow.kind, jkt=flow.jkt, now=now)
                await flows.advance(tx, door.kit.keys, living, to=sending.back_to)
                await codes.void(tx, flow, sending.spent, now=now)
        raise
    return step


async def deliver_later(door: Door, sending: Sending) -> None:
    """The same after the answer, tried again as long as it has certainly not left.

    What was counted stays counted: giving it back would tell who gets a message and who does not (case TO14).
    """
    name = _name_of(sending)
    await send_later(
        door, sending.phone, _text_of(door, sending), message_id=name, about=sending.code.purpose
    )


def _text_of(door: Door, sending: Sending) -> str:
    code = sending.code
    digits = codes.text_of(door.kit, code, sending.flow)
    return code_text(digits, door.settings, door.kit.limits, code.purpose)


def _name_of(sending: Sending) -> str:
    """Each sending has a name of its own, and keeps it when it is tried again."""
    return f"{sending.code.id}-{sending.code.sendings}"


async def guess(
    door: Door,
    flow_id: UUID,
    typed: str,
    *,
    kind: str,
    jkt: str | None,
    now: datetime,
    captcha: str | None = None,
) -> OneTimeCode:
    """Count a guess, commit that, then compare (rule 208); returns the right code, which is not used up yet.

    Raises work.WorkDemanded when strangers guess too much, unless `captcha` is the work.
    """
    async with door.db.write() as tx:
        flow = await flows.find(tx, flow_id, kind=kind, jkt=jkt, step="otp", now=now)
        data = flows.data_of(flow, door.kit.keys, CodeData)
        if data.strict:
            level = await locks.refuse_resting(tx, door.kit, flow, data.counted_as, data.address, now)
            await work.demand(tx, door, captcha, level, now=now)
        code = await codes.count_guess(tx, door.kit, flow, now=now)
    if codes.matches(door.kit, code, flow, typed) and not data.decoy:
        return code
    async with door.db.write() as tx:
        counted = (kind, data.counted_as, _strange(data), now)
        rests = data.strict and await locks.count_wrong_code(tx, door.kit, *counted)
        refusal = codes.wrong(tx, door.kit, code, now=now)
    if rests:
        refusal.later = partial(locks.tell_owner, door.db, door.kit, flow.account_id, kind, now=now)
    raise refusal


async def give_back(door: Door, code: OneTimeCode) -> None:
    """A right code could not be acted on, because somebody else did not answer: it costs no guess."""
    async with door.db.write() as tx:
        row = await tx.get(OneTimeCode, code.id, with_for_update=True)
        if row is not None and row.used_at is None and row.attempts > 0:
            row.attempts -= 1


def _strange(data: CodeData) -> str | None:
    """Where the flow was begun, which others share; nothing on a device that the account knows."""
    return None if data.known_key is not None else data.address


def _step_of(kit: Kit, flow: Flow, code: OneTimeCode, data: CodeData, now: datetime) -> CodeStep:
    """What the caller is told of the code."""
    return CodeStep(
        id=flow.id,
        sent_to=None if data.unseen else masked_phone(data.phone),
        resend_in=codes.pause(kit.limits, code.purpose),
        expires_in=int((code.expires_at - now).total_seconds()),
        attempts_left=max(0, codes.guesses(kit.limits, code.purpose) - code.attempts),
    )
