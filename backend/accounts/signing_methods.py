"""Adding a signing SIM or a USB token to one's own account (source 001, 3.2 a)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend import flows
from backend.accounts import enrolled, mine, signing
from backend.accounts.door import Door
from backend.accounts.methods import MethodExists
from backend.accounts.models import Certificate
from backend.accounts.signing import METHOD, SignStep
from backend.errors import Conflict, Refusal, settle
from backend.facts import MethodAdded
from backend.flows import Flow
from backend.outside.certificates import Holder
from backend.support import notices

KIND = "method"


class CertificateOfAnother(Conflict):
    """The certificate names somebody else than the account's owner."""

    code = "certificate_of_another"
    title = "Chứng thư số này không mang số định danh của tài khoản"


async def begin(
    door: Door, account_id: UUID, certificate: str, *, jkt: str | None, address: str, now: datetime
) -> SignStep:
    """Ask the signed-in person for a signature; raises CertificateRefused or CertificateOfAnother."""
    holder = await signing.inspected(door, certificate, now=now)
    async with door.db.write() as tx:
        await mine.locked(tx, account_id)
        if await enrolled.holder_account(tx, door.kit, holder) != account_id:
            raise CertificateOfAnother
        return signing.start(
            tx,
            door,
            kind=KIND,
            purpose="add",
            jkt=jkt,
            address=address,
            now=now,
            account_id=account_id,
            announced=holder.thumbprint,
        )


async def sign(
    door: Door,
    flow_id: UUID,
    certificate: str,
    signature: str,
    *,
    account_id: UUID,
    jkt: str | None,
    now: datetime,
) -> UUID:
    """The certificate signs in from now; returns its row.

    Raises CertificateRefused, CertificateCheckUnavailable, CertificateOfAnother or MethodExists.
    """
    async with door.db.read() as tx:
        flow = await flows.find(tx, flow_id, kind=KIND, jkt=jkt, now=now)
        if flow.account_id != account_id:
            raise flows.FlowNotFound
    _, holder = await signing.proved(door, flow_id, certificate, signature, kind=KIND, jkt=jkt, now=now)
    async with door.db.write() as tx:
        flow = await signing.checking(tx, flow_id, kind=KIND, jkt=jkt, now=now)
        await mine.locked(tx, account_id)
        outcome = await _add(tx, door, flow, account_id, holder, now)
    return settle(outcome).id


async def _add(
    tx: AsyncSession, door: Door, flow: Flow, account_id: UUID, holder: Holder, now: datetime
) -> Certificate | Refusal:
    """A refusal is returned, because the flow has ended."""
    refused: Refusal | None = None
    row: Certificate | None = None
    if await enrolled.holder_account(tx, door.kit, holder) != account_id:
        refused = CertificateOfAnother()
    elif (row := await enrolled.added(tx, door.kit, account_id, holder, now=now)) is None:
        refused = MethodExists()
    await flows.advance(tx, door.kit.keys, flow, to="ended" if refused else "done")
    if row is None:
        assert refused is not None
        return refused
    fact = MethodAdded(subject=account_id, method=row.id, kind=METHOD)
    door.kit.journal.record(tx, fact, by=account_id, now=now)
    notices.tell(tx, door.kit, account_id, "method_added", now=now, method=METHOD)
    return row
