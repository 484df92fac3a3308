"""The mails that a desk owes: written in the transaction of the act, sent after it (rule 1104)."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import changed_one, new_id
from backend.kit import Kit
from backend.outside.messages.mail import Outgoing
from backend.support.models import TRIES, Case, CaseMail, Desk

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
SIGNATURE = "-- \n{name}\n{mailbox}\n{phone}\n"
WARNING = (
    "Chúng tôi không bao giờ hỏi mật khẩu, mã PIN hay mã xác thực. Kiểm tra mã yêu cầu trong ứng dụng trước khi làm"
    " theo hướng dẫn của bất kỳ ai.\nWe never ask for a password, PIN or code. Check the case code in the app before"
    " you follow anybody's advice."
)
OPENED = (
    "Yêu cầu hỗ trợ của ông/bà đã được tiếp nhận với mã {code}.\nYour request for help has the code {code}."
)
FORM = (
    "Thư chưa được tiếp nhận vì tiêu đề thiếu số hiệu đơn vị. Vui lòng gửi lại với tiêu đề theo cấu trúc {form}, ví dụ"
    " {example}, mô tả đầy đủ lỗi, kèm ảnh chụp màn hình và thông tin liên hệ.\nYour mail was not taken up: its subject"
    " must hold the tag {form}, for example {example}."
)
UNTAGGED = "Tiêu đề thư chưa đúng cấu trúc {form}"


def owe(
    tx: AsyncSession,
    kit: Kit,
    desk: Desk,
    *,
    to: str,
    subject: str,
    text: str,
    now: datetime,
    case_id: UUID | None = None,
    answers: str | None = None,
    automatic: bool = False,
) -> None:
    """Write down a mail of the desk, with its signature below, to be sent after the commit."""
    row = CaseMail(id=new_id(), desk_id=desk.id, case_id=case_id, is_automatic=automatic, not_before=now)
    signature = SIGNATURE.format(name=desk.name, mailbox=desk.mailbox, phone=desk.phone)
    row.recipient = kit.keys.seal("support_mails.recipient", row.id, to)
    row.subject = kit.keys.seal("support_mails.subject", row.id, subject)
    row.body = kit.keys.seal("support_mails.body", row.id, f"{text}\n\n{WARNING}\n\n{signature}")
    row.answers = kit.keys.seal("support_mails.answers", row.id, answers) if answers else None
    tx.add(row)


def again(tx: AsyncSession, kit: Kit, mail: CaseMail, *, now: datetime) -> None:
    """The same mail once more; one that waits for another try has it now."""
    if mail.sent_at is None and mail.attempts < TRIES:
        mail.not_before = now
        return
    row = CaseMail(id=new_id(), desk_id=mail.desk_id, case_id=mail.case_id, not_before=now)
    row.is_automatic = mail.is_automatic
    for name in ("recipient", "subject", "body", "answers"):
        text = getattr(mail, name)
        if text is not None:
            field = f"support_mails.{name}"
            setattr(row, name, kit.keys.seal(field, row.id, kit.keys.open(field, mail.id, text)))
    tx.add(row)


def subject_of(kit: Kit, case: Case, form: str) -> str:
    """`<tag> SDyymmdd-xxxxxx`; a case that did not come by mail has the form without a unit."""
    return f"{case.tag or tag_of(form, kit.brand.agency_code)} {case.code}"


def tag_of(form: str, unit: str) -> str:
    """The tag of one unit; other braces of the form are plain text."""
    return form.replace("{unit}", unit)


async def due(tx: AsyncSession, now: datetime, *, most: int = 20) -> list[UUID]:
    """What may be sent now, oldest first."""
    query = select(CaseMail.id).where(CaseMail.sent_at.is_(None), CaseMail.not_before <= now)
    query = query.where(CaseMail.attempts < TRIES)
    return list(await tx.scalars(query.order_by(CaseMail.id).limit(most)))


async def claim(tx: AsyncSession, kit: Kit, mail_id: UUID, *, now: datetime) -> Outgoing | None:
    """Take one mail to send, in clear; nothing when another process has it. Unsent, it is due again after a pause."""
    row = await tx.scalar(
        select(CaseMail).where(CaseMail.id == mail_id).execution_options(populate_existing=True)
    )
    if row is None:
        return None
    pause = min(FIRST_PAUSE * 2**row.attempts, LONGEST_PAUSE) if row.attempts < 10 else LONGEST_PAUSE
    taken = (
        update(CaseMail)
        .where(CaseMail.id == mail_id, CaseMail.sent_at.is_(None), CaseMail.attempts == row.attempts)
        .where(CaseMail.not_before <= now)
        .values(attempts=row.attempts + 1, not_before=now + pause)
    )
    if not await changed_one(tx, taken):
        return None
    desk = await tx.get_one(Desk, row.desk_id)
    return Outgoing(
        name=str(row.id),
        sender_name=desk.name,
        sender=desk.mailbox,
        recipient=kit.keys.open("support_mails.recipient", row.id, row.recipient),
        subject=kit.keys.open("support_mails.subject", row.id, row.subject),
        body=kit.keys.open("support_mails.body", row.id, row.body),
        answers=kit.keys.open("support_mails.answers", row.id, row.answers) if row.answers else None,
        is_automatic=row.is_automatic,
        at=now,
    )


async def sent(tx: AsyncSession, mail_id: UUID, *, now: datetime) -> None:
    """The mail server has taken it: it is not sent again."""
    await tx.execute(update(CaseMail).where(CaseMail.id == mail_id).values(sent_at=now))


async def give_up(tx: AsyncSession, mail_id: UUID) -> None:
    """The mail can never be sent as it is: it is not tried again."""
    await tx.execute(update(CaseMail).where(CaseMail.id == mail_id).values(attempts=TRIES))
