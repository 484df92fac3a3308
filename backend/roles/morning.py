"""One mail at eight on worked days says to each manager how much waits: counts, and nobody's name (rule 628).

It goes to the official address, as a mail of the first desk. The day is written with the mail: of many processes and
rounds one sends it. What was missed by noon is not sent any more.
"""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

import structlog
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import MANAGER, Appointment
from backend.db import Database, changed_one, insert_into
from backend.kit import Kit
from backend.outside.clock import LOCAL
from backend.roles import calling, inbox, policy, rows, staff, staff_rows
from backend.roles import draft as drafts
from backend.roles.confirming import listing
from backend.roles.hearing import Hearing
from backend.support import desks, mails
from backend.support.models import Desk
from backend.trouble import OfOne, of_one

FROM_HOUR, TO_HOUR = 8, 12  # in Việt Nam
log = structlog.get_logger("morning")
SUBJECT = "Việc đang chờ bạn quyết định"
TEXT = (
    "Đang chờ bạn: {waiting} yêu cầu về vai trò (trong đó {late} quá hạn) và {reviewed} vai trò cần xác nhận.\nHãy mở"
    " không gian làm việc như thường lệ; thư này không có liên kết. Có thể tắt thư ở mục Cài đặt.\n\nWaiting for you:"
    " {waiting} role requests ({late} of them overdue) and {reviewed} roles to confirm. Open the workspace as usual;"
    " this mail has no link. It can be switched off under Settings."
)


async def round_(db: Database, kit: Kit, *, now: datetime) -> int:
    """Owe the mails of this morning, each in a transaction of its own; how many."""
    local = now.astimezone(LOCAL)
    if not FROM_HOUR <= local.hour < TO_HOUR or not kit.days.is_worked(local.date()):
        return 0
    today, owed = local.date(), 0
    async with db.read() as tx:
        desk = next(iter(await desks.listed(tx, most=1)), None)
        waiting = await _not_looked_at(tx, kit, today, now) if desk else []
    for account_id in waiting:
        try:
            async with db.write() as tx:
                with of_one(account_id):
                    if desk is not None and await _is_first(tx, account_id, today):
                        owed += await _owe(tx, kit, desk, account_id, now)
        except OfOne:
            # looked at again in the next round; the others have theirs
            log.exception("morning_held_up", account=str(account_id))
    return owed


async def _not_looked_at(tx: AsyncSession, kit: Kit, today: date, now: datetime) -> list[UUID]:
    """The managers with an account who were not mailed today, nor looked at."""
    units = select(Appointment.unit_id).where(Appointment.counts(MANAGER, today)).distinct()
    accounts = await calling.managers_of(tx, kit, await tx.scalars(units), now=now)
    seen = select(Hearing.account_id).where((Hearing.mailed_on == today) | Hearing.by_mail.is_(False))
    return sorted(accounts - set(await tx.scalars(seen)))


async def _is_first(tx: AsyncSession, account_id: UUID, today: date) -> bool:
    """Of many processes one looks at this person today."""
    await tx.execute(insert_into(tx, Hearing).values(account_id=account_id).on_conflict_do_nothing())
    ours = (Hearing.account_id == account_id, Hearing.by_mail, Hearing.mailed_on.is_distinct_from(today))
    return await changed_one(tx, update(Hearing).where(*ours).values(mailed_on=today))


async def _owe(tx: AsyncSession, kit: Kit, desk: Desk, account_id: UUID, now: datetime) -> bool:
    address = await _address(tx, kit, account_id)
    counts = {
        "waiting": (await inbox.waiting(tx, kit, account_id, now=now, most=1)).total,
        "late": (await inbox.waiting(tx, kit, account_id, now=now, late=True, most=1)).total,
        "reviewed": await listing.count(tx, kit, account_id, now=now),
    }
    if not address or not any(counts.values()):
        return False
    mails.owe(tx, kit, desk, to=address, subject=SUBJECT, text=TEXT.format(**counts), now=now, automatic=True)
    return True


async def _address(tx: AsyncSession, kit: Kit, account_id: UUID) -> str:
    """The official address as the directory has it, else as the home role says."""
    record = await staff.record_of(tx, kit, account_id)
    if record is not None and (listed := staff_rows.person_of(kit, record).official_email):
        return listed
    role = await rows.home_role(tx, account_id, policy.ACTIVE)
    return drafts.fields_of(kit, role).get("official_email", "") if role else ""
