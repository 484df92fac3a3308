"""The code step of any flow: send, send again, guess (rule 201). What follows a right code is the flow's own.

A flow that must not say whether anybody is behind it spends its number's budget unseen, lets its
messages leave after the answer, and is a `decoy` where there is nobody: its code is never right.
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, Literal, NamedTuple, TypeVar
from uuid import UUID

import msgspec
import structlog

from backend.accounts.codes import codes, locks, messages, sms_budget, work
from backend.accounts.codes.code_rows import Code
from backend.accounts.codes.texts import code_text
from backend.accounts.door import Door
from backend.caller import Caller
from backend.flows import Handle, Kind, Step
from backend.names import masked_phone
from backend.outside.messages.sms import SmsUnavailable, SmsUncertain
from backend.owed import queue

log = structlog.get_logger("otp")


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


Coded = TypeVar("Coded", bound=CodeData)


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

    flow: Handle[Any]
    code: Code
    phone: str
    spent: list[bytes]
    back_to: Step | None  # the step that is due again if it cannot leave
    lives_from: datetime  # the code's newest sending if this one cannot leave


async def begin(
    flow: Handle[Coded],
    data: Coded | None = None,
    *,
    purpose: str | None = None,
    back_to: Step | None = None,
    instead_of: Code | None = None,
) -> tuple[Sending | None, CodeStep]:
    """Make the flow's code within the budgets; raises codes.OtpLimit. `purpose` is the flow's kind where none is named.

    `data` is what the flow will remember, where that is not written yet. `instead_of` is the flow's code to another
    number: it is right no more, and its guesses count on.
    """
    data, purpose = data or flow.data, purpose or flow.kind.name
    spent = await _spend(flow, data, purpose, at_once=instead_of is not None)
    code = await codes.issue(
        flow.tx,
        flow.kit,
        flow.row,
        phone=data.phone,
        purpose=purpose,
        account_id=None if data.unseen else flow.row.account_id,  # what is written down must cost the same
        now=flow.now,
        instead_of=instead_of,
    )
    owed = Sending(flow, code, data.phone, spent, back_to, flow.now) if spent is not None else None
    return owed, _step_of(flow, code, data)


async def _spend(
    flow: Handle[Any], data: CodeData, purpose: str, *, at_once: bool = False
) -> list[bytes] | None:
    """Count one sending; nothing when a hidden flow's message must stay here."""
    spent = await codes.spend(
        flow.tx,
        flow.kit,
        phone=data.phone,
        share=data.share(purpose),
        who=data.counted_as,
        jkt=flow.row.jkt,
        address=data.address,
        now=flow.now,
        purpose=purpose,
        at_once=at_once,
    )
    leaves = spent is not None and not data.decoy
    typed, ours = "" if data.unseen else data.phone, data.owned or data.known_key is not None
    await sms_budget.spend(
        flow.tx, flow.kit, phone=typed, confirmed=ours, address=data.address, now=flow.now, leaves=leaves
    )
    return spent if leaves else None


async def again(flow: Handle[Coded]) -> tuple[Sending | None, CodeStep]:
    """The same code once more, with the same budget of guesses (rule 203); the caller has seen that `otp` is due."""
    kit, now = flow.kit, flow.now
    code = await codes.of_flow(flow.tx, flow.row)
    wait = codes.pause(kit.limits, code.purpose) - int((now - code.last_sent_at).total_seconds())
    if wait > 0:
        raise codes.OtpTooSoon(retry_after=wait)
    if code.attempts >= codes.guesses(kit.limits, code.purpose):
        raise codes.OtpExhausted
    spent = await _spend(flow, flow.data, code.purpose)
    earlier = code.last_sent_at
    code = await codes.sent_again(flow.tx, kit, code, now=now)
    owed = Sending(flow, code, flow.data.phone, spent, None, earlier) if spent is not None else None
    return owed, _step_of(flow, code, flow.data)


async def send_again(door: Door, kind: Kind[Coded], flow_id: UUID, caller: Caller) -> CodeStep:
    """The same code once more."""
    async with door.db.write() as tx:
        owed, step = await again(await kind.find(tx, door.kit, flow_id, caller, "otp"))
    return await deliver(door, owed, step)


async def send_again_later(door: Door, kind: Kind[Coded], flow_id: UUID, caller: Caller) -> CodeStep:
    """The same in a flow whose messages leave after the answer."""
    async with door.db.write() as tx:
        flow = await kind.find(tx, door.kit, flow_id, caller, "otp")
        owed, step = await again(flow)
        owe(flow, owed)
    return step


