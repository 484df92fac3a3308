"""Who else has a request open that waits for several: its page says so for a while, and nothing else does (rule 631).

A page tells it by a form of its own (`workspace/decisions.py`), and only where somebody else could decide as well.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, ForeignKey, and_, delete, exists, literal, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, aliased, mapped_column

from backend.accounts.identity.people import full_names
from backend.accounts.models import Identifier
from backend.appointment import DELEGATE, MANAGER, Appointment
from backend.db import Base, UtcDateTime, insert_into
from backend.kit import Kit
from backend.outside.clock import local_day
from backend.retention import Life
from backend.roles import rows
from backend.roles.models import RequestChange, RequestStep, Unit
from backend.sealed import Whose
from backend.statements import Question, given

SAID = timedelta(minutes=15)  # longer than anybody reads one request, and shorter than a meeting


class Opened(Base):
    """One person has one request open, since when."""

    __tablename__ = "opened_requests"
    retention = Life("at", timedelta(hours=1))
    whose = Whose("account_id")

    request_id: Mapped[UUID] = mapped_column(ForeignKey("role_requests.id"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Look(NamedTuple):
    """Who, and when; and whether somebody else than the reader could say the word."""

    account_id: UUID | None  # none of whom nobody has it open
    at: datetime | None
    concerns_others: bool


class Seen(NamedTuple):
    """The others who have it open, by name and time; and whether the reader's own page has yet to be told of."""

    others: list[tuple[str, datetime]]
    is_new: bool


def _still() -> ColumnElement[bool]:
    """Of a look that nothing has come after: no word of the same person, and no correction of the request."""
    said = exists().where(
        RequestStep.request_id == Opened.request_id,
        RequestStep.by == Opened.account_id,
        RequestStep.at >= Opened.at,
    )
    corrected = exists().where(RequestChange.request_id == Opened.request_id, RequestChange.at >= Opened.at)
    return and_(~said, ~corrected)


def _concerns_others() -> ColumnElement[bool]:
    """Whether somebody else could say the same word, by a right of their own or one that is lent.

    While keys are changed the reader may be taken for somebody else: then the page tells of itself for nobody.
    """
    today = given("today", Appointment.from_on)
    own = select(Identifier.blind).where(
        Identifier.account_id == given("reader", Identifier.account_id), Identifier.ended_at.is_(None)
    )
    ways = list[ColumnElement[bool]]()
    for column in ("decider_id", "above_id"):
        step, managing, lent = aliased(RequestStep), aliased(Appointment), aliased(Appointment)
        waits = select(step.id).join(managing, managing.unit_id == getattr(step, column))
        waits = waits.where(
            step.request_id == given("request", Opened.request_id),
            step.decision.is_(None),
            managing.counts(MANAGER, today),
        )
        delegates = waits.join(lent, lent.lent_from == managing.id).where(lent.counts(DELEGATE, today))
        ways += [
            waits.where(managing.national_id_blind.not_in(own)).exists(),
            delegates.where(lent.national_id_blind.not_in(own)).exists(),
        ]
    return or_(*ways)


ONE = select(literal(1).label("one")).subquery()  # the answer has a row whoever has it open
LOOKS = Question(
    Look,
    select(Opened.account_id, Opened.at, _concerns_others().label("concerns_others"))
    .select_from(ONE)
    .outerjoin(
        Opened,
        and_(
            Opened.request_id == given("request", Opened.request_id),
            Opened.at > given("since", Opened.at),
            _still(),
        ),
    )
    .order_by(Opened.at),
)


async def seen(tx: AsyncSession, kit: Kit, request_id: UUID, reader: UUID, *, now: datetime) -> Seen:
    """For whoever may decide it now."""
    rows = await LOOKS.all(tx, request=request_id, since=now - SAID, reader=reader, today=local_day(now))
    looks = [(one.account_id, one.at) for one in rows if one.account_id is not None and one.at is not None]
    others = [(who, at) for who, at in looks if who != reader]
    names = await full_names(tx, kit, [who for who, _ in others]) if others else {}
    return Seen(
        [(names[who], at) for who, at in others], len(others) == len(looks) and rows[0].concerns_others
    )


async def note(tx: AsyncSession, request_id: UUID, *, by: UUID, now: datetime) -> None:
    """Somebody who may decide has opened it; pages that show it look again, once for each look."""
    mine = (Opened.request_id == request_id, Opened.account_id == by)
    over = or_(Opened.at <= now - SAID, not_(_still()))
    await tx.execute(delete(Opened).where(*mine, over).execution_options(synchronize_session=False))
    new = insert_into(tx, Opened).values(request_id=request_id, account_id=by, at=now)
    if await tx.scalar(new.on_conflict_do_nothing().returning(Opened.account_id)) is None:
        return
    paths = select(Unit.path).join(RequestStep, RequestStep.unit_id == Unit.id)
    rows.tell_pages(tx, await tx.scalars(paths.where(RequestStep.request_id == request_id)))
