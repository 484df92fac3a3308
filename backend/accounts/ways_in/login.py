"""Signing in on a phone: VNeID or the post office says who, a code proves a new phone, one device gets in (rule 111).

These use cases span several transactions, because the e-ID and the SMS centre are asked
between them; so they take the door and open each one visibly (source 003, III; 001, II).
"""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from backend import flows
from backend.account_rows import AccountNow
from backend.accounts.codes import starts
from backend.accounts.codes.otp import CodeData
from backend.accounts.door import Door
from backend.accounts.identity import ending, people
from backend.accounts.identity.ending import Coming, Unasked
from backend.accounts.identity.evidence import POST_OFFICE, VNEID, level_of, of_person
from backend.accounts.ways_in import step_up
from backend.accounts.ways_in.entering import Done, let_in
from backend.caller import Caller, Who
from backend.devices import takeover
from backend.devices.sessions import Device
from backend.errors import Forbidden, Refusal, settle
from backend.facts import SignInRefused
from backend.figures import counted
from backend.flows import Handle, Running
from backend.kit import Kit
from backend.outside.eid.eid import Attempt, EId
from backend.outside.eid.eid_claims import Person
from backend.outside.eid.eid_errors import LoginRefused, ProviderUnavailable

KIND = "login"


class LoginCancelled(Forbidden):
    """The person turned back at the e-ID."""

    code = "login_cancelled"
    title = "Bạn đã hủy đăng nhập"


class LoginData(CodeData, frozen=True, kw_only=True):
    """What a sign-in remembers between its steps, encrypted."""

    device: Device
    method: str = VNEID
    attempt: Attempt | None = None
    person: Person | None = None
    level: int = 0  # of a password sign-in
    step_up: UUID | None = None  # the session that shall be strengthened


LOGIN = flows.Kind(KIND, LoginData)


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


async def use_up(flow: Handle[Any], attempt: Attempt, answer: Answer) -> LoginRefused | LoginCancelled | None:
    """Take the answer's state, which works once; a refusal ends the flow for good, so it is returned."""
    late = (flow.now - flow.row.created_at).total_seconds() > flow.kit.limits.state_lifetime
    refusal = objection(attempt, answer, late=late)
    await flow.advance("ended" if refusal else "exchange")
    return refusal


async def close(flow: Handle[Any], refusal: Refusal) -> None:
    """After a refusal the flow is over; when the e-ID was out of reach the same answer may be brought again."""
    await flow.advance("authorize" if isinstance(refusal, ProviderUnavailable) else "ended")


async def begin(
    door: Door,
    device: Device,
    caller: Caller,
    *,
    method: str = VNEID,
    stepping_up: Who | None = None,
    fresh: bool = False,
) -> tuple[Running, str]:
    """Start a sign-in, or the strengthening of a session; returns the flow and the address of the e-ID's page.

    With `fresh`, and to strengthen a session, the person has to show up at the e-ID anew. Raises TooMany when others
    in the network have begun too many.
    """
    settings = door.settings
    redirect = settings.post_office.redirect_uri if method == POST_OFFICE else settings.vneid.redirect_uri
    fresh = fresh or stepping_up is not None
    url, attempt = await provider(door, method).begin(redirect, fresh=fresh)
    account, session = (stepping_up.account_id, stepping_up.session_id) if stepping_up else (None, None)
    data = LoginData(
        device=device, method=method, attempt=attempt, address=caller.address, strict=False, step_up=session
    )
    async with door.db.write() as tx:
        flow = await LOGIN.start(tx, door.kit, caller, "authorize", data, account_id=account)
        await starts.count(tx, door.kit, caller, account=account)
    return flow.row, url


