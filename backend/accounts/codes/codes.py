"""One-time codes: sent by SMS, bound to one flow, guessed at most so often, used once (rules 201, 205).

A code is stored nowhere. It is HOTP (RFC 4226, by pyotp) under a secret that is the keyed
hash of everything the code is bound to, so a code of another flow, account, purpose, phone
or device key is simply another code (rule 203), and sending again sends the same one.
"""

from __future__ import annotations

import base64
import hmac
from datetime import datetime
from uuid import UUID

import pyotp
from sqlalchemy.ext.asyncio import AsyncSession

from backend import throttle
from backend.accounts.codes import code_life
from backend.accounts.codes.code_rows import (
    CAREFUL,
    CODE,
    GIVE_BACK,
    GUESS,
    ISSUE,
    MAIL,
    OF_FLOW,
    RELEASE,
    SENT,
    USE,
    VOID,
    VOID_OF_FLOW,
    Code,
)
from backend.db import new_id
from backend.errors import Gone, Invalid, TooMany
from backend.facts import CodeSent, CodeWrong
from backend.flows import Running
from backend.kit import Kit
from backend.limits import Limits
from backend.throttle import Window

HOUR, DAY = 3600, 86400


class OtpWrong(Invalid):
    """The code does not match; `attempts_left` more guesses are compared."""

    code = "otp_wrong"
    title = "Mã xác thực chưa đúng"


class OtpExhausted(Gone):
    """No guesses are left on this code."""

    code = "otp_exhausted"
    title = "Bạn đã nhập sai quá số lần cho phép, vui lòng làm lại từ đầu"


class OtpExpired(Gone):
    """The code's time is over."""

    code = "otp_expired"
    title = "Mã xác thực đã hết hạn"


class OtpLimit(TooMany):
    """Too many codes for this phone, account, device or address; Retry-After says when there is room."""

    code = "otp_limit"
    title = "Vừa gửi một mã hoặc đã gửi quá nhiều mã, vui lòng thử lại sau"


class OtpTooSoon(TooMany):
    """The pause between two sendings is not over."""

    code = "otp_too_soon"
    title = "Vui lòng chờ trước khi gửi lại mã"


# Who may cause a sending: a device that the account knows, whoever has shown the account's password, whoever names
# somebody who forgot it, whoever registers, whoever types a number
KNOWN, CONFIRMED, ASKED, REGISTERED, TYPED = "known", "confirmed", "asked", "registered", "typed"


def windows(limits: Limits, purpose: str) -> list[Window]:
    """How often a code may leave for this purpose: a pause between two, so many an hour and a day (rule 201)."""
    if purpose == MAIL:
        pause = limits.mail_otp_resend_after
        return [Window(min(1, pause), pause), Window(limits.mail_otp_per_day, DAY)]
    return [
        Window(min(1, limits.otp_resend_after), limits.otp_resend_after),
        Window(limits.otp_per_hour, HOUR),
        Window(limits.otp_per_day, DAY),
    ]


def pause(limits: Limits, purpose: str) -> int:
    """Seconds between two sendings."""
    return limits.mail_otp_resend_after if purpose == MAIL else limits.otp_resend_after


def guesses(limits: Limits, purpose: str) -> int:
    """How many guesses a code stands; with the count switched off, as many as there are codes."""
    return (limits.otp_attempts_careful if purpose in CAREFUL else limits.otp_attempts) or 10**6


async def spend(
    tx: AsyncSession,
    kit: Kit,
    *,
    phone: str,
    share: str,
    who: str,
    jkt: str | None,
    address: str,
    now: datetime,
    purpose: str,
    at_once: bool = False,
) -> list[bytes] | None:
    """Count one sending against phone, person, device and address; returns what to refund (rule 203).

    A phone has a budget for each `share`, by who may cause the sending: so a stranger who types a number, registers
    with it or asks for its recovery uses up nothing of the owner's, nor whoever has the password anything of a device
    that the account knows (rule 202). What others at an address ask for is no matter of such a device
    either. `at_once`: the person turns to another number and need not wait for the pause of the first. Of a number
    that was only `ASKED` for the caller must learn nothing: when it has had enough nothing is returned, and the
    message must not leave.
    """
    limits = kit.limits
    counts = windows(limits, purpose)
    kind = "mail" if purpose == MAIL else "sms"
    wants = [(f"{kind} person", who, counts[1:] if at_once else counts)]
    if not share.startswith(KNOWN):
        wants.append(("sms address", address, [Window(limits.otp_per_address_per_hour, HOUR)]))
    if jkt is not None:
        wants.append((f"{kind} device", jkt, counts[1:]))
    own = (f"{kind} phone {share}", phone, counts)
    if share != ASKED:
        return await kit.throttle.spend(tx, [*wants, own], now=now, refusal=OtpLimit)
    spent = await kit.throttle.spend(tx, wants, now=now, refusal=OtpLimit, if_room=[own])
    return spent if kit.throttle.key(*own[:2]) in spent else None


