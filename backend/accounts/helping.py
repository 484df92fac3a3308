"""What one clerk of a desk may do for whoever asks for help: look, thaw, have sent again (rule 1108; case R37).

Every number that is typed is counted and journalled, every act is journalled and told to the person, and nobody helps
themselves. No code is ever shown here: it goes to the number that it was made for, once more and on the same budget.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts import hotline
from backend.accounts.codes import messages, otp
from backend.accounts.codes.otp import CodeData
from backend.accounts.identity import numbers, people
from backend.caller import Caller
from backend.devices import takeover
from backend.errors import FieldError, FieldsInvalid, Forbidden, NotFound, Refusal
from backend.facts import AccessRefused, CodeSentAgain, NoticesPushedAgain
from backend.flows import FIND, Flow, Handle, Kind
from backend.kit import Kit
from backend.owed import queue
from backend.support import desks, lookups, notices, texts
from backend.support.cases import Clerk
from backend.support.models import Notice
from backend.throttle import Window

HELPED, AT_ONCE, AN_HOUR = "desk_helped", 3, 3  # the notice; how many are pushed again, and how often


class OwnAccount(Forbidden):
    """Nobody helps themselves at the desk."""

    code = "own_account"
    title = "Bạn không được tự xử lý tài khoản của chính mình"


class NoCodeWaits(NotFound):
    """The person is at no step that waits for a code."""

    code = "no_code_waits"
    title = "Người này chưa ở bước nhập mã nào, nên không có mã để gửi lại"


class NothingUnread(NotFound):
    """The person has read everything, or no app can be told."""

    code = "nothing_unread"
    title = "Người này đã đọc mọi thông báo, nên không có gì để gửi lại"


async def looked_up(
    tx: AsyncSession, kit: Kit, number: str, *, clerk: Clerk, now: datetime
) -> UUID | Refusal:
    """Who has the number; counted and journalled, whatever comes of it. Raises FieldsInvalid, TooManyLookups."""
    written, _ = numbers.typed(number, None)
    assert written is not None, "a number was given"
    await lookups.count(tx, kit, clerk, now=now)
    found = await numbers.holder_of_any(tx, kit, written)
    lookups.journal(tx, kit, clerk, found, now=now)
    if found is None:
        return FieldsInvalid(FieldError("national_id", "no_account", "Chưa có tài khoản với số này"))
    return found


async def thaw(
    tx: AsyncSession, kit: Kit, account_id: UUID, reason: str, *, clerk: Clerk, now: datetime
) -> Refusal | None:
    """Lift the freeze of an account and of its recovery; the person's number hears of it, for who could not come in
    reads no notice.

    Raises NotAtADesk, FieldsInvalid, NotFrozen; that it is one's own is returned.
    """
    why = texts.line_of_the_desk("reason", reason)
    if refusal := await _why_not(tx, kit, account_id, clerk, now):
        return refusal
    notice = notices.tell(tx, kit, account_id, "account_thawed", now=now, what="checked", reason=why)
    await takeover.thaw(tx, kit, account_id, notice=notice.id, by=clerk.account_id, now=now)
    for row in (await people.phones_of(tx, account_id))[:1]:
        number = people.number_of(kit, row)
        text = messages.THAWED
        queue.owe(tx, kit.keys, queue.SMS, text, account_id=account_id, content=number, now=now)
    return None


async def code_again(
    tx: AsyncSession, kit: Kit, account_id: UUID, *, clerk: Clerk, now: datetime
) -> Refusal | None:
    """The code that the person waits for, once more to the same number, after the answer.

    Raises NotAtADesk, NoCodeWaits, and what a person's own wish for it may raise; that it is one's own is returned.
    """
    if refusal := await _why_not(tx, kit, account_id, clerk, now):
        return refusal
    waits = select(Flow.id).where(Flow.account_id == account_id, Flow.step == "otp", Flow.expires_at > now)
    newest = await tx.scalar(waits.order_by(Flow.created_at.desc()).limit(1))
    row = await FIND.maybe(tx, flow=newest) if newest is not None else None
    if row is None:
        raise NoCodeWaits
    flow = Handle(tx, kit, Caller(now, row.jkt), Kind(row.kind, CodeData), row)
    owed, _ = await otp.again(flow)
    otp.owe(flow, owed)
    fact = CodeSentAgain(subject=account_id, flow=row.id)
    kit.journal.record(tx, fact, by=clerk.account_id, now=now)
    notices.tell(tx, kit, account_id, HELPED, now=now)
    return None


async def notices_again(
    tx: AsyncSession, kit: Kit, account_id: UUID, *, clerk: Clerk, now: datetime
) -> int | Refusal:
    """Push what the person has not read yet once more, the newest of it; how many.

    Raises NotAtADesk, NothingUnread, TooMany; that it is one's own is returned.
    """
    if refusal := await _why_not(tx, kit, account_id, clerk, now):
        return refusal
    unread = select(Notice).where(
        Notice.account_id == account_id, Notice.read_at.is_(None), Notice.at <= now, Notice.kind != HELPED
    )
    found = list(await tx.scalars(unread.order_by(Notice.id.desc()).limit(AT_ONCE)))
    if not found or kit.phones is None:
        raise NothingUnread
    await kit.throttle.spend(tx, [("notices again", str(account_id), [Window(AN_HOUR, 3600)])], now=now)
    for notice in found:
        kit.phones.tell_after(tx, account_id, notice.kind, notices.title_of(notice.kind), now=now)
    fact = NoticesPushedAgain(subject=account_id, count=len(found))
    kit.journal.record(tx, fact, by=clerk.account_id, now=now)
    notices.tell(tx, kit, account_id, HELPED, now=now, what="notices")
    return len(found)


async def shown(tx: AsyncSession, kit: Kit, account_id: UUID, *, now: datetime) -> hotline.Found:
    """What a clerk sees of somebody: masked, and nothing that opens an account."""
    return await hotline.shown(tx, kit, account_id, now=now)


async def _why_not(
    tx: AsyncSession, kit: Kit, account_id: UUID, clerk: Clerk, now: datetime
) -> Refusal | None:
    """Whose desk it is, is read here and now (rule 616); raises NotAtADesk."""
    await desks.hold_post(tx, clerk.blinds, now=now)
    if account_id != clerk.account_id:
        return None
    fact = AccessRefused(reason=OwnAccount.code, target=account_id)
    kit.journal.record(tx, fact, by=clerk.account_id, now=now)
    return OwnAccount()
