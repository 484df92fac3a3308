"""The last step of every way in: the slot is taken, and the person's own history says so (rule 302)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol

import msgspec

from backend.account_rows import AccountNow
from backend.accounts.door import Door
from backend.accounts.identity import people
from backend.accounts.self import history
from backend.devices import sessions
from backend.devices.sessions import Device, Replaced, Tokens
from backend.flows import Handle


class Done(msgspec.Struct, frozen=True):
    """Somebody is in."""

    tokens: Tokens
    account: dict[str, object]
    replaced: Replaced | None


class Arrival(Protocol):
    """What every way in remembers of the phone."""

    @property
    def device(self) -> Device:
        """As it described itself."""

    @property
    def address(self) -> str:
        """Where it began from."""


async def let_in(
    door: Door,
    flow: Handle[Any],
    data: Arrival,
    account: AccountNow,
    *,
    method: str,
    level: int,
    shown: datetime | None = None,
) -> Done:
    """End the flow, open the mobile session of a proved person and say who is in.

    `level` is the strength of this sign-in, `shown` when the person was last seen to be there: now if nothing is said.
    """
    tx, kit, now, device = flow.tx, flow.kit, flow.now, data.device
    await flow.advance("done", account_id=account.id)
    tokens, replaced = await sessions.open_mobile(
        tx,
        kit,
        account.id,
        device=device,
        jkt=flow.row.jkt,
        method=method,
        level=level,
        shown=shown or now,
        now=now,
    )
    await history.let_in(
        tx,
        account.id,
        method=method,
        device=device.name,
        place=door.places.of(data.address),
        now=now,
        session_id=tokens.session_id,
    )
    return Done(tokens=tokens, account=await people.described(tx, kit, account), replaced=replaced)
