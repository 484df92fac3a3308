"""Registering with a signing SIM or a USB token: identity and name come from the certificate (source 001, 1.3, 1.4)."""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec

from backend import flows
from backend.account_rows import AccountNow
from backend.accounts.door import Door
from backend.accounts.identity import finding, people
from backend.accounts.identity.evidence import of_holder
from backend.accounts.identity.joining import Verdict
from backend.accounts.identity.people import AccountExists
from backend.accounts.self import attributes
from backend.accounts.signing import enrolled, signing
from backend.accounts.signing.signing import CHECKING, ENDED, LEVEL, METHOD, ArrivalData, Signed, SignStep
from backend.accounts.ways_in import registration
from backend.accounts.ways_in.entering import Done, let_in
from backend.accounts.ways_in.registration import KIND
from backend.caller import Caller
from backend.devices.sessions import Device
from backend.errors import FieldError, FieldsInvalid, Refusal, settle
from backend.facts import CertificateEnrolled, CertificateUsed, RegistrationRefused
from backend.flows import Handle
from backend.names import masked
from backend.outside.certificates.certificates import Holder

CONFIRM: Final = "confirm"


class RegisteringData(ArrivalData, frozen=True, kw_only=True):
    """What a registration with a certificate remembers; the `holder` once the signature is good."""

    email: str | None = None
    holder: Holder | None = None


REGISTERING = flows.Kind(KIND, RegisteringData)


class ConfirmStep(msgspec.Struct, frozen=True):
    """What the certificate says, for its holder to confirm; the identifier is masked."""

    id: UUID
    subject: dict[str, object]
    identifier: dict[str, str]
    email_required: bool
    step: str = CONFIRM


async def begin(
    door: Door, device: Device, caller: Caller, *, kind: str, certificate: str, email: str | None
) -> SignStep:
    """Start a registration of `kind` (citizen, enterprise or agency) with this certificate.

    Raises CertificateRefused, or FieldsInvalid for `kind` or `email`.
    """
    bad: list[FieldError] = []
    email = attributes.read_email(email, bad) if email else None
    holder = await signing.inspected(door, certificate, now=caller.now)
    if holder.kind != kind:
        bad.append(
            FieldError(
                "kind", "another_kind", "Chứng thư số thuộc đối tượng khác, vui lòng chọn lại đối tượng"
            )
        )
    if bad:
        raise FieldsInvalid(*bad)
    async with door.db.write() as tx:
        await registration.count(tx, door, caller)
        return await signing.start(
            tx,
            door,
            REGISTERING,
            caller,
            purpose="register",
            device=device,
            announced=holder.thumbprint,
            email=email,
        )


async def sign(door: Door, flow_id: UUID, signed: Signed, caller: Caller) -> ConfirmStep:
    """Show what the certificate says; raises AccountExists when its holder has an account already."""
    begun, holder = await signing.proved(door, REGISTERING, flow_id, signed, caller)
    async with door.db.write() as tx:
        flow = await begun.again(tx, CHECKING)
        outcome: ConfirmStep | Refusal
        evidence = of_holder(holder)
        match = await finding.find(tx, door.kit, evidence, hold=False)
        if match is not None and finding.decided(evidence, match).verdict is not Verdict.NEW:
            outcome = await _exists(flow, match.account.id)
        else:
            await flow.advance(CONFIRM, msgspec.structs.replace(flow.data, holder=holder))
            outcome = _shown(flow_id, holder, flow.data.email)
    return settle(outcome)


async def confirm(door: Door, flow_id: UUID, email: str | None, caller: Caller) -> Done:
    """Open the account and let its holder in; an enterprise needs an e-mail address, given now or at the beginning."""
    async with door.db.write() as tx:
        flow = await REGISTERING.find(tx, door.kit, flow_id, caller, CONFIRM)
        holder = flow.data.holder
        assert holder is not None
        email = _email(email, flow.data, holder)
        try:
            account = await people.open_with(tx, door.kit, of_holder(holder), now=caller.now)
        except AccountExists:
            taken = await enrolled.holder_account(tx, door.kit, holder)
            outcome: Done | Refusal = await _exists(flow, taken)
        else:
            outcome = await _opened(door, flow, account, holder, email)
    return settle(outcome)


async def _opened(
    door: Door, flow: Handle[RegisteringData], account: AccountNow, holder: Holder, email: str | None
) -> Done:
    tx, kit, now = flow.tx, flow.kit, flow.now
    await tx.flush()
    row = enrolled.enroll(tx, kit, account.id, holder, now=now)
    row.last_used_at = now
    if email:
        await attributes.put(tx, kit, account.id, "email", email, source=attributes.SELF, now=now)
    for fact in (
        CertificateEnrolled(subject=account.id, certificate=row.id, how=KIND),
        CertificateUsed(subject=account.id, certificate=row.id, flow=flow.id, checked_by=holder.checked_by),
    ):
        kit.journal.record(tx, fact, by=account.id, now=now)
    return await let_in(door, flow, flow.data, account, method=METHOD, level=LEVEL)


async def _exists(flow: Handle[RegisteringData], account_id: UUID | None) -> AccountExists:
    """Whoever signed has proved who they are, so they are told plainly (rule 120)."""
    await flow.advance(ENDED)
    fact = RegistrationRefused(subject=account_id, reason=AccountExists.code, method=METHOD)
    flow.kit.journal.record(flow.tx, fact, by=None, now=flow.now)
    return AccountExists()


def _email(given: str | None, data: RegisteringData, holder: Holder) -> str | None:
    bad: list[FieldError] = []
    email = attributes.read_email(given, bad) if given else data.email
    if not email and not bad and holder.kind == "enterprise":
        bad.append(FieldError("email", "missing", "Doanh nghiệp cần có địa chỉ thư điện tử"))
    if bad:
        raise FieldsInvalid(*bad)
    return email


def _shown(flow_id: UUID, holder: Holder, email: str | None) -> ConfirmStep:
    name = "full_name" if holder.kind == "citizen" else "organization_name"
    return ConfirmStep(
        id=flow_id,
        subject={
            name: holder.name,
            "valid_from": holder.valid_from,
            "valid_until": holder.valid_until,
            "issuer": holder.issuer,
        },
        identifier={"type": holder.identifier_kind, "value": masked(holder.identifier)},
        email_required=holder.kind == "enterprise" and not email,
    )
