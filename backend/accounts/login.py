"""Signing in on a phone: VNeID says who, a code proves the phone of a new person, one device gets in (source 003, III).

These use cases span several transactions, because the e-ID and the SMS centre are asked
between them; so they take the database and open each one visibly.
"""

from __future__ import annotations

import hmac
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from backend import flows
from backend.accounts import people
from backend.accounts.models import Account
from backend.db import Database
from backend.devices import sessions
from backend.devices.sessions import Device, Replaced, Tokens
from backend.errors import Forbidden, Refusal, settle
from backend.facts import SignInRefused, SignInStarted
from backend.flows import Flow
from backend.kit import Kit
from backend.outside.eid import Attempt, EId, LoginRefused, ProviderUnavailable
from backend.outside.eid_claims import Person
from backend.outside.sms import Sms
from backend.settings import Settings

KIND = "login"


class LoginCancelled(Forbidden):
    """The person turned back at the e-ID."""

    code = "login_cancelled"
    title = "Bạn đã hủy đăng nhập"


class LoginData(msgspec.Struct, frozen=True):
    """What a sign-in remembers between its steps, encrypted."""

    device: Device
    attempt: Attempt
    address: str
    person: Person | None = None
    phone: str | None = None


class PhoneStep(msgspec.Struct, frozen=True):
    """The sign-in waits for a phone number."""

    id: UUID
    step: str = "phone"


class Done(msgspec.Struct, frozen=True):
    """Somebody is in."""

    tokens: Tokens
    account: dict[str, object]
    replaced: Replaced | None


class Door(msgspec.Struct, frozen=True):
    """What signing in needs of the world."""

    db: Database
    kit: Kit
    eid: EId
    sms: Sms
    settings: Settings


async def begin(
    door: Door, device: Device, *, jkt: str | None, address: str, now: datetime
) -> tuple[Flow, str]:
    """Start a sign-in; returns the flow and the address of the e-ID's page."""
    url, attempt = await door.eid.begin(door.settings.vneid_redirect_uri)
    data = LoginData(device=device, attempt=attempt, address=address)
    async with door.db.write() as tx:
        flow = flows.start(
            tx,
            door.kit.keys,
            kind=KIND,
            step="authorize",
            data=data,
            jkt=jkt,
            lifetime=door.kit.limits.flow_lifetime,
            now=now,
        )
        door.kit.journal.record(tx, SignInStarted(flow=flow.id, method="vneid"), by=None, now=now)
    return flow, url


async def authorize(
    door: Door,
    flow_id: UUID,
    *,
    state: str,
    code: str | None,
    iss: str | None,
    jkt: str | None,
    now: datetime,
) -> PhoneStep | Done:
    """Take the e-ID's answer: the state is used up first, then the code is exchanged, then somebody gets in."""
    async with door.db.write() as tx:
        claimed = await _claim(tx, door.kit, flow_id, state=state, code=code, jkt=jkt, now=now)
    data = settle(claimed)
    assert code is not None
    try:
        person = await door.eid.finish(data.attempt, code=code, iss=iss)
    except (ProviderUnavailable, LoginRefused) as refusal:
        await _close(door, flow_id, refusal, jkt=jkt, now=now)
        raise
    async with door.db.write() as tx:
        flow = await flows.find(tx, flow_id, kind=KIND, jkt=jkt, now=now)
        flows.expect(flow, "exchange")
        known = await people.account_of(tx, door.kit, person, now=now)
        if known is not None and await people.phones_of(tx, known.id):
            await flows.advance(tx, door.kit.keys, flow, to="done", account_id=known.id)
            return await let_in(tx, door.kit, known, data.device, person, jkt=jkt, now=now)
        await flows.advance(
            tx,
            door.kit.keys,
            flow,
            to="phone",
            data=msgspec.structs.replace(data, person=person),
            account_id=known.id if known else None,
        )
    return PhoneStep(id=flow_id)


async def _claim(
    tx: AsyncSession, kit: Kit, flow_id: UUID, *, state: str, code: str | None, jkt: str | None, now: datetime
) -> LoginData | Refusal:
    """Use the state up (security TL01, TL02); a wrong one ends the flow for good, so its refusal is returned."""
    flow = await flows.find(tx, flow_id, kind=KIND, jkt=jkt, now=now)
    flows.expect(flow, "authorize")
    data = flows.data_of(flow, kit.keys, LoginData)
    late = (now - flow.created_at).total_seconds() > kit.limits.state_lifetime
    if late or not hmac.compare_digest(state.encode(), data.attempt.state.encode()):
        refusal: Refusal | None = LoginRefused()
    else:
        refusal = LoginCancelled() if code is None else None
    await flows.advance(tx, kit.keys, flow, to="ended" if refusal else "exchange")
    if refusal:
        kit.journal.record(tx, SignInRefused(flow=flow_id, reason=refusal.code), by=None, now=now)
        return refusal
    return data


async def _close(door: Door, flow_id: UUID, refusal: Refusal, *, jkt: str | None, now: datetime) -> None:
    """After a refusal the flow is over; when the e-ID was out of reach the same answer may be brought again."""
    async with door.db.write() as tx:
        flow = await flows.find(tx, flow_id, kind=KIND, jkt=jkt, now=now)
        again = isinstance(refusal, ProviderUnavailable)
        await flows.advance(tx, door.kit.keys, flow, to="authorize" if again else "ended")
        door.kit.journal.record(tx, SignInRefused(flow=flow_id, reason=refusal.code), by=None, now=now)


async def let_in(
    tx: AsyncSession,
    kit: Kit,
    account: Account,
    device: Device,
    person: Person,
    *,
    jkt: str | None,
    now: datetime,
) -> Done:
    """Open the session and say who is in."""
    await tx.flush()
    tokens, replaced = await sessions.open_mobile(
        tx, kit, account.id, device=device, jkt=jkt, method="vneid", level=person.level, now=now
    )
    return Done(tokens=tokens, account=await people.described(tx, kit, account), replaced=replaced)