async def authorize(door: Door, flow_id: UUID, answer: Answer, caller: Caller) -> PhoneStep | Done:
    """Take the e-ID's answer: the state is used up first, then the code is exchanged, then somebody gets in."""
    async with door.db.write() as tx:
        claimed = await _claim(tx, door.kit, flow_id, answer, caller)
    flow, attempt = settle(claimed)
    assert answer.code is not None
    try:
        person = await provider(door, flow.data.method).finish(
            attempt, code=answer.code, iss=answer.iss, encrypt_key=answer.encrypt_key
        )
        outcome = await _known(door, flow, attempt, person)
    except (ProviderUnavailable, LoginRefused, people.LinkRequired, people.AccountExists) as refusal:
        async with door.db.write() as tx:
            await close(await flow.again(tx), refusal)
            _refused(tx, door.kit, flow, refusal, caller.now)
        raise
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


async def _known(
    door: Door, begun: Handle[LoginData], attempt: Attempt, person: Person
) -> PhoneStep | Done | Refusal:
    """Whoever has an account and a phone is in; a new person is asked for a phone.

    Of few something ends: the registry is asked for those alone, and then it begins anew.
    """
    data = msgspec.structs.replace(begun.data, person=person)
    coming = Coming(None, data.step_up, begun.id)
    try:
        return await _arrived(door, begun, attempt, data, person, coming)
    except Unasked:
        evidence = of_person(person, data.method)
        vouched = await ending.vouched_phones(door.db, door.kit, door.registries, evidence)
        return await _arrived(door, begun, attempt, data, person, coming._replace(vouched=vouched))


async def _arrived(
    door: Door,
    begun: Handle[LoginData],
    attempt: Attempt,
    data: LoginData,
    person: Person,
    coming: Coming,
) -> PhoneStep | Done | Refusal:
    """What the account follows of the person stays, also where that is too little to strengthen a session."""
    kit, now = door.kit, begun.now
    async with door.db.write() as tx:
        flow = begun.on(tx)
        known = await people.account_of(tx, kit, person, now=now, by=data.method, coming=coming)
        since = attempt.fresh_since if data.method == VNEID else None
        fresh = "proved" if provider(door, data.method).provider.flavour.says_when else "asked"
        if data.step_up is not None:
            if known is None or known.id != flow.row.account_id or since is None:
                raise LoginRefused
            level = person.level
            outcome = await step_up.strengthen(
                tx, kit, known, data.step_up, level=level, fresh=fresh, now=now
            )
            await flow.advance("ended" if isinstance(outcome, Refusal) else "done")
            if isinstance(outcome, Refusal):
                _refused(tx, kit, flow, outcome, now)
            return outcome
        if known is not None:
            shown = datetime.fromtimestamp(since, now.tzinfo) if since is not None else None
            await takeover.thaw_by_owner(
                tx, kit, known, level=person.level, since=shown, fresh=fresh, now=now
            )
        if known is not None and await people.has_phone(tx, known.id, now=now):
            return await enter(door, flow, data, known)
        await flow.advance("phone", data, account_id=known.id if known else None)
    return PhoneStep(id=begun.id)


async def _claim(
    tx: AsyncSession, kit: Kit, flow_id: UUID, answer: Answer, caller: Caller
) -> tuple[Handle[LoginData], Attempt] | Refusal:
    """Use the state up; a refusal ends the flow for good, so it is returned."""
    flow = await LOGIN.find(tx, kit, flow_id, caller, "authorize")
    attempt = flow.data.attempt
    assert attempt is not None
    refusal = await use_up(flow, attempt, answer)
    if refusal:
        _refused(tx, kit, flow, refusal, caller.now)
    return refusal or (flow, attempt)


def _refused(tx: AsyncSession, kit: Kit, flow: Handle[LoginData], refusal: Refusal, now: datetime) -> None:
    kit.journal.record(tx, SignInRefused(flow=flow.id, reason=refusal.code), by=None, now=now)
    counted(tx, "ngomon_logins", flow.data.method, "refused")


async def enter(door: Door, flow: Handle[LoginData], data: LoginData, account: AccountNow) -> Done:
    """Open the session that this sign-in has earned."""
    level, shown = data.level, flow.now
    if data.person is not None:
        level, shown = level_of(data.person, data.method), data.person.shown_up(flow.now)
    return await let_in(door, flow, data, account, method=data.method, level=level, shown=shown)
