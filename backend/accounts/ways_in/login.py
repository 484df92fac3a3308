"""Signing in on a phone: VNeID or the post office says who, a code proves a new phone, one device gets in (rule 111).

These use cases span several transactions, because the e-ID and the SMS centre are asked
between them; so they take the door and open each one visibly (source 003, III; 001, II).
"""

from __future__ import annotations

import hmac
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from backend import flows
from backend.accounts.codes import starts
from backend.accounts.codes.otp import CodeData
from backend.accounts.door import Door
from backend.accounts.identity import ending, people
from backend.accounts.identity.ending import Coming
from backend.accounts.identity.evidence import POST_OFFICE, VNEID, level_of, of_person
from backend.accounts.models import Account
from backend.accounts.ways_in import step_up
from backend.accounts.ways_in.entering import Done, let_in
from backend.devices import takeover
from backend.devices.entry import Who
from backend.devices.sessions import Device
from backend.errors import Forbidden, Refusal, settle
from backend.facts import SignInRefused
from backend.flows import Flow
from backend.kit import Kit
from backend.outside.eid.eid import Attempt, EId, LoginRefused, ProviderUnavailable
from backend.outside.eid.eid_claims import Person

KIND = "login"


class LoginCancelled(Forbidden):
    """The person turned back at the e-ID."""

    code = "login_cancelled"
    title = "Bạn đã hủy đăng nhập"


class LoginData(CodeData, frozen=True, kw_only=True):
    """What a sign-in remembers between its steps, encrypted."""

    device: Device
    method: str = "vneid"
    attempt: Attempt | None = None
    person: Person | None = None
    level: int = 0  # of a password sign-in
    step_up: UUID | None = None  # the session that shall be strengthened


class PhoneStep(msgspec.Struct, frozen=True):
    """The sign-in waits for a phone number."""

    id: UUID
    step: str = "phone"


class Answer(msgspec.Struct, frozen=True):
    """What came back from the e-ID."""

    state: str
    code: str | None
    iss: str | None = None
    encrypt_key: str | None = None


def objection(
    attempt: Attempt, answer: Answer, *, late: bool = False
) -> LoginRefused | LoginCancelled | None:
    """Why an answer is not taken: another sign-in's or too late (cases TL01, TL02), or the person turned back."""
    if late or not hmac.compare_digest(answer.state.encode(), attempt.state.encode()):
        return LoginRefused()
    return LoginCancelled() if answer.code is None else None


def provider(door: Door, method: str) -> EId:
    """The e-ID behind a way in; raises ProviderUnavailable where none is configured."""
    eid = door.post_office if method == POST_OFFICE else door.eid
    if eid is None:
        raise ProviderUnavailable(retry_after=3600)
    return eid


async def use_up(
    tx: AsyncSession, kit: Kit, flow: Flow, attempt: Attempt, answer: Answer, now: datetime
) -> LoginRefused | LoginCancelled | None:
    """Take the answer's state, which works once; a refusal ends the flow for good, so it is returned."""
    late = (now - flow.created_at).total_seconds() > kit.limits.state_lifetime
    refusal = objection(attempt, answer, late=late)
    await flows.advance(tx, kit.keys, flow, to="ended" if refusal else "exchange")
    return refusal


async def close(tx: AsyncSession, kit: Kit, flow: Flow, refusal: Refusal) -> None:
    """After a refusal the flow is over; when the e-ID was out of reach the same answer may be brought again."""
    again = isinstance(refusal, ProviderUnavailable)
    await flows.advance(tx, kit.keys, flow, to="authorize" if again else "ended")


async def begin(
    door: Door,
    device: Device,
    *,
    jkt: str | None,
    address: str,
    now: datetime,
    method: str = "vneid",
    stepping_up: Who | None = None,
    fresh: bool = False,
) -> tuple[Flow, str]:
    """Start a sign-in, or the strengthening of a session; returns the flow and the address of the e-ID's page.

    With `fresh`, and to strengthen a session, the person has to show up at the e-ID anew. Raises TooMany when others
    in the network have begun too many.
    """
    settings = door.settings
    redirect = settings.post_office_redirect_uri if method == POST_OFFICE else settings.vneid_redirect_uri
    fresh = fresh or stepping_up is not None
    url, attempt = await provider(door, method).begin(redirect, fresh=fresh)
    data = LoginData(
        device=device,
        method=method,
        attempt=attempt,
        address=address,
        strict=False,
        step_up=stepping_up.session_id if stepping_up else None,
    )
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
            account_id=stepping_up.account_id if stepping_up else None,
        )
        account = stepping_up.account_id if stepping_up else None
        await starts.count(tx, door.kit, jkt=jkt, address=address, now=now, account=account)
    return flow, url


