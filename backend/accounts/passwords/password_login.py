"""Signing in by number and password, then a code to the OTP phone (source 001, 2.1; rules 154, 155).

An unknown person and a wrong password are one answer, in bytes and in time (rule 121; case TO14).
"""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.codes import codes, locks, otp, starts
from backend.accounts.codes.otp import CodeStep
from backend.accounts.door import Door
from backend.accounts.identity import numbers, people
from backend.accounts.models import Phone
from backend.accounts.passwords import passwords
from backend.accounts.self import history
from backend.accounts.ways_in.login import LOGIN, LoginData
from backend.caller import Caller
from backend.devices.known import own_counts
from backend.devices.sessions import AccountFrozen, Device
from backend.errors import TooMany, Unproved
from backend.facts import SignInRefused
from backend.figures import counted
from backend.kit import Kit
from backend.names import masked_phone
from backend.throttle import Want, Window, refund

BURST = 300
FOR_AN_ADDRESS = 40  # offices and carriers share one: so many times what one account may


class CredentialsWrong(Unproved):
    """Number and password do not go together, or nobody has this number."""

    code = "credentials_wrong"
    title = "Tên đăng nhập hoặc mật khẩu chưa đúng"


class TooManyAttempts(TooMany):
    """Too many wrong passwords; other ways in stay open."""

    code = "too_many_attempts"
    title = "Bạn đã nhập sai nhiều lần, vui lòng thử lại sau hoặc đăng nhập bằng VNeID"


class Choice(msgspec.Struct, frozen=True):
    """One of the numbers that may get the code."""

    id: UUID
    sent_to: str


class Found(NamedTuple):
    """The account behind a number, as far as a password sign-in needs it, and the caller's key if it knows that."""

    account_id: UUID | None
    stored: str | None
    known_key: str | None


class Tries(NamedTuple):
    """What wrong passwords count to: `who` they are tried for, and what others at an `address` share.

    A `device` that the account knows has counts of its own: what strangers try closes nothing there.
    """

    who: str
    address: str
    device: str | None

    @property
    def day(self) -> str:
        """Whose count of the day refuses."""
        return self.who if self.device is None else f"{self.who}|{self.device}"


async def begin(
    door: Door,
    device: Device,
    caller: Caller,
    *,
    number: str,
    password: str,
    captcha: str | None,
) -> tuple[CodeStep, list[Choice]]:
    """Check captcha and password, send the code; raises CredentialsWrong or TooManyAttempts."""
    now = caller.now
    solved = door.captcha.check(captcha, now)
    name = number.strip().upper()
    async with door.db.write() as tx:
        await door.captcha.spend(tx, solved, now=now)
        found = await find(tx, door.kit, name, caller.jkt)
        tries = tries_of(found.account_id, name, caller.address, found.known_key)
        spent = await count_try(tx, door.kit, tries, now)
        await starts.count(tx, door.kit, caller)
    if not await is_right(door, found.stored, password, tries, spent, now):
        refusal = CredentialsWrong()
        refusal.later = partial(remember, door, found.account_id, tries, device.name, now)
        raise refusal
    renewed = await door.passwords.hashed(password) if door.passwords.is_old(found.stored or "") else None
    try:
        return await _send_code(door, found, device, renewed, caller)
    except CredentialsWrong as refusal:  # right when it was compared: it counts like any that is wrong now
        async with door.db.write() as tx:
            await count_try(tx, door.kit, tries, now)
        refusal.later = partial(remember, door, found.account_id, tries, device.name, now)
        raise


def tries_of(account_id: UUID | None, name: str, address: str, device: str | None) -> Tries:
    """Where a password for the number `name` is counted; `device` is named only if the account knows it."""
    return Tries(str(account_id) if account_id is not None else name, address, device)


async def _send_code(
    door: Door, found: Found, device: Device, renewed: str | None, caller: Caller
) -> tuple[CodeStep, list[Choice]]:
    account_id, compared, known_key = found
    assert account_id is not None
    async with door.db.write() as tx:
        account, phones = await _ready(tx, account_id)
        row = await passwords.current(tx, account_id)
        if row is None or row.hash != compared:  # changed or removed since: whoever knows the old one is out
            raise CredentialsWrong
        row.hash, row.last_used_at = renewed or row.hash, caller.now
        data = LoginData(
            device=device,
            method="password",
            address=caller.address,
            phone=people.number_of(door.kit, phones[0]),
            who=str(account_id),
            owned=True,
            known_key=known_key,
            level=min(account.assurance_level, 2),
        )
        flow = await LOGIN.start(tx, door.kit, caller, "otp", data, account_id=account_id)
        owed, step = await otp.begin(flow)
    step = await otp.deliver(door, owed, step)
    return step, [Choice(row.id, masked_phone(people.number_of(door.kit, row))) for row in phones]


