"""Two clerks of a desk join two accounts of one person who can prove only one of them (case R26).

Four eyes: one clerk proposes, another one confirms, and neither is a person whose account it is. Whoever says "Không
phải tôi" to it has ended it. What the way of the proof of both refuses (`backend.roles.uniting`), this way refuses too.
Lock order: the clerks' posts, requests, accounts, the proposal, notices.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from backend.account import Account
from backend.accounts.identity import candidates, numbers, people
from backend.accounts.identity.absorbing import Proof
from backend.accounts.identity.evidence import SURE
from backend.accounts.models import Identity
from backend.db import Database, new_id
from backend.errors import Conflict, FieldError, FieldsInvalid, Forbidden, NotFound, Refusal
from backend.facts import AccessRefused, JoinConfirmed, JoinDropped, JoinProposed
from backend.kit import Kit
from backend.owed import queue
from backend.roles import substance, uniting
from backend.roles.waiting_joins import Pair, masked_numbers
from backend.support import desks, lookups, notices, texts
from backend.support.cases import Clerk
from backend.support.models import JoinProposal, Notice
from backend.trouble import apart
from backend.typed import NATIONAL_ID

OLD_ID = re.compile(r"[0-9]{9}")
FROZEN, TWO_IDENTITIES = "frozen", "two_identities"
PROPOSED, DROPPED, JOINED = "join_proposed", "join_dropped", "desk_joined"  # kinds of notice


class JoinWaits(Conflict):
    """Somebody has proposed it already, and nobody has confirmed or refused it."""

    code = "join_waits"
    title = "Tài khoản mở bằng số CMND này đang có đề nghị gộp chờ xác nhận"


class JoinOver(NotFound):
    """There is no such proposal, or none any more."""

    code = "join_over"
    title = "Đề nghị gộp này không còn: đã có người xử lý, đã rút hoặc đã quá hạn"


class JoinChanged(Conflict):
    """What was proposed is of accounts that have changed since, or by somebody who is at no desk any more."""

    code = "join_changed"
    title = "Tài khoản hoặc người đề nghị đã thay đổi từ khi đề nghị, nên đề nghị đã bị hủy; hãy xem lại và đề nghị lại"


class OwnJoin(Forbidden):
    """Whoever proposed it does not confirm it, and nobody has a say about an account that may be their own."""

    code = "own_join"
    title = (
        "Người xác nhận phải là cán bộ khác với người đề nghị và không phải chủ của một trong hai tài khoản"
    )


async def looked_up(
    tx: AsyncSession, kit: Kit, clerk: Clerk, *, national_id: str, old_id: str, now: datetime
) -> Pair | Refusal:
    """Who holds the two numbers; each is counted and journalled, whatever comes of it. Raises FieldsInvalid."""
    wanted = (
        ("national_id", numbers.NATIONAL_ID, national_id, NATIONAL_ID, "Số định danh cá nhân gồm 12 chữ số"),
        ("old_id_number", numbers.OLD_ID, old_id, OLD_ID, "Số CMND gồm 9 chữ số"),
    )
    typed = {name: "".join(text.split()) for name, _, text, _, _ in wanted}
    bad = [
        FieldError(name, f"bad_{name}", words)
        for name, _, _, form, words in wanted
        if not form.fullmatch(typed[name])
    ]
    if bad:
        raise FieldsInvalid(*bad)
    found: list[UUID] = []
    unknown = []
    for name, kind, _, _, _ in wanted:
        await lookups.count(tx, kit, clerk, now=now)
        holder = await numbers.holder_of(tx, kit, typed[name], kind)
        lookups.journal(tx, kit, clerk, holder, now=now)
        if holder is None:
            unknown.append(FieldError(name, "no_account", "Chưa có tài khoản với số này"))
        else:
            found.append(holder)
    return FieldsInvalid(*unknown) if unknown else Pair(*found)


async def propose(
    tx: AsyncSession, kit: Kit, pair: Pair, grounds: str, *, clerk: Clerk, now: datetime
) -> UUID | Refusal:
    """One clerk says why both are one person's; both people are told, and a second clerk decides.

    Raises NotAtADesk, FieldsInvalid, NotJoinable, JoinConflict, JoinWaits; that it is one's own is returned.
    """
    tidy = texts.line_of_the_desk("grounds", grounds)
    await desks.hold_post(tx, clerk.blinds, now=now)
    stays, goes = await _both(tx, pair)
    if await _is_of(tx, kit, clerk, pair):
        return _own(tx, kit, clerk, pair.goes, now)
    await _refuse(tx, kit, stays, goes, now=now)
    earlier = await tx.scalar(select(JoinProposal).where(JoinProposal.goes_id == goes.id))
    if earlier is not None and earlier.expires_at > now:
        raise JoinWaits
    if earlier is not None:
        await _drop(tx, kit, earlier, "expired", by=None, now=now)
        await tx.flush()
    row = JoinProposal(id=new_id(), stays_id=stays.id, goes_id=goes.id, proposed_by=clerk.account_id)
    row.stays_print, row.goes_print = await substance.of(tx, stays.id), await substance.of(tx, goes.id)
    row.grounds = kit.keys.seal("support_joins.grounds", row.id, tidy)
    row.proposed_at, row.expires_at = now, now + timedelta(seconds=kit.limits.desk_join_life)
    tx.add(row)
    fact = JoinProposed(subject=stays.id, other=goes.id, proposal=row.id)
    kit.journal.record(tx, fact, by=clerk.account_id, now=now)
    shown = await masked_numbers(tx, kit, pair)
    for account_id, other in ((stays.id, goes.id), (goes.id, stays.id)):
        notices.tell(tx, kit, account_id, PROPOSED, now=now, about=row.id, number=shown[other])
    await _text(tx, kit, pair, PROPOSED, row.id, now)
    return row.id


async def confirm(
    tx: AsyncSession, kit: Kit, proposal_id: UUID, *, clerk: Clerk, now: datetime
) -> UUID | Refusal:
    """A second clerk says so too: the two are one when this is committed.

    Raises NotAtADesk, NotJoinable, JoinConflict; what has to be remembered is returned: JoinOver, JoinChanged, OwnJoin.
    """
    await desks.hold_post(tx, clerk.blinds, now=now)
    row = await _held(tx, proposal_id)
    if row is None:
        return JoinOver()
    if row.expires_at <= now:
        await _drop(tx, kit, row, "expired", by=None, now=now)
        return JoinOver()
    pair = Pair(row.stays_id, row.goes_id)
    if clerk.account_id == row.proposed_by or await _is_of(tx, kit, clerk, pair):
        return _own(tx, kit, clerk, row.id, now)
    why = await _outdated(tx, kit, row, now)
    if why is not None:
        await _drop(tx, kit, row, why, by=clerk.account_id, now=now)
        return JoinChanged()
    stays, goes = await _both(tx, pair)
    await _refuse(tx, kit, stays, goes, now=now)
    await _text(tx, kit, pair, JOINED, row.id, now)
    fact = JoinConfirmed(subject=stays.id, other=goes.id, proposal=row.id)
    kit.journal.record(tx, fact, by=clerk.account_id, now=now)
    number = await uniting.unite(tx, kit, stays, goes, Proof("desk", by=clerk.account_id), now=now)
    notices.tell(tx, kit, stays.id, JOINED, now=now, number=number)
    return row.id


async def refuse(
    tx: AsyncSession, kit: Kit, proposal_id: UUID, *, clerk: Clerk, now: datetime
) -> UUID | Refusal:
    """A clerk says no, or the one who proposed it takes it back. Raises NotAtADesk."""
    await desks.hold_post(tx, clerk.blinds, now=now)
    row = await _held(tx, proposal_id)
    if row is None:
        return JoinOver()
    if await _is_of(tx, kit, clerk, Pair(row.stays_id, row.goes_id)):
        return _own(tx, kit, clerk, row.id, now)
    own = clerk.account_id == row.proposed_by
    await _drop(tx, kit, row, "withdrawn" if own else "refused", by=clerk.account_id, now=now)
    return row.id


async def denied(tx: AsyncSession, kit: Kit, notice: Notice, *, by: UUID, now: datetime) -> None:
    """Whose notice it is says "Không phải tôi" to a proposal: it is over. Nothing for other kinds of notice.

    The caller refuses a stranger's word, or one that comes too late, in the same transaction.
    """
    if notice.kind != PROPOSED or notice.about is None:
        return
    row = await _held(tx, notice.about)
    if row is not None:
        await _drop(tx, kit, row, "denied", by=by, now=now)


async def sweep(db: Database, kit: Kit, now: datetime) -> None:
    """What nobody has confirmed in time is over, each in a transaction of its own."""
    async with db.read() as tx:
        late = list(await tx.scalars(select(JoinProposal.id).where(JoinProposal.expires_at <= now)))
    for one in late:
        with apart("join_proposals", one):
            async with db.write() as tx:
                row = await _held(tx, one)
                if row is not None and row.expires_at <= now:
                    await _drop(tx, kit, row, "expired", by=None, now=now)


async def _held(tx: AsyncSession, proposal_id: UUID) -> JoinProposal | None:
    """The proposal with everything that it is about; of two who want it, the second finds what the first has left."""
    row = await tx.get(JoinProposal, proposal_id)
    if row is None:
        return None
    pair = Pair(row.stays_id, row.goes_id)
    await uniting.hold_requests(tx, *pair)
    await uniting.hold_accounts(tx, *pair)
    again = select(JoinProposal).where(JoinProposal.id == proposal_id).with_for_update()
    found: JoinProposal | None = await tx.scalar(again.execution_options(populate_existing=True))
    return found


async def _both(tx: AsyncSession, pair: Pair) -> tuple[Account, Account]:
    await uniting.hold_requests(tx, *pair)
    await uniting.hold_accounts(tx, *pair)
    stays = await tx.get_one(Account, pair.stays, populate_existing=True)
    return stays, await tx.get_one(Account, pair.goes, populate_existing=True)


async def _is_of(tx: AsyncSession, kit: Kit, clerk: Clerk, pair: Pair) -> bool:
    """Whether one of the two is the clerk's, or may be: by the name and birth date that make a candidate."""
    if clerk.account_id in pair:
        return True
    own = await tx.get_one(Account, clerk.account_id)
    return pair.goes in {one.account_id for one in await candidates.of(tx, kit, own)}


