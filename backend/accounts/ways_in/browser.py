"""Signing in to the workspace with VNeID in a browser; managers need no bound phone (rule 820).

The transaction cookie (Lax) binds the e-ID's answer to the browser that asked; the session
cookie (Strict) is a random token stored hashed, alive 30 minutes after the last use and 12
hours at most (rules 309, 821).
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend import flows
from backend.account import Account
from backend.accounts.codes import starts
from backend.accounts.door import Door
from backend.accounts.identity import ending, people, taken_over
from backend.accounts.identity.ending import Coming
from backend.accounts.identity.evidence import VNEID, of_person
from backend.accounts.ways_in import agents
from backend.accounts.ways_in.assurance import WORKSPACE, WorkspaceLevel
from backend.accounts.ways_in.browser_sessions import Arrival, end_earlier, open_session
from backend.accounts.ways_in.login import Answer, objection
from backend.caller import Caller
from backend.crypto import new_token, token_hash
from backend.db import Database
from backend.devices import sessions
from backend.devices.models import Session
from backend.devices.sessions import AccountClosed, AccountFrozen
from backend.errors import Refusal, settle
from backend.facts import SignInRefused
from backend.figures import counted
from backend.kit import Kit
from backend.outside.eid.eid import Attempt
from backend.outside.eid.eid_claims import Person
from backend.outside.eid.eid_errors import LoginRefused, ProviderUnavailable
from backend.statements import Question, given

TOUCH = timedelta(seconds=60)
REFUSED = (  # what a sign-in comes to that somebody may ask about
    LoginRefused,
    ProviderUnavailable,
    WorkspaceLevel,
    people.LinkRequired,
    people.AccountExists,
    AccountClosed,
    AccountFrozen,
)


class BrowserData(msgspec.Struct, frozen=True):
    """What the sign-in remembers, encrypted; `secret` is the hash of the browser's cookie.

    `signed_in`: the session that this browser has already. The answer comes from outside, and without its cookie.
    """

    attempt: Attempt
    secret: str
    browser: str
    signed_in: UUID | None = None


LONGEST = 200  # letters of a cookie that could be one of ours
BROWSER = flows.Kind("browser", BrowserData)


class BrowserSession(msgspec.Struct, frozen=True):
    """Somebody at a browser."""

    session_id: UUID
    account_id: UUID
    full_name: str
    level: int
    authenticated_at: datetime


class Sitting(NamedTuple):
    """A session at a browser, with whose it is."""

    id: UUID
    account_id: UUID
    kind: str
    assurance_level: int
    authenticated_at: datetime
    access_expires_at: datetime
    absolute_expires_at: datetime
    last_seen_at: datetime
    ended_at: datetime | None
    status: str
    full_name: bytes


SITTING_COLUMNS = (
    *(getattr(Session, name) for name in Sitting._fields[:9]),
    *(Account.status, Account.full_name),
)
IS_COOKIE = Session.access_hash == given("hash", Session.access_hash)
SITTING = Question(
    Sitting, select(*SITTING_COLUMNS).join(Account, Account.id == Session.account_id).where(IS_COOKIE)
)


class Ended(msgspec.Struct, frozen=True):
    """A session that there was."""

    session_id: UUID
    account_id: UUID


async def begin(
    door: Door,
    caller: Caller,
    *,
    redirect_uri: str,
    browser: str,
    signed_in: UUID | None,
    fresh: bool,
) -> tuple[str, str]:
    """Start a sign-in; returns the e-ID's address and the value for the transaction cookie. Raises TooMany.

    `fresh`: the e-ID's own session shall not answer for whoever sits there.
    """
    url, attempt = await door.eid.begin(redirect_uri, fresh=fresh)
    secret = new_token()
    data = BrowserData(
        attempt=attempt, secret=token_hash(secret).hex(), browser=agents.name_of(browser), signed_in=signed_in
    )
    async with door.db.write() as tx:
        lifetime = door.kit.limits.state_lifetime
        flow = await BROWSER.start(tx, door.kit, caller, "authorize", data, lifetime=lifetime)
        await starts.count(tx, door.kit, caller)
    return url, f"{flow.id}.{secret}"


async def finish(door: Door, caller: Caller, *, cookie: str | None, answer: Answer) -> str:
    """Take the e-ID's answer in the browser that asked; returns the session token. Raises LoginRefused and its kin."""
    kit, now = door.kit, caller.now
    flow_id, secret = _read(cookie)
    async with door.db.write() as tx:
        claimed = await _claim(tx, kit, flow_id, caller, answer, secret=secret)
    data = settle(claimed)
    assert answer.code is not None
    try:
        person = await door.eid.finish(
            data.attempt, code=answer.code, iss=answer.iss, encrypt_key=answer.encrypt_key
        )
        if person.level < WORKSPACE:
            raise WorkspaceLevel
        vouched = await ending.vouched_phones(door.db, kit, door.registries, of_person(person, VNEID))
        async with door.db.write() as tx:
            return await _let_in(tx, kit, person, data, coming=Coming(vouched), now=now)
    except REFUSED as refusal:
        async with door.db.write() as tx:
            kit.journal.record(tx, SignInRefused(flow=flow_id, reason=refusal.code), by=None, now=now)
            counted(tx, "ngomon_logins", "vneid", "refused")
        raise