async def deliver(door: Door, sending: Sending | None, step: CodeStep) -> CodeStep:
    """Hand over what is owed; the step as the person is told of it.

    A text that has not left counts nothing (rule 110); raises SmsUnavailable. One that may have left is
    counted, its code is right, and another is the person's own to ask for (case TO13).
    """
    if sending is None:
        return step
    flow, code = sending.flow, sending.code
    try:
        name = f"{code.id}-{code.sendings}"
        await door.sms.send(sending.phone, _text_of(door, sending), message_id=name)
    except SmsUncertain:
        log.warning("code_uncertain", purpose=code.purpose)
        return msgspec.structs.replace(step, delivery="uncertain")
    except SmsUnavailable:
        async with door.db.write() as tx:
            if sending.back_to is None:
                at = sending.lives_from
                await codes.unsend(tx, door.kit, code, sending.spent, sent_at=at, now=flow.now)
            else:
                living = await flow.again(tx)
                await living.advance(sending.back_to)
                await codes.void(tx, flow.row, sending.spent, now=flow.now)
        raise
    return step


def owe(flow: Handle[Any], sending: Sending | None) -> None:
    """Have the message leave after the answer; where none may, the same is written down and never leaves.

    It is tried again as long as it has certainly not left. What was counted stays counted: giving it back would tell
    who gets a message and who does not (case TO14).
    """
    queue.owe(
        flow.tx,
        flow.kit.keys,
        queue.SMS,
        messages.CODE,
        account_id=flow.row.account_id,
        about=sending.code.id if sending is not None else flow.id,
        now=flow.now,
        leaves=sending is not None,
        rings=False,
    )


def _text_of(door: Door, sending: Sending) -> str:
    code = sending.code
    digits = codes.text_of(door.kit, code, sending.flow.row)
    return code_text(digits, door.settings, door.kit.limits, code.purpose)


async def guess(
    door: Door, kind: Kind[Coded], flow_id: UUID, typed: str, caller: Caller, *, captcha: str | None = None
) -> Code:
    """The right code, as `guessed` finds it."""
    code, _ = await guessed(door, kind, flow_id, typed, caller, captcha=captcha)
    return code


async def guessed(
    door: Door, kind: Kind[Coded], flow_id: UUID, typed: str, caller: Caller, *, captcha: str | None = None
) -> tuple[Code, Handle[Coded]]:
    """Count a guess, commit that, then compare (rule 208); the right code, not used up yet, and its flow as it was.

    Raises work.WorkDemanded when strangers guess too much, unless `captcha` is the work.
    """
    now = caller.now
    async with door.db.write() as tx:
        flow = await kind.find(tx, door.kit, flow_id, caller, "otp")
        data = flow.data
        if data.strict:
            level = await locks.refuse_resting(tx, door.kit, flow.row, data.counted_as, data.address, now)
            await work.demand(tx, door, captcha, level, now=now)
        code = await codes.count_guess(tx, door.kit, flow.row, now=now)
    if codes.matches(door.kit, code, flow.row, typed) and not data.decoy:
        return code, flow
    async with door.db.write() as tx:
        counted = (kind.name, data.counted_as, _strange(data), now)
        rests = data.strict and await locks.count_wrong_code(tx, door.kit, *counted)
        refusal = codes.wrong(tx, door.kit, code, now=now)
    if rests:
        owner = flow.row.account_id
        refusal.later = partial(locks.tell_owner, door.db, door.kit, owner, kind.name, now=now)
    raise refusal


async def give_back(door: Door, code: Code) -> None:
    """A right code could not be acted on, because somebody else did not answer: it costs no guess."""
    async with door.db.write() as tx:
        await codes.give_back(tx, code)


def _strange(data: CodeData) -> str | None:
    """Where the flow was begun, which others share; nothing on a device that the account knows."""
    return None if data.known_key is not None else data.address


def _step_of(flow: Handle[Any], code: Code, data: CodeData) -> CodeStep:
    """What the caller is told of the code."""
    limits = flow.kit.limits
    return CodeStep(
        id=flow.id,
        sent_to=None if data.unseen else masked_phone(data.phone),
        resend_in=codes.pause(limits, code.purpose),
        expires_in=int((code.expires_at - flow.now).total_seconds()),
        attempts_left=max(0, codes.guesses(limits, code.purpose) - code.attempts),
    )
