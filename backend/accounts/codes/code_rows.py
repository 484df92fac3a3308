"""One-time codes as their steps read and write them: a frozen row, and the statements for it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import case, insert, or_, select, update
from sqlalchemy.orm import aliased

from backend.accounts.models import OneTimeCode
from backend.statements import Act, Question, given


class Code(NamedTuple):
    """A code as it stands."""

    id: UUID
    flow_id: UUID
    account_id: UUID | None
    purpose: str
    phone: bytes
    phone_blind: bytes
    key_id: bytes
    attempts: int
    sendings: int
    first_sent_at: datetime
    last_sent_at: datetime
    expires_at: datetime
    used_at: datetime | None
    voided_at: datetime | None


MAIL = "mail_recovery"  # the one purpose with a policy of its own: the mail guide's (source 000, 2)
CAREFUL = ("recovery", "phone_change", MAIL)  # fewer guesses (rule 202)
NEWER = aliased(OneTimeCode)
COLUMNS = tuple(getattr(OneTimeCode, name) for name in Code._fields)
THIS = OneTimeCode.id == given("code", OneTimeCode.id)

ISSUE = Act(insert(OneTimeCode))
THIS_CODE = Question(Code, select(*COLUMNS).where(THIS))
CODE = Question(Code, select(*COLUMNS).where(THIS).with_for_update())
OF_FLOW = Question(
    Code,
    select(*COLUMNS)
    .where(OneTimeCode.flow_id == given("flow", OneTimeCode.flow_id), OneTimeCode.voided_at.is_(None))
    .order_by(OneTimeCode.first_sent_at.desc())
    .with_for_update(),
)
NEWEST = (  # the living code of a flow
    select(NEWER.id)
    .where(NEWER.flow_id == given("flow", NEWER.flow_id), NEWER.voided_at.is_(None))
    .order_by(NEWER.first_sent_at.desc())
    .limit(1)
    .scalar_subquery()
)
GUESS = Question(  # one guess more at it, where one is left
    Code,
    update(OneTimeCode)
    .where(
        OneTimeCode.id == NEWEST,
        OneTimeCode.voided_at.is_(None),
        OneTimeCode.used_at.is_(None),
        OneTimeCode.attempts
        < case(
            (or_(*(OneTimeCode.purpose == one for one in CAREFUL)), given("careful", OneTimeCode.attempts)),
            else_=given("most", OneTimeCode.attempts),
        ),
    )
    .values(attempts=OneTimeCode.attempts + 1)
    .returning(*COLUMNS),
)
USE = Act(
    update(OneTimeCode)
    .where(THIS, OneTimeCode.used_at.is_(None), OneTimeCode.voided_at.is_(None))
    .values(used_at=given("now", OneTimeCode.used_at))
)
RELEASE = Act(update(OneTimeCode).where(THIS).values(used_at=None, attempts=OneTimeCode.attempts - 1))
GIVE_BACK = Act(
    update(OneTimeCode)
    .where(THIS, OneTimeCode.used_at.is_(None), OneTimeCode.attempts > 0)
    .values(attempts=OneTimeCode.attempts - 1)
)
VOID = Act(update(OneTimeCode).where(THIS).values(voided_at=given("now", OneTimeCode.voided_at)))
VOID_OF_FLOW = Act(
    update(OneTimeCode)
    .where(OneTimeCode.flow_id == given("flow", OneTimeCode.flow_id), OneTimeCode.used_at.is_(None))
    .values(voided_at=given("now", OneTimeCode.voided_at))
)
SENT = Act(
    update(OneTimeCode)
    .where(THIS)
    .values(
        sendings=given("times", OneTimeCode.sendings),
        last_sent_at=given("sent_at", OneTimeCode.last_sent_at),
        expires_at=given("until", OneTimeCode.expires_at),
    )
)