async def _let_in(
    tx: AsyncSession, kit: Kit, person: Person, data: BrowserData, *, coming: Coming, now: datetime
) -> str:
    account, _ = await people.account_or_new(tx, kit, person, now=now, coming=coming)
    if account.status != "active":
        raise AccountClosed
    if account.frozen_at is not None:
        raise AccountFrozen
    await end_earlier(tx, kit, data.signed_in, by=account.id, now=now)
    came = Arrival("vneid", person.level, person.shown_up(now), data.browser)
    return await open_session(tx, kit, account, came, now=now)


def _read(cookie: str | None) -> tuple[UUID, str]:
    """The flow and the browser's secret, as `begin` has put them together."""
    flow_id, _, secret = (cookie or "").partition(".")
    try:
        return UUID(flow_id), secret
    except ValueError as error:
        raise LoginRefused from error


async def _claim(
    tx: AsyncSession, kit: Kit, flow_id: UUID, caller: Caller, answer: Answer, *, secret: str
) -> BrowserData | Refusal:
    """Use the state up in the browser that asked; a refusal ends the flow for good, so it is returned."""
    flow = await BROWSER.find(tx, kit, flow_id, caller, "authorize")
    is_ours = hmac.compare_digest(token_hash(secret).hex(), flow.data.secret)
    refusal = objection(flow.data.attempt, answer) if is_ours else LoginRefused()
    await flow.advance("ended" if refusal else "done")
    if refusal is not None:
        fact = SignInRefused(flow=flow_id, reason=refusal.code)
        kit.journal.record(tx, fact, by=None, now=caller.now)
        counted(tx, "ngomon_logins", "vneid", "refused")
    return refusal or flow.data


async def session_of(db: Database, kit: Kit, token: str, now: datetime) -> BrowserSession | None:
    """The live workspace session behind a cookie; touching it once a minute keeps it from idling out."""
    if not may_be_ours(token):
        return None
    async with db.read() as tx:
        session = await SITTING.maybe(tx, hash=token_hash(token))
    return await touched(db, kit, session, now) if session is not None else None


def may_be_ours(cookie: str) -> bool:
    """Whether it is worth a question."""
    return cookie.isascii() and len(cookie) <= LONGEST


async def touched(db: Database, kit: Kit, session: Sitting, now: datetime) -> BrowserSession | None:
    """The same of what has been read of it; nothing unless it is alive."""
    dead = session.kind != "workspace" or session.ended_at is not None or session.status != "active"
    weak = session.assurance_level < WORKSPACE  # of a release that asked for none
    if dead or weak or min(session.access_expires_at, session.absolute_expires_at) <= now:
        return None
    if now - session.last_seen_at > TOUCH:
        idle = now + timedelta(seconds=kit.limits.workspace_idle)
        async with db.write() as tx:
            await tx.execute(
                update(Session)
                .where(Session.id == session.id, Session.ended_at.is_(None))
                .values(last_seen_at=now, access_expires_at=idle)
            )
    name = kit.keys.open("accounts.full_name", session.account_id, session.full_name)
    return BrowserSession(
        session.id, session.account_id, name, session.assurance_level, session.authenticated_at
    )


async def ended_of(db: Database, token: str) -> Ended | None:
    """Whose session a cookie was, that is one no more; nothing for one that never was, and of whoever is gone.

    Of an account that was taken over it is that of its person, who signs in there.
    """
    if not may_be_ours(token):
        return None
    query = select(Session).where(Session.access_hash == token_hash(token), Session.kind == "workspace")
    async with db.read() as tx:
        found = await tx.scalar(query)
        if found is None:
            return None
        whose = (await taken_over.now_of(tx, {found.account_id})).get(found.account_id, found.account_id)
        is_there = await tx.scalar(select(Account.id).where(Account.id == whose, Account.status == "active"))
    return Ended(found.id, whose) if is_there is not None else None


async def sessions_of(tx: AsyncSession, account_id: UUID, *, now: datetime) -> list[Session]:
    """The live ones at browsers, the newest first."""
    query = select(Session).where(
        Session.account_id == account_id, Session.kind == "workspace", Session.ended_at.is_(None)
    )
    alive = query.where(Session.access_expires_at > now, Session.absolute_expires_at > now)
    return list(await tx.scalars(alive.order_by(Session.created_at.desc()).limit(50)))


async def is_live(db: Database, session: BrowserSession, now: datetime) -> bool:
    """Looks without touching: an open page alone does not keep a session from idling out."""
    async with db.read() as tx:
        row = await tx.get(Session, session.session_id)
    if row is None or row.ended_at is not None:
        return False
    return min(row.access_expires_at, row.absolute_expires_at) > now


async def sign_out(tx: AsyncSession, kit: Kit, session: BrowserSession, *, now: datetime) -> None:
    """End this browser's session."""
    await sessions.end_own(tx, kit, session.account_id, session.session_id, now=now)
