"""Exchanges refresh tokens, each once (rule 305).

A successor is a keyed hash of the token before it, so that the same key asking again,
because the answer was lost, gets the same successor; anybody else ends the session. A step-up knows of
that token only what is stored, and hashes this: its lost answer is found again in the same way.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from backend.crypto import base64url, new_token, token_hash
from backend.devices.models import Session
from backend.devices.session_rows import CHAIN, GRANT, LINK, LOCK, RENEW, UNUSED, USE, Link, Live, live_of
from backend.devices.sessions import (
    SessionRevoked,
    TokenInvalid,
    Tokens,
    end,
    refresh_row,
    tokens_of,
    why_ended,
)
from backend.errors import Unproved
from backend.facts import RefreshReused, SignInRefused
from backend.kit import Kit


async def rotate(
    tx: AsyncSession, kit: Kit, refresh: str, *, jkt: str | None, now: datetime
) -> Tokens | Unproved:
    """Exchange a refresh token. Reuse ends the session, and that is committed: the refusal is returned (rule 305)."""
    found = await _locked_chain(tx, refresh)
    if found is None:
        return TokenInvalid()
    row, session = found
    if row.key_id not in kit.keys.key_ids:
        return TokenInvalid()  # its key was given up: there is nothing to derive a successor from (A12)
    if refusal := await why_ended(tx, session):
        return refusal
    if session.jkt != jkt and row.used_at is None:
        stolen = SignInRefused(subject=session.account_id, reason=TokenInvalid.code)
        kit.journal.record(tx, stolen, by=None, now=now)
        return TokenInvalid()  # a live token without its key: it opens nothing, and its owner stays in (TD14)
    if row.expires_at <= now or session.absolute_expires_at <= now:
        await end(tx, kit, session, reason="expired", by=None, now=now)
        return SessionRevoked(reason="expired")
    if row.used_at is None:
        return await _use(tx, kit, session, row, *_derived(kit, row, refresh), now)
    if session.jkt == jkt and (lost := await _lost_answer(tx, kit, row, refresh, now)):
        return tokens_of(kit, session, *lost, now)
    kit.journal.record(tx, RefreshReused(subject=session.account_id, session=session.id), by=None, now=now)
    await end(tx, kit, session, reason="refresh_reused", by=None, now=now)
    return SessionRevoked(reason="refresh_reused")


async def renew(tx: AsyncSession, kit: Kit, session: Session, *, now: datetime) -> Tokens:
    """New tokens for a live session outside of rotation; the old ones are dead in this commit (rule 308).

    The caller has locked the account row, and holds no other copy of the session's tokens.
    """
    if refusal := await why_ended(tx, session):
        raise refusal
    await tx.flush()
    live = live_of(session)
    unused = await UNUSED.all(tx, session=session.id)
    for row in unused:
        await USE.run(tx, token=row.id, now=now, next=None)
    if unused and unused[0].key_id in kit.keys.key_ids:
        newest = unused[0]
        return await _use(tx, kit, live, newest, *_derived(kit, newest, newest.hash.hex()), now)
    access, refresh = new_token(), new_token()
    return await _follow(tx, kit, live, refresh_row(kit, live, refresh, now), access, refresh, now)


async def _locked_chain(tx: AsyncSession, refresh: str) -> tuple[Link, Live] | None:
    """The token's row and its session, locked after the account row as everywhere, so that nobody deadlocks."""
    known = await CHAIN.maybe(tx, token=token_hash(refresh))
    if known is None:
        return None
    await LOCK.one(tx, account=known.account_id)
    return (await CHAIN.one(tx, token=known.hash)).parts()


async def _use(
    tx: AsyncSession, kit: Kit, session: Live, row: Link, access: str, successor: str, now: datetime
) -> Tokens:
    following = refresh_row(kit, session, successor, now)
    await USE.run(tx, token=row.id, now=now, next=following.id)
    return await _follow(tx, kit, session, following, access, successor, now)


async def _follow(
    tx: AsyncSession, kit: Kit, session: Live, following: Link, access: str, refresh: str, now: datetime
) -> Tokens:
    await GRANT.run(tx, **following._asdict())
    session = session._replace(access_expires_at=now + timedelta(seconds=kit.limits.access_lifetime))
    access_hash, until = token_hash(access), session.access_expires_at
    await RENEW.run(tx, session=session.id, access=access_hash, until=until, now=now)
    return tokens_of(kit, session, access, refresh, now)


async def _lost_answer(
    tx: AsyncSession, kit: Kit, row: Link, refresh: str, now: datetime
) -> tuple[str, str] | None:
    """The tokens that were answered last, while nobody has used them and not long after; else nothing."""
    assert row.used_at is not None
    successor = await LINK.maybe(tx, link=row.successor_id) if row.successor_id else None
    fresh = now - row.used_at <= timedelta(seconds=kit.limits.refresh_grace)
    if not fresh or successor is None or successor.used_at is not None or row.key_id not in kit.keys.key_ids:
        return None
    answered = (_derived(kit, row, secret) for secret in (refresh, row.hash.hex()))
    return next((pair for pair in answered if token_hash(pair[1]) == successor.hash), None)


def _derived(kit: Kit, row: Link, secret: str) -> tuple[str, str]:
    def token(purpose: str) -> str:
        raw = kit.keys.mac(purpose, f"{row.id}|{secret}".encode(), row.key_id)
        return base64url(raw)

    return token("next access token"), token("next refresh token")