async def authorize(
    door: Door, flow_id: UUID, answer: Answer, *, jkt: str | None, now: datetime
) -> PhoneStep | Done:
    """Take the e-ID's answer: the state is used up first, then the code is exchanged, then somebody gets in."""
    async with door.db.write() as tx:
        claimed = await _claim(tx, door.kit, flow_id, answer, jkt=jkt, now=now)
    data = settle(claimed)
    assert answer.code is not None
    assert data.attempt is not None
    try:
        person = await provider(door, data.method).finish(
            data.attempt, code=answer.code, iss=answer.iss, encrypt_key=answer.encrypt_key
        )
        return await _known(door, flow_id, data, person, jkt=jkt, now=now)
    except (ProviderUnavailable, LoginRefused, people.LinkRequired, people.AccountExists) as refusal:
        await _close(door, flow_id, refusal, jkt=jkt, now=now)
        raise


async def _known(
    door: Door, flow_id: UUID, data: LoginData, person: Person, *, jkt: str | None, now: datetime
) -> PhoneStep | Done:
    """Whoever has an account and a phone is in; a new person is asked for a phone."""
    evidence = of_person(person, data.method)
    vouched = await ending.vouched_phones(door.db, door.kit, door.registries, evidence)
    coming = Coming(vouched, data.step_up, flow_id)
    async with door.db.write() as tx:
        flow = await flows.find(tx, flow_id, kind=KIND, jkt=jkt, step="exchange", now=now)
        known = await people.account_of(tx, door.kit, person, now=now, by=data.method, coming=coming)
        since = data.attempt.fresh_since if data.attempt and data.method == VNEID else None
        fresh = "proved" if provider(door, data.method).provider.flavour.says_when else "asked"
        if data.step_up is not None:
            if known is None or known.id != flow.account_id or since is None:
                raise LoginRefused
            await flows.advance(tx, door.kit.keys, flow, to="done")
            level = person.level
            return await step_up.strengthen(
                tx, door.kit, known, data.step_up, level=level, fresh=fresh, now=now
            )
        if known is not None:
            shown = datetime.fromtimestamp(since, now.tzinfo) if since is not None else None
            await takeover.thaw_by_owner(
                tx, door.kit, known, level=person.level, since=shown, fresh=fresh, now=now
            )
        if known is not None and await people.has_phone(tx, known.id, now=now):
            await flows.advance(tx, door.kit.keys, flow, to="done", account_id=known.id)
            return await enter(tx, door, flow, known, msgspec.structs.replace(data, person=person), now=now)
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
    tx: AsyncSession, kit: Kit, flow_id: UUID, answer: Answer, *, jkt: str | None, now: datetime
) -> LoginData | Refusal:
    """Use the state up; a refusal ends the flow for good, so it is returned."""
    flow = await flows.find(tx, flow_id, kind=KIND, jkt=jkt, step="authorize", now=now)
    data = flows.data_of(flow, kit.keys, LoginData)
    assert data.attempt is not None
    refusal = await use_up(tx, kit, flow, data.attempt, answer, now)
    if refusal:
        kit.journal.record(tx, SignInRefused(flow=flow_id, reason=refusal.code), by=None, now=now)
        return refusal
    return data


async def _close(door: Door, flow_id: UUID, refusal: Refusal, *, jkt: str | None, now: datetime) -> None:
    async with door.db.write() as tx:
        flow = await flows.find(tx, flow_id, kind=KIND, jkt=jkt, now=now)
        await close(tx, door.kit, flow, refusal)
        door.kit.journal.record(tx, SignInRefused(flow=flow_id, reason=refusal.code), by=None, now=now)


async def enter(
    tx: AsyncSession, door: Door, flow: Flow, account: Account, data: LoginData, *, now: datetime
) -> Done:
    """Open the session that this sign-in has earned."""
    level, shown = data.level, now
    if data.person is not None:
        level, shown = level_of(data.person, data.method), data.person.shown_up(now)
    return await let_in(
        tx,
        door.kit,
        account,
        data.device,
        method=data.method,
        level=level,
        jkt=flow.jkt,
        place=door.places.of(data.address),
        shown=shown,
        now=now,
    )
