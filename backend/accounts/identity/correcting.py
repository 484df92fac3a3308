"""A clerk of a desk corrects a name by a document, and a second clerk who has seen it says so too (rule 1107; R37).

Four eyes: the second one types the document's number from the paper, which the page does not show. Whose name follows
what an e-ID or a certificate says is corrected there: a desk's word is weaker, and the next sign-in would undo it.
Lock order: the clerks' posts, the account, the proposal, notices.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.identity import called, candidates, following, numbers, people
from backend.accounts.identity.documents import Draft, document_number
from backend.accounts.identity.evidence import KEPT_AS_TYPED
from backend.accounts.self import attributes
from backend.db import Database, new_id
from backend.errors import Conflict, FieldError, FieldsInvalid, Forbidden, NotFound, Refusal
from backend.facts import AccessRefused, NameCorrected, NameKept, NameProposed
from backend.kit import Kit
from backend.outbox import renewal
from backend.owed import queue
from backend.support import desks, lookups, notices
from backend.support.cases import Clerk
from backend.support.models import NameProposal, Notice
from backend.trouble import apart

PROPOSED, CORRECTED, DROPPED = "name_proposed", "name_corrected", "name_kept"  # kinds of notice


class NameVouched(Conflict):
    """The name is VNeID's, a certificate's or the post office's word, and is corrected there."""

    code = "name_vouched"
    title = "Họ tên này theo VNeID, chứng thư số hoặc Bưu điện xác nhận nên chỉ sửa được ở nơi đó, không sửa ở đây"


class NameWaits(Conflict):
    """Another correction of this name waits for a second clerk, or the account is frozen."""

    code = "name_waits"
    title = "Tài khoản này đang tạm khóa, hoặc đang có đề nghị sửa họ tên chờ xác nhận"


class NameOver(NotFound):
    """There is no such proposal, or none any more."""

    code = "name_over"
    title = "Đề nghị sửa họ tên này không còn: đã có người xử lý, đã rút hoặc đã quá hạn"


class NameChanged(Conflict):
    """What was proposed is of an account that has changed since, or by somebody who is at no desk any more."""

    code = "name_changed"
    title = "Tài khoản hoặc người đề nghị đã thay đổi từ khi đề nghị, nên đề nghị đã bị hủy; hãy xem lại và đề nghị lại"


class OwnName(Forbidden):
    """Whoever proposed it does not confirm it, and nobody has a say about an account that may be their own."""

    code = "own_name"
    title = "Người xác nhận phải là cán bộ khác với người đề nghị và không phải chủ tài khoản"


async def propose(
    tx: AsyncSession, kit: Kit, account_id: UUID, draft: Draft, *, clerk: Clerk, now: datetime
) -> UUID | Refusal:
    """One clerk says what the paper says; the person is told, and a second clerk decides.

    Raises NotAtADesk, FieldsInvalid, NameVouched, NameWaits; that it is one's own is returned.
    """
    draft = draft.tidy(now)
    await desks.hold_post(tx, clerk.blinds, now=now)
    account = await _locked(tx, account_id)
    if await _is_of(tx, kit, clerk, account_id):
        return _own(tx, kit, clerk, account_id, now)
    _refuse(account)
    name, _ = following.names_of(kit, account)
    if name == draft.full_name:
        raise FieldsInvalid(FieldError("full_name", "unchanged", "Tài khoản đã có đúng họ tên này"))
    earlier = await tx.scalar(select(NameProposal).where(NameProposal.account_id == account_id))
    if earlier is not None and earlier.expires_at > now:
        raise NameWaits
    if earlier is not None:
        await _drop(tx, kit, earlier, "expired", by=None, now=now)
        await tx.flush()
    row = NameProposal(id=new_id(), account_id=account_id, version=account.version)
    row.proposed_by, row.proposed_at = clerk.account_id, now
    row.expires_at = now + timedelta(seconds=kit.limits.desk_join_life)
    row.full_name = kit.keys.seal("support_names.full_name", row.id, draft.full_name)
    row.document = kit.keys.seal(
        "support_names.document", row.id, f"{draft.document} {draft.document_number}"
    )
    row.grounds = kit.keys.seal("support_names.grounds", row.id, draft.grounds)
    tx.add(row)
    fact = NameProposed(subject=account_id, proposal=row.id)
    kit.journal.record(tx, fact, by=clerk.account_id, now=now)
    notices.tell(tx, kit, account_id, PROPOSED, now=now, about=row.id, name=draft.full_name)
    await _text(tx, kit, account_id, PROPOSED, row.id, now)
    return row.id


