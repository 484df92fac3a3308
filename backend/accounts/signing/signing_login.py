"""Signing in with a signing SIM or a USB token (source 001, 2.3 and 2.4)."""

from __future__ import annotations

from uuid import UUID

from backend import flows
from backend.accounts.codes import starts
from backend.accounts.door import Door
from backend.accounts.identity import ending, finding, newcomer
from backend.accounts.identity.ending import Coming
from backend.accounts.identity.evidence import of_holder
from backend.accounts.identity.joining import Standing, Verdict
from backend.accounts.signing import enrolled, signing
from backend.accounts.signing.signing import CHECKING, LEVEL, METHOD, ArrivalData, Signed, SignStep
from backend.accounts.ways_in.entering import Done, let_in
from backend.accounts.ways_in.login import KIND
from backend.caller import Caller
from backend.devices.sessions import Device
from backend.errors import Forbidden, Refusal, settle
from backend.facts import CertificateEnrolled, CertificateUsed
from backend.flows import Handle
from backend.outside.certificates.certificates import CertificateRefused, Holder
from backend.support import notices

SIGNING_IN = flows.Kind(KIND, ArrivalData)
REASONS = {
    Standing.REMOVED: "removed",
    Standing.SHUT: "unconfirmed",
}  # the journal's, where another is not plainer


class RegistrationRequired(Forbidden):
    """A good certificate of somebody who has no account: register with it first."""

    code = "registration_required"
    title = "Chứng thư số này chưa có tài khoản, vui lòng đăng ký tài khoản trước"


async def begin(door: Door, device: Device, caller: Caller) -> SignStep:
    """Start a sign-in; the app has the challenge signed."""
    async with door.db.write() as tx:
        step = await signing.start(tx, door, SIGNING_IN, caller, purpose="login", device=device)
        await starts.count(tx, door.kit, caller)
    return step


async def sign(door: Door, flow_id: UUID, signed: Signed, caller: Caller) -> Done:
    """Let the holder in.

    Raises CertificateRefused, CertificateCheckUnavailable or RegistrationRequired.
    """
    flow, holder = await signing.proved(door, SIGNING_IN, flow_id, signed, caller)
    vouched = await ending.vouched_phones(door.db, door.kit, door.registries, of_holder(holder))
    async with door.db.write() as tx:
        outcome = await _enter(door, await flow.again(tx, CHECKING), holder, vouched)
    return settle(outcome)


async def _enter(
    door: Door, flow: Handle[ArrivalData], holder: Holder, vouched: frozenset[str]
) -> Done | Refusal:
    """A refusal is returned, because the flow has ended and history has a line."""
    tx, kit, now, evidence = flow.tx, flow.kit, flow.now, of_holder(holder)
    match = await finding.find(tx, kit, evidence)
    answer = finding.decided(evidence, match)
    if match is None or answer.verdict is Verdict.NEW:
        await signing.turn_away(door, flow, "nobody_known", account_id=None)
        return RegistrationRequired()
    account = match.account
    if answer.verdict is not Verdict.JOIN:
        reason = REASONS.get(match.found.standing, "not_enrolled")
        await signing.turn_away(door, flow, reason, account_id=account.id)
        return CertificateRefused(reason)
    if answer.ends:
        await ending.owner_came(tx, kit, match, evidence, Coming(vouched, flow=flow.id), now=now)
    account = await newcomer.own(tx, account, evidence, now)
    await _use(flow, account.id, holder)
    return await let_in(door, flow, flow.data, account, method=METHOD, level=LEVEL)


async def _use(flow: Handle[ArrivalData], account_id: UUID, holder: Holder) -> None:
    """Remember what the certificate did; one that is new here is enrolled, and its owner told."""
    tx, kit, now = flow.tx, flow.kit, flow.now
    row, renewed = await enrolled.usable(tx, kit, account_id, holder, now=now)
    row.last_used_at = now
    if renewed:
        fact = CertificateEnrolled(subject=account_id, certificate=row.id, how="renewal")
        kit.journal.record(tx, fact, by=account_id, now=now)
        notices.tell(tx, kit, account_id, "method_added", now=now, method=METHOD)
    used = CertificateUsed(subject=account_id, certificate=row.id, flow=flow.id, checked_by=holder.checked_by)
    kit.journal.record(tx, used, by=account_id, now=now)
