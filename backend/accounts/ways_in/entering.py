"""The last step of every way in: the slot is taken, and the person's own history says so (rule 302)."""

from __future__ import annotations

from datetime import datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import people
from backend.accounts.models import Account
from backend.accounts.self import history
from backend.devices import sessions
from backend.devices.sessions import Device, Replaced, Tokens
from backend.kit import Kit


class Done(msgspec.Struct, frozen=True):
    """Somebody is in."""

    tokens: Tokens
    account: dict[str, object]
    replaced: Replaced | None


async def let_in(
    tx: AsyncSession,
    kit: Kit,
    account: Account,
    device: Device,
    *,
    method: str,
    level: int,
    jkt: str | None,
    place: str | None,
    now: datetime,
    shown: datetime | None = None,
) -> Done:
    """Open the mobile session of a proved person and say who is in.

    `level` is the strength of this sign-in, `shown` when the person was last seen to be there: now if nothing is said.
    """
    await tx.flush()
    tokens, replaced = await sessions.open_mobile(
        tx, kit, account.id, device=device, jkt=jkt, method=method, level=level, shown=shown or now, now=now
    )
    history.remember(
        tx,
        account.id,
        method=method,
        good=True,
        device=device.name,
        place=place,
        now=now,
        session_id=tokens.session_id,
    )
    return Done(tokens=tokens, account=await people.described(tx, kit, account), replaced=replaced)