def _own(tx: AsyncSession, kit: Kit, clerk: Clerk, target: UUID, now: datetime) -> OwnJoin:
    kit.journal.record(tx, AccessRefused(reason=OwnJoin.code, target=target), by=clerk.account_id, now=now)
    return OwnJoin()


async def _outdated(tx: AsyncSession, kit: Kit, row: JoinProposal, now: datetime) -> str | None:
    """Why the first pair of eyes counts no more."""
    proposer = await tx.get(Account, row.proposed_by)
    own = await numbers.blinds_of(tx, kit, row.proposed_by)
    staffs = await desks.staffed_by(tx, own, now=now, hold=True)
    if proposer is None or proposer.status != "active" or not staffs:
        return "proposer_left"
    prints = await substance.of(tx, row.stays_id), await substance.of(tx, row.goes_id)
    return None if prints == (row.stays_print, row.goes_print) else "changed"


async def _refuse(tx: AsyncSession, kit: Kit, stays: Account, goes: Account, *, now: datetime) -> None:
    """What the proof of both refuses, and what only the owner can clear up."""
    await uniting.refuse(tx, kit, stays, goes, now=now)
    found = []
    if stays.frozen_at is not None or goes.frozen_at is not None:
        found.append(FROZEN)
    if uniting.changed_lately(kit, stays, now):
        found.append(uniting.CHANGED)
    if goes.vneid_at is not None and await _told_apart(tx, stays.id, goes.id):
        found.append(TWO_IDENTITIES)
    if found:
        raise uniting.JoinConflict(conflicts=found)


