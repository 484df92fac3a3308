"""Registering with a signing SIM or a USB token: identity and name come from the certificate (source 001, 1.3, 1.4)."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from backend import flows
from backend.accounts.door import Door
from backend.accounts.identity import finding, people
from backend.accounts.identity.evidence import of_holder
from backend.accounts.identity.joining import Verdict
from backend.accounts.identity.people import AccountExists
from backend.accounts.models import Account
from backend.accounts.self import attributes
from backend.accounts.signing import enrolled, signing
from backend.accounts.signing.signing import ENDED, LEVEL, METHOD, SignData, SignStep
from backend.accounts.ways_in import registration
from backend.accounts.ways_in.entering import Done, let_in
from backend.accounts.ways_in.registration import KIND
from backend.devices.sessions import Device
from backend.errors import FieldError, FieldsInvalid, Refusal, settle
from backend.facts import CertificateEnrolled, CertificateUsed, RegistrationRefused
from backend.flows import Flow
from backend.names import masked
from backend.outside.certificates.certificates import Holder

CONFIRM: Final = "confirm"


class ConfirmStep(msgspec.Struct, frozen=True):
    """What the certificate says, for its holder to confirm; the identifier is masked."""

    id: UUID
    subject: dict[str, object]
    identifier: dict[str, str]
    email_required: bool
    step: str = CONFIRM


async def begin(
    door: Door,
    device: Device,
    *,
    kind: str,
    certificate: str,
    email: str | None,
    jkt: str | None,
    address: str,
    now: datetime,
) -> SignStep:
    """Start a registration of `kind` (citizen, enterprise or agency) with this certificate.

    Raises CertificateRefused, or FieldsInvalid for `kind` or `email`.
    """
    bad: list[FieldError] = []
    email = attributes.read_email(email, bad) if email else None
    holder = await signing.inspected(door, certificate, now=now)
    if holder.kind != kind:
        bad.append(
            FieldError(
                "kind", "another_kind", "Chứng thư số thuộc đối tượng khác, vui lòng chọn lại đối tượng"
            )
        )
    if bad:
        raise FieldsInvalid(*bad)
    async with door.db.write() as tx:
        await registration.count(tx, door, address, now)
        return signing.start(
            tx,
            door,
            kind=KIND,
            purpose="register",
            jkt=jkt,
            address=address,
            now=now,
            device=device,
            announced=holder.thumbprint,
            email=email,
        )


async def sign(
    door: Door, flow_id: UUID, certificate: str, signature: str, *, jkt: str | None, now: datetime
) -> ConfirmStep:
    """Show what the certificate says; raises AccountExists when its holder has an account already."""
    data, holder = await signing.proved(door, flow_id, certificate, signature, kind=KIND, jkt=jkt, now=now)
    async with door.db.write() as tx:
        flow = await signing.checking(tx, flow_id, kind=KIND, jkt=jkt, now=now)
        outcome: ConfirmStep | Refusal
        evidence = of_holder(holder)
        match = await finding.find(tx, door.kit, evidence, hold=False)
        if match is not None and finding.decided(evidence, match).verdict is not Verdict.NEW:
            outcome = await _exists(tx, door, flow, match.account.id, now)
        else:
            data = msgspec.structs.replace(data, holder=holder)
            await flows.advance(tx, door.kit.keys, flow, to=CONFIRM, data=data)
            outcome = _shown(flow_id, holder, data.email)
    return settle(outcome)


async def confirm(door: Door, flow_id: UUID, email: str | None, *, jkt: str | None, now: datetime) -> Done:
    """Open the account and let its holder in; an enterprise needs an e-mail address, given now or at the beginning."""
    async with door.db.write() as tx:
        flow = await flows.find(tx, flow_id, kind=KIND, jkt=jkt, step=CONFIRM, now=now)
        data = flows.data_of(flow, door.kit.keys, SignData)
        assert data.holder is not None
        email = _email(email, data)
        try:
            account = await people.open_with(tx, door.kit, of_holder(data.holder), now=now)
        except AccountExists:
            taken = await enrolled.holder_account(tx, door.kit, data.holder)
            outcome: Done | Refusal = await _exists(tx, door, flow, taken, now)
        else:
            outcome = await _opened(tx, door, flow, data, account, email, now)
    return settle(outcome)


async def _opened(
    tx: AsyncSession,
    door: Door,
    flow: Flow,
    data: SignData,
    account: Account,
    email: str | None,
    now: datetime,
) -> Done:
    assert data.holder is not None
    assert data.device is not None
    await tx.flush()
    row = enrolled.enroll(tx, door.kit, account.id, data.holder, now=now)
    row.last_used_at = now
    if email:
        await attributes.put(tx, door.kit, account.id, "email", email, source=attributes.SELF, now=now)
    for fact in (
        CertificateEnrolled(subject=account.id, certificate=row.id, how=KIND),
        CertificateUsed(
            subject=account.id, certificate=row.id, flow=flow.id, checked_by=data.holder.checked_by
        ),
    ):
        door.kit.journal.record(tx, fact, by=account.id, now=now)
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


async def _exists(
    tx: AsyncSession, door: Door, flow: Flow, account_id: UUID | None, now: datetime
) -> AccountExists:
    """Whoever signed has proved who they are, so they are told plainly (rule 120)."""
    await flows.advance(tx, door.kit.keys, flow, to=ENDED)
    fact = RegistrationRefused(subject=account_id, reason=AccountExists.code, method=METHOD)
    door.kit.journal.record(tx, fact, by=None, now=now)
    return AccountExists()


def _email(given: str | None, data: SignData) -> str | None:
    bad: list[FieldError] = []
    email = attributes.read_email(given, bad) if given else data.email
    if not email and not bad and data.holder is not None and data.holder.kind == "enterprise":
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
