"""Proving oneself with a signing SIM or a USB token: what every purpose of it shares (source 001, 1.3, 1.4, 2.3, 2.4).

A challenge lives two minutes and works once: the flow is moved on before anything is checked, so of two
that come with one challenge a single one is looked at (rule 504; case TK03).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.door import Door
from backend.accounts.identity.evidence import CERTIFICATE, CERTIFICATE_LEVEL
from backend.accounts.self import history
from backend.accounts.signing import enrolled
from backend.accounts.ways_in.login import KIND as SIGN_IN
from backend.caller import Caller
from backend.db import new_id
from backend.devices.sessions import Device
from backend.errors import TooMany, settle
from backend.facts import CertificateTurnedAway
from backend.figures import counted
from backend.flows import Handle, Kind
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
    announced: bytes | None = None  # the thumbprint of the certificate that the flow began with
    device: Device | None = None  # where a session shall come of it


class ArrivalData(SignData, frozen=True, kw_only=True):
    """The same of somebody who wants to get in."""

    device: Device


Signing = TypeVar("Signing", bound=SignData)


class Signed(Protocol):
    """What the app brings: a certificate (PEM, leaf first), and the signature (base64) over the challenge."""

    certificate: str
    signature: str


class SignStep(msgspec.Struct, frozen=True):
    """The flow waits for a signature over `challenge`; `expires_in` in seconds."""

    id: UUID
    challenge: str
    expires_in: int
    step: str = SIGN


async def start(
    tx: AsyncSession,
    door: Door,
    kind: Kind[Signing],
    caller: Caller,
    *,
    purpose: str,
    **remembered: Any,
) -> SignStep:
    """Begin a flow of `kind` whose challenge says `purpose`; what the kind wants beside it is `remembered`."""
    flow_id, now = new_id(), caller.now
    challenge = challenge_text(door.settings.public_url, purpose, flow_id, new_nonce(), now)
    data = kind.data(challenge=challenge, asked_at=now, address=caller.address, **remembered)
    await kind.start(tx, door.kit, caller, SIGN, data, flow_id=flow_id)
    return SignStep(id=flow_id, challenge=challenge, expires_in=door.kit.limits.certificate_challenge)


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
    door: Door, kind: Kind[Signing], flow_id: UUID, signed: Signed, caller: Caller
) -> tuple[Handle[Signing], Holder]:
    """Use the challenge up and check what was signed; the flow then stands at `checking`.

    Raises CertificateRefused, which ends the flow, or CertificateCheckUnavailable, after which the same
    signature may be brought again while the challenge lives.
    """
    async with door.db.write() as tx:
        claimed = await _claim(tx, door, kind, flow_id, caller)
    flow = settle(claimed)
    announced = flow.data.announced
    try:
        holder = await door.certificates.verify(
            signed.certificate, signed.signature, flow.data.challenge, now=caller.now
        )
        if announced is not None and holder.thumbprint != announced:
            raise CertificateRefused("another_certificate")  # noqa: TRY301 - one place closes the flow
    except (CertificateRefused, CertificateCheckUnavailable) as refusal:
        await _close(door, flow, signed.certificate, refusal)
        raise
    return flow, holder


async def turn_away(door: Door, flow: Handle[Signing], reason: str, *, account_id: UUID | None) -> None:
    """End a flow whose certificate was good and still opens nothing; journal and history keep it."""
    await flow.advance(ENDED)
    fact = CertificateTurnedAway(subject=account_id, flow=flow.id, reason=reason)
    flow.kit.journal.record(flow.tx, fact, by=None, now=flow.now)
    if flow.kind.name == SIGN_IN:
        counted(flow.tx, "ngomon_logins", METHOD, "refused")
    if account_id is not None:
        await _remember_failure(door, flow, account_id)


async def _claim(
    tx: AsyncSession, door: Door, kind: Kind[Signing], flow_id: UUID, caller: Caller
) -> Handle[Signing] | CertificateRefused:
    """One caller gets the challenge; a late one ends the flow, so that refusal is returned."""
    flow = await kind.find(tx, door.kit, flow_id, caller, SIGN)
    if caller.now - flow.data.asked_at > timedelta(seconds=door.kit.limits.certificate_challenge):
        await turn_away(door, flow, "challenge_late", account_id=flow.row.account_id)
        return CertificateRefused("challenge_late")
    await flow.advance(CHECKING)
    return flow


async def _close(
    door: Door,
    begun: Handle[Signing],
    certificate: str,
    refusal: CertificateRefused | CertificateCheckUnavailable,
) -> None:
    async with door.db.write() as tx:
        flow = await begun.again(tx, CHECKING)
        account_id = flow.row.account_id or await _named(tx, door, certificate, flow.now)
        if isinstance(refusal, CertificateRefused):
            await turn_away(door, flow, refusal.reason, account_id=account_id)
            return
        await flow.advance(SIGN)
        fact = CertificateTurnedAway(subject=account_id, flow=flow.id, reason=refusal.reason)
        door.kit.journal.record(tx, fact, by=None, now=flow.now)


async def _named(tx: AsyncSession, door: Door, certificate: str, now: datetime) -> UUID | None:
    """Whose account an otherwise good certificate speaks of, so that its owner can see the try."""
    try:
        holder = door.certificates.inspect(certificate, now=now)
    except CertificateRefused:
        return None
    return await enrolled.holder_account(tx, door.kit, holder)


async def _remember_failure(door: Door, flow: Handle[Signing], account_id: UUID) -> None:
    """A line for the owner's eyes; few of them, because certificates are no secret and anybody can bring one."""
    tx, data, now = flow.tx, flow.data, flow.now
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
