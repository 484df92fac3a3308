""" "Không phải tôi": the replaced device says that the newer one is not its owner's (rule 303).

The account's slot is frozen, the newer session ends, a support case is opened, and nobody gets
in by phone until the owner has shown up at VNeID anew, or an operator has checked who is who.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.account_rows import THAW, AccountNow
from backend.db import changed_one
from backend.devices import sessions
from backend.devices.models import Session
from backend.errors import Conflict, NotFound, Refusal
from backend.facts import AccountThawed, OwnerCame, TakeoverReported
from backend.flows import Flow
from backend.journal import Entry
from backend.kit import Kit
from backend.support import cases, desks, notices, telling, texts
from backend.support.models import Case, Desk, Notice
from backend.words import VIETNAMESE
from backend.words import mark as _

OWNER_LEVEL = 2  # of VNeID: below it nobody has looked at the person
SUBJECT = f"{telling.DENIED}: {_('tài khoản đăng nhập trên thiết bị khác')}"
TEXT = "Thiết bị bị thay thế báo rằng lần đăng nhập mới không phải của chủ tài khoản. Tài khoản đã tạm khóa đăng nhập."


class NotReplaced(Conflict):
    """This device was not replaced by another one within the time for saying so."""

    code = "not_replaced"
    title = "Thiết bị này không bị thay thế gần đây nên không thể báo cáo"


class NotFrozen(NotFound):
    """Neither the account nor its recovery is frozen, or there is no account."""

    code = "not_frozen"
    title = "Tài khoản không ở trạng thái tạm khóa"


async def report(tx: AsyncSession, kit: Kit, session_id: UUID, *, now: datetime) -> Case | None:
    """Freeze the slot and end whatever session holds it; the case that follows it up. Raises NotReplaced.

    Saying it twice changes nothing and names the same case; there is none where no desk was set up.
    """
    session = await tx.get(Session, session_id)
    window = timedelta(seconds=kit.limits.takeover_report_window)
    if (
        session is None
        or session.end_reason != "replaced"
        or session.replaced_by is None
        or session.ended_at is None
        or now - session.ended_at > window
    ):
        raise NotReplaced
    account_id = session.account_id
    account = await tx.get_one(Account, account_id, with_for_update=True)
    if account.status != "active" or await _owner_came_back(tx, account_id, since=session.ended_at):
        raise NotReplaced  # nothing is written about somebody who is gone, nor against whoever has come meanwhile
    if not await freeze(tx, kit, account_id, session=session_id, by_session=session.replaced_by, now=now):
        return await _reported(tx, account_id)
    try:
        desk = await desks.first(tx)
    except desks.NoDesk:
        return None  # protecting the account does not wait for anybody's desk
    return await cases.add(
        tx,
        kit,
        desk,
        subject=SUBJECT,
        text=TEXT,
        origin="takeover",
        account_id=account_id,
        by=account_id,
        now=now,
    )


async def freeze(
    tx: AsyncSession,
    kit: Kit,
    account_id: UUID,
    *,
    session: UUID | None,
    by_session: UUID | None,
    now: datetime,
) -> bool:
    """Nobody gets in by phone and every session ends; False when the account is frozen already."""
    if not await shut(tx, account_id, now=now):
        return False
    fact = TakeoverReported(subject=account_id, session=session, by_session=by_session)
    kit.journal.record(tx, fact, by=account_id, now=now)
    await end_everything(tx, kit, account_id, reason="takeover_reported", by=account_id, now=now)
    return True


async def shut(tx: AsyncSession, account_id: UUID, *, now: datetime) -> bool:
    """Nobody gets in by phone, whoever wished it; False when it was so before."""
    frozen = (
        update(Account)
        .where(Account.id == account_id, Account.frozen_at.is_(None))
        .values(frozen_at=now, epoch=Account.epoch + 1)
    )
    return await changed_one(tx, frozen)


async def end_everything(
    tx: AsyncSession, kit: Kit, account_id: UUID, *, reason: str, by: UUID | None, now: datetime
) -> None:
    """Every session of an account that was just shut, and what is half way: it outlives no freeze."""
    await sessions.end_all(tx, kit, account_id, reason=reason, by=by, now=now)
    await tx.execute(delete(Flow).where(Flow.account_id == account_id))


async def deny(
    tx: AsyncSession, kit: Kit, notice_id: UUID, *, by: UUID, now: datetime
) -> tuple[Case, Desk] | Refusal:
    """ "Không phải tôi" to a notice: the case that follows it up, the same one however often it is said.

    That a device was replaced freezes the account as a report from the old device does; that a browser was let in ends
    what was let in. The refusal that no desk is there is returned, so that this stays. Raises NoticeNotFound,
    NotDeniable.
    """
    notice, fresh = await notices.deny(tx, kit, notice_id, by=by, now=now)
    if fresh and notice.kind == "device_replaced":
        await freeze(tx, kit, by, session=None, by_session=None, now=now)
    if fresh and notice.kind == "workspace_entered":
        await _shut_out(tx, kit, notice, by=by, now=now)
    case: Case | None = await tx.scalar(select(Case).where(Case.notice_id == notice_id))
    if case is not None:
        return case, await tx.get_one(Desk, case.desk_id)
    try:
        desk = await desks.first(tx)
    except desks.NoDesk as refusal:
        return refusal
    title, body = notices.words_of(kit, notice, VIETNAMESE)
    case = await cases.add(
        tx,
        kit,
        desk,
        subject=f"{telling.DENIED}: {title}"[: texts.SUBJECT_LONGEST],
        text=body,
        origin="notice",
        account_id=by,
        notice_id=notice_id,
        by=by,
        now=now,
    )
    return case, desk


async def _shut_out(tx: AsyncSession, kit: Kit, notice: Notice, *, by: UUID, now: datetime) -> None:
    """The browser that a phone let in by a code is out, and so is one that has not come in yet (rule 313)."""
    await tx.execute(select(Account.id).where(Account.id == by).with_for_update())
    await tx.execute(delete(Flow).where(Flow.account_id == by, Flow.kind == "workspace_login"))
    entered = await tx.get(Session, notice.about)
    if entered is not None and entered.account_id == by:
        await sessions.end(tx, kit, entered, reason="takeover_reported", by=by, now=now)


async def thaw(
    tx: AsyncSession,
    kit: Kit,
    account_id: UUID,
    *,
    notice: UUID | None = None,
    by: UUID | None = None,
    now: datetime,
) -> None:
    """Lift the freeze of the account, and that of its recovery, after an operator or a clerk has checked the person.

    Raises NotFrozen where there is neither.
    """
    account = (
        await tx.execute(select(Account).where(Account.id == account_id).with_for_update())
    ).scalar_one_or_none()
    if account is None or (account.frozen_at is None and account.recovery_frozen_at is None):
        raise NotFrozen
    account.frozen_at = account.recovery_frozen_at = None
    kit.journal.record(tx, AccountThawed(subject=account_id, notice=notice), by=by, now=now)


async def thaw_by_owner(
    tx: AsyncSession,
    kit: Kit,
    account: AccountNow,
    *,
    level: int,
    since: datetime | None,
    fresh: str,
    now: datetime,
) -> None:
    """Lift the freeze for whoever has shown up at VNeID at or after `since`; the caller has locked the account row.

    Who froze it may have been a former device, or somebody who held the phone for a minute (A27). Raises
    AccountFrozen when that is no proof of the owner: too weak, not asked for, or older than the report.
    """
    if account.frozen_at is None:
        return
    if level < OWNER_LEVEL or since is None or since <= account.frozen_at:
        raise sessions.AccountFrozen
    await THAW.run(tx, account=account.id)
    kit.journal.record(
        tx, AccountThawed(subject=account.id, how="vneid", fresh=fresh), by=account.id, now=now
    )
    notices.tell(tx, kit, account.id, "account_thawed", now=now)


async def _owner_came_back(tx: AsyncSession, account_id: UUID, *, since: datetime) -> bool:
    """Whether the owner has lifted a freeze after `since`, or first come: a device that was left before has nothing
    more to say.
    """
    tags = [kind.__struct_config__.tag for kind in (AccountThawed, OwnerCame)]
    query = select(Entry.seq).where(Entry.subject == account_id, Entry.tag.in_(tags), Entry.at >= since)
    return await tx.scalar(query.limit(1)) is not None


async def _reported(tx: AsyncSession, account_id: UUID) -> Case | None:
    """The newest case of a report about this account."""
    found: Case | None = await tx.scalar(
        select(Case)
        .where(Case.account_id == account_id, Case.origin == "takeover")
        .order_by(Case.id.desc())
        .limit(1)
    )
    return found
