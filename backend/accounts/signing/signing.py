"""Proving oneself with a signing SIM or a USB token: what every purpose of it shares (source 001, 1.3, 1.4, 2.3, 2.4).

A challenge lives two minutes and works once: the flow is moved on before anything is checked, so of two
that come with one challenge a single one is looked at (rule 504; case TK03).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from backend import flows
from backend.accounts.door import Door
from backend.accounts.identity.evidence import CERTIFICATE, CERTIFICATE_LEVEL
from backend.accounts.self import history
from backend.accounts.signing import enrolled
from backend.db import new_id
from backend.devices.sessions import Device
from backend.errors import TooMany, settle
from backend.facts import CertificateTurnedAway
from backend.flows import Flow
from backend.outside.certificates.certificates import (
    CertificateCheckUnavailable,
    CertificateRefused,
    Holder,
    challenge_text,
    new_nonce,
)
from backend.throttle import Window

METHOD, LEVEL = CERTIFICATE, CERTIFICATE_LEVEL  # IAL3 (rule 107)
SIGN: Final = "sign"
CHECKING: Final = "checking"
ENDED: Final = "ended"
FEW_IN = 300  # seconds; as with wrong passwords


class SignData(msgspec.Struct, frozen=True, kw_only=True):
    """What a flow that waits for a signature remembers, encrypted."""

    challenge: str
    asked_at: datetime
    address: str
    device: Device | None = None
    announced: bytes | None = None  # the thumbprint of the certificate that the flow began with
    email: str | None = None
    holder: Holder | None = None  # once the signature is good and something is left to do


class SignStep(msgspec.Struct, frozen=True):
    """The flow waits for a signature over `challenge`; `expires_in` in seconds."""

    id: UUID
    challenge: str
    expires_in: int
    step: str = SIGN


def start(
    tx: AsyncSession,
    door: Door,
    *,
    kind: str,
    purpose: str,
    jkt: str | None,
    address: str,
    now: datetime,
    device: Device | None = None,
    account_id: UUID | None = None,
    announced: bytes | None = None,
    email: str | None = None,
) -> SignStep:
    """Begin a flow of `kind` whose challenge says `purpose`."""
    flow_id, limits = new_id(), door.kit.limits
    challenge = challenge_text(door.settings.public_url, purpose, flow_id, new_nonce(), now)
    data = SignData(
        challenge=challenge, asked_at=now, address=address, device=device, announced=announced, email=email
    )
    flows.start(
        tx,
        door.kit.keys,
        kind=kind,
        step=SIGN,
        data=data,
        jkt=jkt,
        lifetime=limits.flow_lifetime,
        now=now,
        flow_id=flow_id,
        account_id=account_id,
    )
    return SignStep(id=flow_id, challenge=challenge, expires_in=limits.certificate_challenge)


async def inspected(door: Door, certificate: str, *, now: datetime) -> Holder:
    """Whom a certificate names before anything is signed; raises CertificateRefused, and the journal keeps why."""
    try:
        return door.certificates.inspect(certificate, now=now)
    except CertificateRefused as refusal:
        async with door.db.write() as tx:
            fact = CertificateTurnedAway(reason=refusal.reason)
            door.kit.journal.record(tx, fact, by=None, now=now)
        raise


async def proved(
    door: Door,
    flow_id: UUID,
    certificate: str,
    signature: str,
    *,
    kind: str,
    jkt: str | None,
    now: datetime,
) -> tuple[SignData, Holder]:
    """Use the challenge up and check what was signed; the flow then stands at `checking`.

    Raises CertificateRefused, which ends the flow, or CertificateCheckUnavailable, after which the same
    signature may be brought again while the challenge lives.
    """
    async with door.db.write() as tx:
        claimed = await _claim(tx, door, flow_id, kind=kind, jkt=jkt, now=now)
    data = settle(claimed)
    try:
        holder = await door.certificates.verify(certificate, signature, data.challenge, now=now)
        if data.announced is not None and holder.thumbprint != data.announced:
            raise CertificateRefused("another_certificate")  # noqa: TRY301 - one place closes the flow
    except (CertificateRefused, CertificateCheckUnavailable) as refusal:
        await _close(door, flow_id, data, certificate, refusal, kind=kind, jkt=jkt, now=now)
        raise
    return data, holder


async def checking(tx: AsyncSession, flow_id: UUID, *, kind: str, jkt: str | None, now: datetime) -> Flow:
    """The flow that `proved` has left for this call to finish."""
    return await flows.find(tx, flow_id, kind=kind, jkt=jkt, step=CHECKING, now=now)


async def turn_away(
    tx: AsyncSession,
    door: Door,
    flow: Flow,
    data: SignData,
    reason: str,
    *,
    account_id: UUID | None,
    now: datetime,
) -> None:
    """End a flow whose certificate was good and still opens nothing; journal and history keep it."""
    await flows.advance(tx, door.kit.keys, flow, to=ENDED)
    fact = CertificateTurnedAway(subject=account_id, flow=flow.id, reason=reason)
    door.kit.journal.record(tx, fact, by=None, now=now)
    if account_id is not None:
        await _remember_failure(tx, door, account_id, data, now)


async def _claim(
    tx: AsyncSession, door: Door, flow_id: UUID, *, kind: str, jkt: str | None, now: datetime
) -> SignData | CertificateRefused:
    """One caller gets the challenge; a late one ends the flow, so that refusal is returned."""
    flow = await flows.find(tx, flow_id, kind=kind, jkt=jkt, step=SIGN, now=now)
    data = flows.data_of(flow, door.kit.keys, SignData)
    if now - data.asked_at > timedelta(seconds=door.kit.limits.certificate_challenge):
        await turn_away(tx, door, flow, data, "challenge_late", account_id=flow.account_id, now=now)
        return CertificateRefused("challenge_late")
    await flows.advance(tx, door.kit.keys, flow, to=CHECKING)
    return data


async def _close(
    door: Door,
    flow_id: UUID,
    data: SignData,
    certificate: str,
    refusal: CertificateRefused | CertificateCheckUnavailable,
    *,
    kind: str,
    jkt: str | None,
    now: datetime,
) -> None:
    async with door.db.write() as tx:
        flow = await checking(tx, flow_id, kind=kind, jkt=jkt, now=now)
        account_id = flow.account_id or await _named(tx, door, certificate, now)
        if isinstance(refusal, CertificateRefused):
            await turn_away(tx, door, flow, data, refusal.reason, account_id=account_id, now=now)
            return
        await flows.advance(tx, door.kit.keys, flow, to=SIGN)
        fact = CertificateTurnedAway(subject=account_id, flow=flow.id, reason=refusal.reason)
        door.kit.journal.record(tx, fact, by=None, now=now)


async def _named(tx: AsyncSession, door: Door, certificate: str, now: datetime) -> UUID | None:
    """Whose account an otherwise good certificate speaks of, so that its owner can see the try."""
    try:
        holder = door.certificates.inspect(certificate, now=now)
    except CertificateRefused:
        return None
    return await enrolled.holder_account(tx, door.kit, holder)


async def _remember_failure(
    tx: AsyncSession, door: Door, account_id: UUID, data: SignData, now: datetime
) -> None:
    """A line for the owner's eyes; few of them, because certificates are no secret and anybody can bring one."""
    window = Window(door.kit.limits.password_tries, FEW_IN)
    try:
        await door.kit.throttle.spend(tx, [("certificate history", str(account_id), [window])], now=now)
    except TooMany:
        return
    history.remember(
        tx,
        account_id,
        method=METHOD,
        good=False,
        device=data.device.name if data.device else None,
        place=door.places.of(data.address),
        now=now,
    )
