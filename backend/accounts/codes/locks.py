"""Rests after too many wrong tries: codes of one person and purpose, passwords of one number (rule 207; case TO17).

A rest is of one channel, other ways in stay open, and the owner is told once. It is counted for whoever is named,
known or not; who is behind the name is looked up after the answer, so that its time tells nothing (case TO14).
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend import tallies
from backend.account import Account
from backend.accounts.codes import codes, sms_budget
from backend.accounts.codes.captcha import HARDEST
from backend.alarms import Name, alarm
from backend.db import Database
from backend.devices.known import knows_key
from backend.errors import TooMany
from backend.facts import TriesSpent
from backend.flows import Running
from backend.kit import Kit
from backend.limits import Limits
from backend.support import notices
from backend.tallies import Want
from backend.throttle import Window

RECOVERY = "recovery"
SPRAY: Name = "wrong_reset_codes"
REST = 7200  # seconds that codes rest after too many wrong ones (rule 207)
PASSWORD = "password"  # noqa: S105 - the name of a channel
# wrong passwords of one person: of some minutes and a place, of a day, and that the owner was told of a whole day's
BURST, DAY, TOLD = "password", "password day", "password day told"


async def refuse_resting(
    tx: AsyncSession, kit: Kit, flow: Running, who: str, address: str, now: datetime
) -> int:
    """Raise codes.OtpLimit while codes of this kind of flow rest, for the person or for the network; else the work
    that a guess costs (`work.demand`).

    When many accounts are sprayed with wrong reset codes, a code alone proves too little (TO18). A device that the
    account knows is asked for nothing more; one network that sprays is refused on any other; from others every
    guess costs work, more with every wrong one, and nobody closes recovery for the province. `address` is where the
    flow was begun.
    """
    limits, kind = kit.limits, flow.kind
    if limits.wrong_codes_per_day:
        rest = Window(1, REST)
        if await kit.throttle.left(tx, f"{kind} lock", who, [rest], now=now) <= 0:
            raise codes.OtpLimit(retry_after=REST)
    if kind != RECOVERY:
        return 0
    known = await knows_key(tx, flow.account_id or UUID(int=0), flow.jkt)
    name, of, window = _of_network(limits, address)
    if window[0].count and await kit.throttle.left(tx, name, of, window, now=now) <= 0:
        alarm(name)
        if not known:
            raise codes.OtpLimit(retry_after=codes.HOUR)
    level = await _spray(tx, kit, now)
    if level > 0:
        alarm(SPRAY)
        if not known and not limits.captcha_seconds:  # no work can be asked for
            raise codes.OtpLimit(retry_after=codes.HOUR)
    return 0 if known else level


async def _spray(tx: AsyncSession, kit: Kit, now: datetime) -> int:
    """How much work a guess costs: a level for each whole budget of wrong ones in the hour."""
    most = kit.limits.wrong_reset_codes_per_hour
    if not most:
        return 0
    return min(
        HARDEST, await tallies.counted(tx, kit.throttle.key(SPRAY, "all"), codes.HOUR, now=now) // most
    )


def _of_network(limits: Limits, address: str) -> sms_budget.Count:
    """What a wrong reset code counts to, of the network of `address`."""
    most = limits.wrong_reset_codes_per_network_per_hour if limits.otp_per_address_per_hour else 0
    return "wrong_reset_codes_network", sms_budget.network(address), [Window(most, codes.HOUR)]


async def count_wrong_code(
    tx: AsyncSession, kit: Kit, kind: str, who: str, address: str | None, now: datetime
) -> bool:
    """Count a wrong code of one person, and wrong resets of its network and of everybody; True when a rest begins.

    A network that has had its share adds nothing to everybody's: one line makes nobody else work.
    """
    most, rests = kit.limits.wrong_codes_per_day, False
    if most and kind != "registration":
        day = Window(most, codes.DAY)
        if await kit.throttle.left(tx, f"{kind} wrong", who, [day], now=now) <= 1:
            rests = await _spent(tx, kit, f"{kind} lock", who, Window(1, REST), now)
        await _spent(tx, kit, f"{kind} wrong", who, day, now)
    if kind == RECOVERY and address is not None:
        with suppress(TooMany):
            await kit.throttle.spend(tx, [_of_network(kit.limits, address)], now=now)
            everybody = [Window(kit.limits.wrong_reset_codes_per_hour, codes.HOUR)]
            await tallies.add(tx, [Want(kit.throttle.key(SPRAY, "all"), everybody)], now=now)
    return rests


async def passwords_have_run_out(tx: AsyncSession, kit: Kit, name: str, now: datetime) -> bool:
    """Whether a wrong password was the last of the day for whom it counts to; True once a day."""
    most = kit.limits.password_tries_per_day
    day = Window(most, codes.DAY)
    if not most or await kit.throttle.left(tx, DAY, name, [day], now=now) > 0:
        return False
    return await _spent(tx, kit, TOLD, name, Window(1, codes.DAY), now)


async def forget_passwords(tx: AsyncSession, kit: Kit, account_id: UUID, jkt: str | None) -> None:
    """After a recovery, on the device `jkt`, what was tried before counts no more: it was another password."""
    tried = [(what, who) for what in (DAY, TOLD) for who in (str(account_id), f"{account_id}|{jkt}")]
    await kit.throttle.forget(tx, [(BURST, f"{account_id}|{jkt}"), *tried])


async def tell_owner(db: Database, kit: Kit, account_id: UUID | None, kind: str, *, now: datetime) -> None:
    """Tell of a rest of this kind of flow, after the answer; nobody has no notice and costs the same questions."""
    async with db.write() as tx:
        await told(tx, kit, account_id, kind, now=now)


async def told(tx: AsyncSession, kit: Kit, account_id: UUID | None, kind: str, *, now: datetime) -> None:
    """The same in a transaction of the caller."""
    kit.journal.record(tx, TriesSpent(subject=account_id, purpose=kind), by=None, now=now)
    account = await tx.get(Account, account_id or UUID(int=0), with_for_update=True)
    if account is not None and account.status == "active":
        notices.tell(tx, kit, account.id, "codes_locked", now=now, what=kind, purpose=kind)


async def _spent(tx: AsyncSession, kit: Kit, what: str, who: str, window: Window, now: datetime) -> bool:
    """Whether there was room; full already is all there is to know."""
    try:
        await kit.throttle.spend(tx, [(what, who, [window])], now=now)
    except TooMany:
        return False
    return True