async def issue(
    tx: AsyncSession,
    kit: Kit,
    flow: Running,
    *,
    phone: str,
    purpose: str,
    account_id: UUID | None,
    now: datetime,
    instead_of: Code | None = None,
) -> Code:
    """Make the flow's code; the caller has spent the budgets and sends the text after the commit.

    Of somebody unproved nothing is journalled: a stranger could fill the journal for ever with what came to nothing,
    and whoever asks about somebody that we do not know meets the same work. `instead_of` is the flow's code to another
    number: it is right no more, and its guesses count on.
    """
    code_id = new_id()
    code = Code(
        id=code_id,
        flow_id=flow.id,
        account_id=account_id,
        purpose=purpose,
        phone=kit.keys.seal("one_time_codes.phone", code_id, phone),
        phone_blind=kit.keys.blind("phone", phone),
        key_id=kit.keys.newest,
        attempts=instead_of.attempts if instead_of else 0,
        sendings=1,
        first_sent_at=now,
        last_sent_at=now,
        expires_at=now,
        used_at=None,
        voided_at=None,
    )
    code = code_life.first(kit, code, now=now)
    if instead_of is not None:
        await VOID.run(tx, code=instead_of.id, now=now)
    await ISSUE.run(tx, **code._asdict())
    _journal_sending(tx, kit, code, now)
    return code


def _journal_sending(tx: AsyncSession, kit: Kit, code: Code, now: datetime) -> None:
    if code.account_id is not None:
        fact = CodeSent(
            subject=code.account_id, flow=code.flow_id, purpose=code.purpose, sending=code.sendings
        )
        kit.journal.record(tx, fact, by=None, now=now)


async def sent_again(tx: AsyncSession, kit: Kit, code: Code, *, now: datetime) -> Code:
    """The same code lives from this sending on, never past its total (rule 203); raises OtpExpired."""
    if code_life.is_over_for_good(kit, code, now=now):
        raise OtpExpired
    code = code_life.again(kit, code._replace(sendings=code.sendings + 1), now=now)
    await _keep_sending(tx, code)
    _journal_sending(tx, kit, code, now)
    return code


async def _keep_sending(tx: AsyncSession, code: Code) -> None:
    await SENT.run(tx, code=code.id, times=code.sendings, sent_at=code.last_sent_at, until=code.expires_at)


async def of_flow(tx: AsyncSession, flow: Running) -> Code:
    """The flow's living code; raises OtpExpired when there is none."""
    found = await OF_FLOW.all(tx, flow=flow.id)
    if not found:
        raise OtpExpired
    return found[0]


def text_of(kit: Kit, code: Code, flow: Running) -> str:
    """The six digits; raises OtpExpired when the code's key was given up meanwhile."""
    if code.key_id not in kit.keys.key_ids:
        raise OtpExpired
    binding = "|".join(
        (
            str(code.id),
            str(flow.id),
            str(code.account_id),
            code.purpose,
            code.phone_blind.hex(),
            str(flow.jkt),
        )
    )
    secret = base64.b32encode(kit.keys.mac("one-time code", binding.encode(), code.key_id)).decode()
    return str(pyotp.HOTP(secret, digits=6).at(0))


async def count_guess(tx: AsyncSession, kit: Kit, flow: Running, *, now: datetime) -> Code:
    """Spend one guess; commit this before comparing (rule 208). Raises when nothing is left to guess at."""
    most, careful = guesses(kit.limits, flow.kind), guesses(kit.limits, CAREFUL[0])
    guessed = await GUESS.maybe(tx, flow=flow.id, most=most, careful=careful)
    code = guessed or await of_flow(tx, flow)
    if code.used_at is not None:
        raise OtpExhausted
    if code_life.is_over(kit, code, now=now):
        raise OtpExpired
    if guessed is None:
        raise OtpExhausted
    return guessed


def matches(kit: Kit, code: Code, flow: Running, typed: str) -> bool:
    """Constant-time comparison with the code that was sent (rule 206)."""
    return hmac.compare_digest(text_of(kit, code, flow), typed)


def wrong(tx: AsyncSession, kit: Kit, code: Code, *, now: datetime) -> OtpWrong:
    """Remember a wrong guess; the caller commits and then raises what this returns."""
    left = guesses(kit.limits, code.purpose) - code.attempts
    if code.account_id is not None:
        fact = CodeWrong(subject=code.account_id, flow=code.flow_id, attempts_left=left)
        kit.journal.record(tx, fact, by=None, now=now)
    return OtpWrong(attempts_left=left)


async def consume(tx: AsyncSession, code: Code, *, now: datetime) -> None:
    """Use the code up; of any number of right guesses one gets through (rule 204)."""
    if await USE.touched(tx, code=code.id, now=now) == 0:
        raise OtpExhausted


async def release(tx: AsyncSession, code: Code) -> None:
    """Make a code right again whose act somebody else has hindered; the guess that used it up costs nothing."""
    await RELEASE.run(tx, code=code.id)


async def give_back(tx: AsyncSession, code: Code) -> None:
    """A right code could not be acted on, because somebody else did not answer: it costs no guess."""
    await GIVE_BACK.touched(tx, code=code.id)


async def void(tx: AsyncSession, flow: Running, keys: list[bytes], *, now: datetime) -> None:
    """The message did not leave: nothing is counted and no code of the flow is right any more."""
    await VOID_OF_FLOW.touched(tx, flow=flow.id, now=now)
    await throttle.refund(tx, keys, now=now)


async def unsend(
    tx: AsyncSession, kit: Kit, code: Code, keys: list[bytes], *, sent_at: datetime, now: datetime
) -> None:
    """A repeated sending did not leave: the code lives as from the one before, and nothing is counted."""
    row = await CODE.maybe(tx, code=code.id)
    if row is not None:
        await _keep_sending(tx, code_life.as_of(kit, row._replace(sendings=row.sendings - 1), sent_at))
    await throttle.refund(tx, keys, now=now)
