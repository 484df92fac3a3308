"""Adding a signing SIM or a USB token to one's own account (source 001, 3.2 a)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend import flows
from backend.accounts.door import Door
from backend.accounts.identity import ending, finding, people
from backend.accounts.identity.ending import Coming
from backend.accounts.identity.evidence import of_holder
from backend.accounts.identity.finding import Match
from backend.accounts.identity.joining import Answer, Verdict
from backend.accounts.models import Certificate
from backend.accounts.self import mine
from backend.accounts.self.methods import MethodExists
from backend.accounts.signing import enrolled, signing
from backend.accounts.signing.signing import METHOD, SignStep
from backend.errors import Conflict, Refusal, settle
from backend.facts import MethodAdded
from backend.flows import Flow
from backend.kit import Kit
from backend.outside.certificates.certificates import Holder
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
        if await _own(tx, door.kit, account_id, holder) is None:
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
    session: UUID,
    now: datetime,
) -> UUID:
    """The certificate signs in from now; returns its row. `session` is where the owner signs.

    Raises CertificateRefused, CertificateCheckUnavailable, CertificateOfAnother or MethodExists.
    """
    async with door.db.read() as tx:
        flow = await flows.find(tx, flow_id, kind=KIND, jkt=jkt, now=now)
        if flow.account_id != account_id:
            raise flows.FlowNotFound
    _, holder = await signing.proved(door, flow_id, certificate, signature, kind=KIND, jkt=jkt, now=now)
    vouched = await ending.vouched_phones(
        door.db, door.kit, door.registries, of_holder(holder), signed_in=True
    )
    async with door.db.write() as tx:
        flow = await signing.checking(tx, flow_id, kind=KIND, jkt=jkt, now=now)
        await mine.locked(tx, account_id)
        outcome = await _add(tx, door, flow, account_id, holder, Coming(vouched, session, flow_id), now)
    return settle(outcome).id


async def _add(
    tx: AsyncSession, door: Door, flow: Flow, account_id: UUID, holder: Holder, coming: Coming, now: datetime
) -> Certificate | Refusal:
    """A refusal is returned, because the flow has ended."""
    own = await _own(tx, door.kit, account_id, holder)
    row = await enrolled.added(tx, door.kit, account_id, holder, now=now) if own is not None else None
    await flows.advance(tx, door.kit.keys, flow, to="done" if row is not None else "ended")
    if own is None or row is None:
        return CertificateOfAnother() if own is None else MethodExists()
    match, answer = own
    if answer.ends:
        await ending.owner_came(tx, door.kit, match, of_holder(holder), coming, now=now)
    people.own(match.account, of_holder(holder), now)
    fact = MethodAdded(subject=account_id, method=row.id, kind=METHOD)
    door.kit.journal.record(tx, fact, by=account_id, now=now)
    notices.tell(tx, door.kit, account_id, "method_added", now=now, method=METHOD)
    return row


async def _own(tx: AsyncSession, kit: Kit, account_id: UUID, holder: Holder) -> tuple[Match, Answer] | None:
    """The account and what `joining` says, where the certificate is its own person's."""
    evidence = of_holder(holder)
    match = await finding.find(tx, kit, evidence)
    answer = finding.decided(evidence, match, signed_in=True)
    is_own = match is not None and match.account.id == account_id and answer.verdict is Verdict.JOIN
    return (match, answer) if match is not None and is_own else None