async def confirm(
    tx: AsyncSession, kit: Kit, proposal_id: UUID, typed: str, *, clerk: Clerk, now: datetime
) -> UUID | Refusal:
    """A second clerk has seen the paper too and types its number: the name is corrected, and every system hears of it.

    Raises NotAtADesk; what has to be remembered is returned: that the number is another one, NameOver, NameChanged,
    NameVouched, OwnName.
    """
    await desks.hold_post(tx, clerk.blinds, now=now)
    row = await _held(tx, proposal_id)
    if row is None:
        return NameOver()
    if row.expires_at <= now:
        await _drop(tx, kit, row, "expired", by=None, now=now)
        return NameOver()
    if clerk.account_id == row.proposed_by or await _is_of(tx, kit, clerk, row.account_id):
        return _own(tx, kit, clerk, row.id, now)
    account = await tx.get_one(Account, row.account_id, populate_existing=True)
    if why := await _outdated(tx, kit, row, account, now):
        await _drop(tx, kit, row, why, by=clerk.account_id, now=now)
        return NameChanged()
    await lookups.count(tx, kit, clerk, now=now)  # as any other number that is tried at a desk
    document = kit.keys.open("support_names.document", row.id, row.document)
    if document.partition(" ")[2] != document_number(typed):
        refused = AccessRefused(reason="document_differs", target=row.id)
        kit.journal.record(tx, refused, by=clerk.account_id, now=now)
        return FieldsInvalid(
            FieldError(
                "document_number", "invalid", "Số giấy tờ không khớp với số đã được đọc trên giấy tờ trước đó"
            )
        )
    name = kit.keys.open("support_names.full_name", row.id, row.full_name)
    await tx.delete(row)
    await _write(tx, kit, account, name, now)
    fact = NameCorrected(subject=account.id, proposal=proposal_id)
    kit.journal.record(tx, fact, by=clerk.account_id, now=now)
    notices.tell(tx, kit, account.id, CORRECTED, now=now, name=name)
    await _text(tx, kit, account.id, CORRECTED, proposal_id, now)
    return proposal_id


async def refuse(
    tx: AsyncSession, kit: Kit, proposal_id: UUID, *, clerk: Clerk, now: datetime
) -> UUID | Refusal:
    """A clerk says no, or the one who proposed it takes it back. Raises NotAtADesk."""
    await desks.hold_post(tx, clerk.blinds, now=now)
    row = await _held(tx, proposal_id)
    if row is None:
        return NameOver()
    if await _is_of(tx, kit, clerk, row.account_id):
        return _own(tx, kit, clerk, row.id, now)
    own = clerk.account_id == row.proposed_by
    await _drop(tx, kit, row, "withdrawn" if own else "refused", by=clerk.account_id, now=now)
    return row.id


async def denied(tx: AsyncSession, kit: Kit, notice: Notice, *, by: UUID, now: datetime) -> None:
    """Whose name it is says "Không phải tôi" to a proposal: it is over. Nothing for other kinds of notice.

    The caller refuses a stranger's word, or one that comes too late, in the same transaction.
    """
    if notice.kind != PROPOSED or notice.about is None:
        return
    row = await _held(tx, notice.about)
    if row is not None:
        await _drop(tx, kit, row, "denied", by=by, now=now)


async def over(tx: AsyncSession, kit: Kit, account_id: UUID, *, by: UUID, now: datetime) -> None:
    """The account is about to be taken over: its name is nobody's to correct any more. The caller holds its row."""
    row = await tx.scalar(select(NameProposal).where(NameProposal.account_id == account_id).with_for_update())
    if row is not None:
        await _drop(tx, kit, row, "changed", by=by, now=now)


