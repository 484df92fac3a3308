"""Exchanges refresh tokens, each once (rule 305).

A successor is a keyed hash of the token before it, so that the same key asking again,
because the answer was lost, gets the same successor; anybody else ends the session. A step-up knows of
that token only what is stored, and hashes this: its lost answer is found again in the same way.
"""

from __future__ import annotations

import base64
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.crypto import new_token, token_hash
from backend.devices.models import RefreshToken, Session
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
    """New tokens for a live session outside of rotation; the old ones are dead in this commit (rule 308)."""
    if refusal := await why_ended(tx, session):
        raise refusal
    live = select(RefreshToken).where(RefreshToken.session_id == session.id)
    unused = live.where(RefreshToken.used_at.is_(None)).order_by(RefreshToken.id.desc())
    rows = list(await tx.scalars(unused.with_for_update()))
    for row in rows:
        row.used_at = now
    if rows and rows[0].key_id in kit.keys.key_ids:
        return await _use(tx, kit, session, rows[0], *_derived(kit, rows[0], rows[0].hash.hex()), now)
    access, refresh = new_token(), new_token()
    return _follow(tx, kit, session, refresh_row(kit, session, refresh, now), access, refresh, now)


async def _locked_chain(tx: AsyncSession, refresh: str) -> tuple[RefreshToken, Session] | None:
    """The token's row and its session, locked after the account row as everywhere, so that nobody deadlocks."""
    chain = (
        select(RefreshToken, Session)
        .join(Session, Session.id == RefreshToken.session_id)
        .where(RefreshToken.hash == token_hash(refresh))
    )
    known = (await tx.execute(chain)).one_or_none()
    if known is None:
        return None
    await tx.execute(select(Account.id).where(Account.id == known[1].account_id).with_for_update())
    row, session = (await tx.execute(chain.execution_options(populate_existing=True))).one()
    return row, session


async def _use(
    tx: AsyncSession,
    kit: Kit,
    session: Session,
    row: RefreshToken,
    access: str,
    successor: str,
    now: datetime,
) -> Tokens:
    following = refresh_row(kit, session, successor, now)
    row.used_at, row.successor_id = now, following.id
    return _follow(tx, kit, session, following, access, successor, now)


def _follow(
    tx: AsyncSession,
    kit: Kit,
    session: Session,
    following: RefreshToken,
    access: str,
    refresh: str,
    now: datetime,
) -> Tokens:
    tx.add(following)
    session.access_hash = token_hash(access)
    session.access_expires_at = now + timedelta(seconds=kit.limits.access_lifetime)
    session.last_seen_at = now
    return tokens_of(kit, session, access, refresh, now)


async def _lost_answer(
    tx: AsyncSession, kit: Kit, row: RefreshToken, refresh: str, now: datetime
) -> tuple[str, str] | None:
    """The tokens that were answered last, while nobody has used them and not long after; else nothing."""
    assert row.used_at is not None
    successor = await tx.get(RefreshToken, row.successor_id) if row.successor_id else None
    fresh = now - row.used_at <= timedelta(seconds=kit.limits.refresh_grace)
    if not fresh or successor is None or successor.used_at is not None or row.key_id not in kit.keys.key_ids:
        return None
    answered = (_derived(kit, row, secret) for secret in (refresh, row.hash.hex()))
    return next((pair for pair in answered if token_hash(pair[1]) == successor.hash), None)


def _derived(kit: Kit, row: RefreshToken, secret: str) -> tuple[str, str]:
    def token(purpose: str) -> str:
        raw = kit.keys.mac(purpose, f"{row.id}|{secret}".encode(), row.key_id)
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    return token("next access token"), token("next refresh token")
