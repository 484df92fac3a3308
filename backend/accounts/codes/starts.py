"""How many sign-ins may begin: anybody may begin one, and each is a row for a quarter of an hour (A15)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend import tallies
from backend.accounts.codes.codes import HOUR
from backend.accounts.codes.sms_budget import network
from backend.alarms import alarm
from backend.caller import Caller
from backend.devices.known import whose_key
from backend.errors import TooMany
from backend.kit import Kit
from backend.tallies import Want
from backend.throttle import Window


async def count(tx: AsyncSession, kit: Kit, caller: Caller, *, account: UUID | None = None) -> None:
    """Count one beginning in the caller's network; raises TooMany. Call it last in the transaction (`tallies.add`).

    A device that some account knows, or a session, counts for that `account`: neighbours use up nothing of its own,
    and whoever makes many devices known has still one budget.
    """
    most = kit.limits.logins_per_network_per_hour
    if not most:
        return
    account = account or await whose_key(tx, caller.jkt)
    what, who = ("logins account", str(account)) if account else ("logins network", network(caller.address))
    (wait,) = await tallies.add(tx, [Want(kit.throttle.key(what, who), [Window(most, HOUR)])], now=caller.now)
    if wait > 0:
        alarm("sign_ins_network")
        raise TooMany(retry_after=wait)