async def sweep(db: Database, kit: Kit, now: datetime) -> None:
    """What nobody has confirmed in time is over, each in a transaction of its own."""
    async with db.read() as tx:
        late = list(await tx.scalars(select(NameProposal.id).where(NameProposal.expires_at <= now)))
    for one in late:
        with apart("name_proposals", one):
            async with db.write() as tx:
                row = await _held(tx, one)
                if row is not None and row.expires_at <= now:
                    await _drop(tx, kit, row, "expired", by=None, now=now)


async def _write(tx: AsyncSession, kit: Kit, account: Account, name: str, now: datetime) -> None:
    """The name from now, the desk's word beside it, by what its owner is found, and a delivery to every system."""
    _, born = following.names_of(kit, account)
    following.seal_names(kit, account, name, born)
    account.version += 1
    await attributes.put(tx, kit, account.id, "full_name", name, source=attributes.DESK, now=now)
    await tx.flush()
    await called.follow(tx, kit.keys, {account.id: name})
    await renewal.renew(tx, [account.id], now=now)


async def _locked(tx: AsyncSession, account_id: UUID) -> Account:
    query = select(Account).where(Account.id == account_id).with_for_update()
    return (await tx.execute(query.execution_options(populate_existing=True))).scalar_one()


async def _held(tx: AsyncSession, proposal_id: UUID) -> NameProposal | None:
    """The proposal with its account; of two who want it, the second finds what the first has left."""
    row = await tx.get(NameProposal, proposal_id)
    if row is None:
        return None
    await _locked(tx, row.account_id)
    again = select(NameProposal).where(NameProposal.id == proposal_id).with_for_update()
    found: NameProposal | None = await tx.scalar(again.execution_options(populate_existing=True))
    return found


async def _is_of(tx: AsyncSession, kit: Kit, clerk: Clerk, account_id: UUID) -> bool:
    """Whether it is the clerk's, or may be: by the name and birth date that make a candidate (R26)."""
    if clerk.account_id == account_id:
        return True
    own = await tx.get_one(Account, clerk.account_id)
    return account_id in {one.account_id for one in await candidates.of(tx, kit, own)}


def _own(tx: AsyncSession, kit: Kit, clerk: Clerk, target: UUID, now: datetime) -> OwnName:
    kit.journal.record(tx, AccessRefused(reason=OwnName.code, target=target), by=clerk.account_id, now=now)
    return OwnName()


def _refuse(account: Account) -> None:
    if account.kind != "citizen" or account.vouched_by not in KEPT_AS_TYPED:
        raise NameVouched
    if account.status != "active" or account.frozen_at is not None:
        raise NameWaits


async def _outdated(
    tx: AsyncSession, kit: Kit, row: NameProposal, account: Account, now: datetime
) -> str | None:
    """Why the first pair of eyes counts no more."""
    proposer = await tx.get(Account, row.proposed_by)
    staffs = await desks.staffed_by(tx, await numbers.blinds_of(tx, kit, row.proposed_by), now=now, hold=True)
    if proposer is None or proposer.status != "active" or not staffs:
        return "proposer_left"
    try:
        _refuse(account)
    except Conflict:
        return "changed"
    return None if account.version == row.version else "changed"


async def _drop(
    tx: AsyncSession, kit: Kit, row: NameProposal, reason: str, *, by: UUID | None, now: datetime
) -> None:
    await tx.delete(row)
    fact = NameKept(subject=row.account_id, proposal=row.id, reason=reason)
    kit.journal.record(tx, fact, by=by, now=now)
    notices.tell(tx, kit, row.account_id, DROPPED, now=now)


async def _text(tx: AsyncSession, kit: Kit, account_id: UUID, words: str, act: UUID, now: datetime) -> None:
    """A message too: who never opens the app has to hear of it."""
    for row in (await people.phones_of(tx, account_id))[:1]:
        number, whose = people.number_of(kit, row), account_id
        queue.owe(tx, kit.keys, queue.SMS, words, account_id=whose, about=act, content=number, now=now)