async def _told_apart(tx: AsyncSession, stays: UUID, goes: UUID) -> bool:
    """Whether one e-ID is sure of both and calls them by two names: that is no clerk's to overrule."""
    other = aliased(Identity)
    same = exists().where(other.account_id == goes, other.issuer == Identity.issuer, other.level >= SURE)
    found = select(Identity.id).where(Identity.account_id == stays, Identity.level >= SURE, same)
    return await tx.scalar(found.limit(1)) is not None


async def _drop(
    tx: AsyncSession, kit: Kit, row: JoinProposal, reason: str, *, by: UUID | None, now: datetime
) -> None:
    await tx.delete(row)
    fact = JoinDropped(subject=row.stays_id, other=row.goes_id, proposal=row.id, reason=reason)
    kit.journal.record(tx, fact, by=by, now=now)
    for account_id in (row.stays_id, row.goes_id):
        notices.tell(tx, kit, account_id, DROPPED, now=now)


async def _text(tx: AsyncSession, kit: Kit, pair: Pair, words: str, act: UUID, now: datetime) -> None:
    """A message to the main number of each, one where both are the same: who never opens the app has to hear of it."""
    phones = {
        people.number_of(kit, row): row
        for account in pair
        for row in (await people.phones_of(tx, account))[:1]
    }
    for number, row in phones.items():
        whose = row.account_id
        queue.owe(tx, kit.keys, queue.SMS, words, account_id=whose, about=act, content=number, now=now)
