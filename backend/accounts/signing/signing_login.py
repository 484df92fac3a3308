"""Signing in with a signing SIM or a USB token (source 001, 2.3 and 2.4)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend import flows
from backend.accounts.codes import starts
from backend.accounts.door import Door
from backend.accounts.identity import ending, finding, people
from backend.accounts.identity.ending import Coming
from backend.accounts.identity.evidence import of_holder
from backend.accounts.identity.joining import Standing, Verdict
from backend.accounts.signing import enrolled, signing
from backend.accounts.signing.signing import LEVEL, METHOD, SignData, SignStep
from backend.accounts.ways_in.entering import Done, let_in
from backend.accounts.ways_in.login import KIND
from backend.devices.sessions import Device
from backend.errors import Forbidden, Refusal, settle
from backend.facts import CertificateEnrolled, CertificateUsed
from backend.flows import Flow
from backend.kit import Kit
from backend.outside.certificates.certificates import CertificateRefused, Holder
from backend.support import notices

REASONS = {
    Standing.REMOVED: "removed",
    Standing.SHUT: "unconfirmed",
}  # the journal's, where another is not plainer


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
    vouched = await ending.vouched_phones(door.db, door.kit, door.registries, of_holder(holder))
    async with door.db.write() as tx:
        flow = await signing.checking(tx, flow_id, kind=KIND, jkt=jkt, now=now)
        outcome = await _enter(tx, door, flow, data, holder, vouched, now)
    return settle(outcome)


async def _enter(
    tx: AsyncSession,
    door: Door,
    flow: Flow,
    data: SignData,
    holder: Holder,
    vouched: frozenset[str],
    now: datetime,
) -> Done | Refusal:
    """A refusal is returned, because the flow has ended and history has a line."""
    assert data.device is not None
    evidence = of_holder(holder)
    match = await finding.find(tx, door.kit, evidence)
    answer = finding.decided(evidence, match)
    if match is None or answer.verdict is Verdict.NEW:
        await signing.turn_away(tx, door, flow, data, "nobody_known", account_id=None, now=now)
        return RegistrationRequired()
    account = match.account
    if answer.verdict is not Verdict.JOIN:
        reason = REASONS.get(match.found.standing, "not_enrolled")
        await signing.turn_away(tx, door, flow, data, reason, account_id=account.id, now=now)
        return CertificateRefused(reason)
    if answer.ends:
        await ending.owner_came(tx, door.kit, match, evidence, Coming(vouched, flow=flow.id), now=now)
    people.own(account, evidence, now)
    await _use(tx, door.kit, account.id, holder, flow, now)
    await flows.advance(tx, door.kit.keys, flow, to="done", account_id=account.id)
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


async def _use(
    tx: AsyncSession, kit: Kit, account_id: UUID, holder: Holder, flow: Flow, now: datetime
) -> None:
    """Remember what the certificate did; one that is new here is enrolled, and its owner told."""
    row, renewed = await enrolled.usable(tx, kit, account_id, holder, now=now)
    row.last_used_at = now
    if renewed:
        fact = CertificateEnrolled(subject=account_id, certificate=row.id, how="renewal")
        kit.journal.record(tx, fact, by=account_id, now=now)
        notices.tell(tx, kit, account_id, "method_added", now=now, method=METHOD)
    used = CertificateUsed(subject=account_id, certificate=row.id, flow=flow.id, checked_by=holder.checked_by)
    kit.journal.record(tx, used, by=account_id, now=now)
