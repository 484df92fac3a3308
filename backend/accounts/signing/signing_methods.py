"""Adding a signing SIM or a USB token to one's own account (source 001, 3.2 a)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend import flows
from backend.accounts.door import Door
from backend.accounts.identity import ending, finding, newcomer
from backend.accounts.identity.ending import Coming
from backend.accounts.identity.evidence import of_holder
from backend.accounts.identity.finding import Match
from backend.accounts.identity.joining import Answer, Verdict
from backend.accounts.models import Certificate
from backend.accounts.self import mine
from backend.accounts.self.methods import MethodExists
from backend.accounts.signing import enrolled, signing
from backend.accounts.signing.signing import CHECKING, METHOD, SignData, Signed, SignStep
from backend.caller import Caller
from backend.errors import Conflict, Refusal, settle
from backend.facts import MethodAdded
from backend.flows import Handle
from backend.kit import Kit
from backend.outside.certificates.certificates import Holder
from backend.support import notices

KIND = "method"
ADDING = flows.Kind(KIND, SignData, own=True)


class CertificateOfAnother(Conflict):
    """The certificate names somebody else than the account's owner."""

    code = "certificate_of_another"
    title = "Chứng thư số này không mang số định danh của tài khoản"


async def begin(door: Door, caller: Caller, certificate: str) -> SignStep:
    """Ask the signed-in person for a signature; raises CertificateRefused or CertificateOfAnother."""
    holder = await signing.inspected(door, certificate, now=caller.now)
    account_id = caller.me.account_id
    async with door.db.write() as tx:
        await mine.held(tx, caller.me)
        if await _own(tx, door.kit, account_id, holder) is None:
            raise CertificateOfAnother
        return await signing.start(tx, door, ADDING, caller, purpose="add", announced=holder.thumbprint)


async def sign(door: Door, caller: Caller, flow_id: UUID, signed: Signed) -> UUID:
    """The certificate signs in from now; returns its row.

    Raises CertificateRefused, CertificateCheckUnavailable, CertificateOfAnother or MethodExists.
    """
    begun, holder = await signing.proved(door, ADDING, flow_id, signed, caller)
    evidence = of_holder(holder)
    vouched = await ending.vouched_phones(door.db, door.kit, door.registries, evidence, signed_in=True)
    async with door.db.write() as tx:
        flow = await begun.again(tx, CHECKING)
        await mine.held(tx, caller.me)
        outcome = await _add(flow, holder, Coming(vouched, caller.me.session_id, flow_id))
    return settle(outcome).id


async def _add(flow: Handle[SignData], holder: Holder, coming: Coming) -> Certificate | Refusal:
    """A refusal is returned, because the flow has ended."""
    tx, kit, now, account_id = flow.tx, flow.kit, flow.now, flow.account
    own = await _own(tx, kit, account_id, holder)
    row = await enrolled.added(tx, kit, account_id, holder, now=now) if own is not None else None
    await flow.advance("done" if row is not None else "ended")
    if own is None or row is None:
        return CertificateOfAnother() if own is None else MethodExists()
    match, answer = own
    if answer.ends:
        await ending.owner_came(tx, kit, match, of_holder(holder), coming, now=now)
    await newcomer.own(tx, match.account, of_holder(holder), now)
    fact = MethodAdded(subject=account_id, method=row.id, kind=METHOD)
    kit.journal.record(tx, fact, by=account_id, now=now)
    notices.tell(tx, kit, account_id, "method_added", now=now, method=METHOD)
    return row


async def _own(tx: AsyncSession, kit: Kit, account_id: UUID, holder: Holder) -> tuple[Match, Answer] | None:
    """The account and what `joining` says, where the certificate is its own person's."""
    evidence = of_holder(holder)
    match = await finding.find(tx, kit, evidence)
    answer = finding.decided(evidence, match, signed_in=True)
    is_own = match is not None and match.account.id == account_id and answer.verdict is Verdict.JOIN
    return (match, answer) if match is not None and is_own else None
