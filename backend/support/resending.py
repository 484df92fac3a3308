"""A mail of a case that somebody says never came, once more to the same address (rule 1108; case R37)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.errors import NotFound, Refusal
from backend.facts import CaseMailSentAgain
from backend.kit import Kit
from backend.support import cases, mails
from backend.support.cases import Clerk
from backend.support.models import Case, CaseMail
from backend.throttle import Window

AN_HOUR = 3  # of one case: whoever gets it is not flooded


class NoMail(NotFound):
    """No mail of this case is there any more, or there never was one."""

    code = "no_mail"
    title = "Yêu cầu này không có thư nào để gửi lại"


async def mail_again(
    tx: AsyncSession, kit: Kit, case_id: UUID, *, clerk: Clerk, now: datetime
) -> Case | Refusal:
    """Owe the case's newest mail once more; one that has not left yet is tried at once.

    Raises NoMail, TooMany; who may not is returned (`settle` it).
    """
    case = await cases.of_clerk(tx, kit, case_id, clerk, now)
    if isinstance(case, Refusal):
        return case
    newest = select(CaseMail).where(CaseMail.case_id == case_id).order_by(CaseMail.id.desc()).limit(1)
    mail: CaseMail | None = await tx.scalar(newest)
    if mail is None:
        raise NoMail
    await kit.throttle.spend(tx, [("case mail again", str(case_id), [Window(AN_HOUR, 3600)])], now=now)
    mails.again(tx, kit, mail, now=now)
    fact = CaseMailSentAgain(subject=case.account_id, case=case_id)
    kit.journal.record(tx, fact, by=clerk.account_id, now=now)
    return case