async def _ready(tx: AsyncSession, account_id: UUID) -> tuple[Account, list[Phone]]:
    """The account, when it may be signed in to by a code."""
    account = await tx.get_one(Account, account_id, with_for_update=True)
    if account.frozen_at is not None:
        raise AccountFrozen
    phones = await people.phones_of(tx, account_id)
    if account.status != "active" or not phones:
        raise CredentialsWrong
    return account, phones


async def find(tx: AsyncSession, kit: Kit, name: str, jkt: str | None) -> Found:
    """The account that holds this number in any of its kinds, and its password; the same questions for nobody."""
    account_id = await numbers.holder_of_any(tx, kit, name)
    row = await passwords.current(tx, account_id or UUID(int=0))
    known_key = await own_counts(tx, account_id, jkt)
    return Found(account_id, row.hash, known_key) if row else Found(None, None, None)


async def count_try(tx: AsyncSession, kit: Kit, tries: Tries, now: datetime) -> list[bytes]:
    """Count a password before it is compared: many at once are no more than many after each other (rule 208).

    Raises TooManyAttempts while the budget of wrong ones is spent, whoever it is for; `is_right` takes what this
    returns.
    """
    try:
        wants, if_room = _budgets(kit, tries)
        return await kit.throttle.spend(tx, wants, now=now, refusal=TooManyAttempts, if_room=if_room)
    except TooManyAttempts as refusal:
        raise TooManyAttempts(retry_after=min(900, refusal.retry_after or 900)) from None


async def is_right(
    door: Door, stored: str | None, password: str, tries: Tries, spent: list[bytes], now: datetime
) -> bool:
    """Whether the password is right; if so, and if there was no room to look, the try costs nothing."""
    try:
        good = await door.passwords.fits(stored, password, proved=tries.device is not None)
    except passwords.TooBusy:
        await _give_back(door, spent, now)
        raise
    if good:
        await _give_back(door, spent, now)
    return good


async def _give_back(door: Door, spent: list[bytes], now: datetime) -> None:
    async with door.db.write() as tx:
        await refund(tx, spent, now=now)


async def remember(door: Door, account_id: UUID | None, tries: Tries, device: str, now: datetime) -> None:
    """After the answer, so that it takes as long for nobody as for somebody (case TO14)."""
    async with door.db.write() as tx:
        await wrong(tx, door, account_id, tries, device, now)


async def wrong(
    tx: AsyncSession, door: Door, account_id: UUID | None, tries: Tries, device: str, now: datetime
) -> None:
    """Remember a wrong password; the person's own history tells of it, and a notice when it was the day's last."""
    door.kit.journal.record(
        tx, SignInRefused(subject=account_id, reason=CredentialsWrong.code), by=None, now=now
    )
    counted(tx, "ngomon_logins", "password", "refused")
    # before the history, whose line holds the account: of two that wait for each other here PostgreSQL ends one
    if await locks.passwords_have_run_out(tx, door.kit, tries.day, now):
        await locks.told(tx, door.kit, account_id, locks.PASSWORD, now=now)
    if account_id is not None:
        history.remember(
            tx,
            account_id,
            method="password",
            good=False,
            device=device,
            place=door.places.of(tries.address),
            now=now,
        )


def _budgets(kit: Kit, tries: Tries) -> tuple[list[Want], list[Want]]:
    """What a try needs room in, and what it is added to where there is room."""
    most, days = kit.limits.password_tries, [Window(kit.limits.password_tries_per_day, codes.DAY)]
    everywhere = (locks.DAY, tries.who, days)
    if tries.device is not None:
        return [(locks.BURST, tries.day, [Window(most, BURST)]), (locks.DAY, tries.day, days)], [everywhere]
    return [
        (locks.BURST, f"{tries.who}|{tries.address}", [Window(most, BURST)]),
        ("password address", tries.address, [Window(most * FOR_AN_ADDRESS, BURST)]),
        everywhere,
    ], []
