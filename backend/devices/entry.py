"""Lets a call in, or says exactly why not: token, session, slot, proof (rules 303, 306, 309)."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from backend.caller import Who
from backend.crypto import token_hash
from backend.devices.proofs import InvalidProof, Nonces, Proof, Proofs, UseNonce
from backend.devices.reader import Found, Reader
from backend.devices.sessions import (
    AccountClosed,
    SessionReplacedByDevice,
    SessionRevoked,
    TokenExpired,
    TokenInvalid,
)
from backend.errors import Refusal, Unproved
from backend.words import mark as _

SEEN_EVERY = timedelta(seconds=60)
LONGEST_TOKEN = 200


class Entry:
    """The door of the mobile API."""

    def __init__(
        self, reader: Reader, proofs: Proofs, nonces: Nonces, *, require_dpop: bool, want_nonce: bool
    ) -> None:
        self._reader = reader
        self._proofs = proofs
        self.nonces = nonces
        self._require = require_dpop
        self._want_nonce = want_nonce
        self.seen: dict[UUID, datetime] = {}

    async def key_of(
        self, proof: list[str], *, method: str, path: str, now: datetime, nonce: bool = False
    ) -> str | None:
        """The thumbprint of the key behind a call without token; nothing only where DPoP is optional."""
        if not proof and not self._require:
            return None
        checked = self._checked(proof, method, path, None, now, nonce=nonce)
        await self._reader.remember(checked.seen_id, checked.until)
        return checked.jkt

    async def admit(
        self,
        authorization: list[str],
        proof: list[str],
        *,
        method: str,
        path: str,
        now: datetime,
        ended: bool = False,
        nonce: bool = False,
    ) -> Who:
        """The caller. With `ended`, a replaced session is let in too (for "Không phải tôi" alone).

        `nonce`: the call is one that asks for our nonce, whatever else comes with it.
        """
        scheme, token = _credentials(authorization)
        found = await self._reader.find(token_hash(token))
        if found is None:
            raise TokenInvalid
        if (found.jkt is None and scheme != "bearer") or (found.jkt is not None and scheme != "dpop"):
            raise TokenInvalid(_("Sai loại token"))  # RFC 9449 §7.2: no downgrade to Bearer
        if found.jkt is not None:
            checked = self._checked(proof, method, path, token, now, nonce=nonce)
            if checked.jkt != found.jkt:
                raise InvalidProof(_("Khóa không phải của phiên này"))
            await self._reader.remember(checked.seen_id, checked.until)
        refusal = why_not_enter(found, now)
        if refusal is not None and not (ended and isinstance(refusal, SessionReplacedByDevice)):
            raise refusal
        if now - found.last_seen_at > SEEN_EVERY:
            self.seen[found.session_id] = now
        return Who(
            found.account_id,
            found.session_id,
            found.kind,
            found.level,
            found.authenticated_at,
            found.version,
            found.jkt,
            found.method,
        )

    def _checked(
        self, proof: list[str], method: str, path: str, token: str | None, now: datetime, *, nonce: bool
    ) -> Proof:
        if len(proof) != 1:
            raise InvalidProof(_("Cần đúng một tiêu đề DPoP"))
        at = now.timestamp()
        checked = self._proofs.check(proof[0], method=method, path=path, token=token, now=at)
        if nonce and self._want_nonce and not self.nonces.accepts(checked.nonce, at):
            raise UseNonce
        return checked


def why_not_enter(found: Found, now: datetime) -> Refusal | None:
    """The reason that this session's token opens nothing now."""
    if found.ended_at is not None:
        if found.end_reason == "replaced":
            return SessionReplacedByDevice.by(found.newer_device, found.ended_at)
        return SessionRevoked(reason=found.end_reason)
    if found.status != "active":
        return AccountClosed()
    if found.kind != "mobile":
        return TokenInvalid()
    if not found.holds_slot:
        return SessionRevoked(reason="slot_lost")
    if found.absolute_expires_at <= now:
        return SessionRevoked(reason="expired")
    return TokenExpired() if found.access_expires_at <= now else None


def _credentials(authorization: list[str]) -> tuple[str, str]:
    if len(authorization) != 1:
        raise Unproved
    scheme, _, token = authorization[0].partition(" ")
    token = token.strip()
    if scheme.lower() not in ("dpop", "bearer") or not 0 < len(token) <= LONGEST_TOKEN or not token.isascii():
        raise Unproved
    return scheme.lower(), token
