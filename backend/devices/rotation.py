"""Exchanges refresh tokens, each once (security O11, D12).

A successor is a keyed hash of the token before it, so that the same key asking again,
because the answer was lost, gets the same successor; anybody else ends the session.
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
    """Exchange a refresh token. Reuse ends the session, and that is committed: the refusal is returned (O11, D12)."""
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
    access, successor = _derived(kit, row, refresh)
    if row.used_at is None:
        return await _use(tx, kit, session, row, access, successor, now)
    if session.jkt == jkt and await _answer_was_lost(tx, kit, row, now):
        return tokens_of(kit, session, access, successor, now)
    kit.journal.record(tx, RefreshReused(subject=session.account_id, session=session.id), by=None, now=now)
    await end(tx, kit, session, reason="refresh_reused", by=None, now=now)
    return SessionRevoked(reason="refresh_reused")


async def renew(tx: AsyncSession, kit: Kit, session: Session, *, now: datetime) -> Tokens:
    """New tokens for a live session outside of rotation; the old ones are dead in this commit (security S2)."""
    if refusal := await why_ended(tx, session):
        raise refusal
    live = select(RefreshToken).where(RefreshToken.session_id == session.id)
    for row in await tx.scalars(live.where(RefreshToken.used_at.is_(None)).with_for_update()):
        row.used_at = now
    access, refresh = new_token(), new_token()
    tx.add(refresh_row(kit, session, refresh, now))
    session.access_hash = token_hash(access)
    session.access_expires_at = now + timedelta(seconds=kit.limits.access_lifetime)
    session.last_seen_at = now
    return tokens_of(kit, session, access, refresh, now)


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
    tx.add(following)
    row.used_at, row.successor_id = now, following.id
    session.access_hash = token_hash(access)
    session.access_expires_at = now + timedelta(seconds=kit.limits.access_lifetime)
    session.last_seen_at = now
    return tokens_of(kit, session, access, successor, now)


async def _answer_was_lost(tx: AsyncSession, kit: Kit, row: RefreshToken, now: datetime) -> bool:
    assert row.used_at is not None
    successor = await tx.get(RefreshToken, row.successor_id) if row.successor_id else None
    fresh = now - row.used_at <= timedelta(seconds=kit.limits.refresh_grace)
    return fresh and successor is not None and successor.used_at is None and row.key_id in kit.keys.key_ids


def _derived(kit: Kit, row: RefreshToken, refresh: str) -> tuple[str, str]:
    def token(purpose: str) -> str:
        raw = kit.keys.mac(purpose, f"{row.id}|{refresh}".encode(), row.key_id)
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    return token("next access token"), token("next refresh token")
