"""Signing in with a signing SIM or a USB token (source 001, 2.3 and 2.4)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend import flows
from backend.accounts import enrolled, signing, starts
from backend.accounts.door import Door
from backend.accounts.entering import Done, let_in
from backend.accounts.login import KIND
from backend.accounts.models import Account
from backend.accounts.signing import LEVEL, METHOD, SignData, SignStep
from backend.devices.sessions import Device
from backend.errors import Forbidden, Refusal, settle
from backend.facts import CertificateEnrolled, CertificateUsed
from backend.flows import Flow
from backend.outside.certificates import CertificateRefused, Holder
from backend.support import notices


class RegistrationRequired(Forbidden):
    """A good certificate of somebody who has no account: register with it first."""

    code = "registration_required"
    title = "Chứng thư số này chưa có tài khoản, vui lòng đăng ký tài khoản trước"


async def begin(door: Door, device: Device, *, jkt: str | None, address: str, now: datetime) -> SignStep:
    """Start a sign-in; the app has the challenge signed."""
    async with door.db.write() as tx:
        step = signing.start(
            tx, door, kind=KIND, purpose="login", jkt=jkt, address=address, now=now, device=device
        )
        await starts.count(tx, door.kit, jkt=jkt, address=address, now=now)
    return step


async def sign(
    door: Door, flow_id: UUID, certificate: str, signature: str, *, jkt: str | None, now: datetime
) -> Done:
    """Let the holder in.

    Raises CertificateRefused, CertificateCheckUnavailable or RegistrationRequired.
    """
    data, holder = await signing.proved(door, flow_id, certificate, signature, kind=KIND, jkt=jkt, now=now)
    async with door.db.write() as tx:
        flow = await signing.checking(tx, flow_id, kind=KIND, jkt=jkt, now=now)
        outcome = await _enter(tx, door, flow, data, holder, now)
    return settle(outcome)


async def _enter(
    tx: AsyncSession, door: Door, flow: Flow, data: SignData, holder: Holder, now: datetime
) -> Done | Refusal:
    """A refusal is returned, because the flow has ended and history has a line."""
    assert data.device is not None
    account_id = await enrolled.holder_account(tx, door.kit, holder)
    if account_id is None:
        await signing.turn_away(tx, door, flow, data, "nobody_known", account_id=None, now=now)
        return RegistrationRequired()
    account = await tx.get_one(Account, account_id, with_for_update=True)
    try:
        row, renewed = await enrolled.usable(tx, door.kit, account_id, holder, now=now)
    except CertificateRefused as refusal:
        await signing.turn_away(tx, door, flow, data, refusal.reason, account_id=account_id, now=now)
        return refusal
    row.last_used_at = now
    record = door.kit.journal.record
    if renewed:
        fact = CertificateEnrolled(subject=account_id, certificate=row.id, how="renewal")
        record(tx, fact, by=account_id, now=now)
        notices.tell(tx, door.kit, account_id, "method_added", now=now, method=METHOD)
    used = CertificateUsed(subject=account_id, certificate=row.id, flow=flow.id, checked_by=holder.checked_by)
    record(tx, used, by=account_id, now=now)
    await flows.advance(tx, door.kit.keys, flow, to="done", account_id=account_id)
    return await let_in(
        tx,
        door.kit,
        account,
        data.device,
        method=METHOD,
        level=LEVEL,
        jkt=flow.jkt,
        place=door.places.of(data.address),
        now=now,
    )
