"""What all text messages together may be: a stranger with many numbers and many addresses must not make the
province pay for thousands (SMS pumping, rule 210; case TO12).

A part of the budget is kept for numbers that their owners have confirmed and for people who have already shown a
password or VNeID, so that they still get their codes while somebody floods the rest.
"""

from __future__ import annotations

import ipaddress
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from backend import tallies
from backend.accounts.codes.captcha import HARDEST
from backend.accounts.codes.codes import DAY, HOUR, OtpLimit
from backend.alarms import Name, alarm
from backend.counting import count
from backend.kit import Kit
from backend.limits import Limits
from backend.tallies import Want
from backend.throttle import Window, counting

FIVE_MINUTES = 300
FREE = 4  # tenths of the province's share, and the one that is begun, that cost no work
BLOCK = 4  # digits at the end of a number that make a block: ten thousand subscribers of one carrier

Count = tuple[Name, str, list[Window]]  # what the alarm is called, of whom, and how many


async def spend(
    tx: AsyncSession,
    kit: Kit,
    *,
    phone: str,
    confirmed: bool,
    address: str,
    now: datetime,
    leaves: bool = True,
) -> None:
    """Count one message of the province; raises codes.OtpLimit, the same for everybody, when there is no room.

    `phone` is the number that the caller typed, or nothing where it must not be known. Call it last in the
    transaction (see `tallies.add`). A message that could not be handed over counts all the same; one that never
    `leaves`, because there is nobody, counts in the caller's own network only: it costs the province nothing (A14).
    """
    if not kit.limits.otp_per_address_per_hour:  # outside production: nobody counts what strangers share
        return
    limits = kit.limits
    wants = [] if confirmed else _of_newcomers(limits, phone, address)
    wants.append(
        ("sms_budget_all", "", _in_all(limits, 100 if confirmed else 100 - limits.sms_reserved_percent))
    )
    counted = [(name, who, found) for name, who, windows in wants if (found := counting(windows))]
    waits = await tallies.add(
        tx,
        [
            Want(kit.throttle.key(name, who), found, 1 if leaves or name == "sms_budget_network" else 0)
            for name, who, found in counted
        ],
        now=now,
    )
    for (name, _, _), wait in zip(counted, waits, strict=True):
        if wait > 0:
            alarm(name)
            count("ngomon_sms", "over_budget")
            raise OtpLimit(retry_after=wait)


async def left(tx: AsyncSession, kit: Kit, *, now: datetime) -> int | None:
    """How many messages the province may still send within the last day's window; nothing where nobody counts."""
    most = kit.limits.sms_per_day
    if not kit.limits.otp_per_address_per_hour or not most:
        return None
    used = await tallies.counted(tx, kit.throttle.key("sms_budget_all", ""), DAY, now=now)
    return max(0, most - used)


async def level(tx: AsyncSession, kit: Kit, *, hidden: bool, address: str, now: datetime) -> int:
    """How much work a newcomer's message costs now, from nothing to `captcha.HARDEST`.

    It rises with every tenth of what the network has used up, and with every tenth of the province's share beyond its
    half: long before either is used up a flood costs more than it is worth, and one network pays before all do.
    """
    limits = kit.limits
    if not limits.otp_per_address_per_hour or not limits.captcha_seconds:
        return 0
    of_network = [Window(limits.otp_per_network_per_hour, HOUR)]
    shares: list[tuple[Count, int]] = [
        (("sms_budget_network", network(address), of_network), 0),
        (("sms_budget_all", "", _in_all(limits, 100 - limits.sms_reserved_percent)), FREE),
    ]
    if hidden:
        shares.append((("sms_budget_hidden", "", _in_all(limits, _half(limits))), FREE))
    asked = [
        (kit.throttle.key(name, who), window, free)
        for (name, who, windows), free in shares
        for window in counting(windows)
    ]
    used = await tallies.sums(tx, [(key, window.seconds) for key, window, _ in asked], now=now)
    levels = (n * 10 // window.count - free for n, (_, window, free) in zip(used, asked, strict=True))
    return min(max(levels, default=0), HARDEST)


def _half(limits: Limits) -> int:
    """Percent of everything that hidden numbers may use: half of the newcomers'."""
    return (100 - limits.sms_reserved_percent) // 2


def _of_newcomers(limits: Limits, phone: str, address: str) -> list[Count]:
    """Codes to hidden numbers cost nothing to ask for, so half of the newcomers' share is theirs.

    Beyond it work is asked for (`level`), up to what newcomers may have in all; where none can be, it ends there.
    """
    wants: list[Count] = [
        ("sms_budget_network", network(address), [Window(limits.otp_per_network_per_hour, HOUR)])
    ]
    if phone:
        wants.append(("sms_budget_block", phone[:-BLOCK], [Window(limits.otp_per_block_per_hour, HOUR)]))
    else:
        percent = 100 - limits.sms_reserved_percent if limits.captcha_seconds else _half(limits)
        wants.append(("sms_budget_hidden", "", _in_all(limits, percent)))
    return wants


def _in_all(limits: Limits, percent: int) -> list[Window]:
    return [
        Window(
            -(-count * percent // 100), seconds
        )  # rounded up: none of a counted budget would mean uncounted
        for count, seconds in ((limits.sms_per_five_minutes, FIVE_MINUTES), (limits.sms_per_day, DAY))
    ]


def network(address: str) -> str:
    """The neighbourhood of an address: /24, of IPv6 /48, which is what one customer of a provider gets."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, 24 if found.version == 4 else 48), strict=False))
