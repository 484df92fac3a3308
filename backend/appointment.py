"""Who may act, for what, from which day until which: a manager for a unit, a clerk at a desk, a delegate (rule 1002).

A delegate acts by the right of a manager's appointment, which is named by `lent_from`, and no longer than that stands.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    CheckConstraint,
    ColumnElement,
    ForeignKey,
    Index,
    String,
    and_,
    or_,
)
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, UtcDateTime, new_id
from backend.retention import Stays, filled, index_where
from backend.sealed import equal, index_of, sealed

MANAGER, CLERK, DELEGATE = "manager", "clerk", "delegate"
OFFICE = "who acts for an agency is the agency's to keep, and nobody who does may go"
_CURRENT = "ended_at IS NULL"
_MANAGES = "ended_at IS NULL AND kind = 'manager'"
PLACE = (
    "(kind = 'manager' AND unit_id IS NOT NULL AND desk_id IS NULL) "
    "OR (kind = 'clerk' AND desk_id IS NOT NULL AND unit_id IS NULL) "
    "OR (kind = 'delegate' AND unit_id IS NOT NULL AND desk_id IS NULL AND lent_from IS NOT NULL "
    "AND decider_id IS NOT NULL AND kinds IS NOT NULL AND until_on IS NOT NULL)"
)


class Appointment(Base):
    """Named by personal number, so that the right exists before the person has an account."""

    __tablename__ = "appointments"
    retention = Stays(
        "who could decide for a unit or answer at a desk, and since when, is part of the calendar of posts"
    )
    __table_args__ = (
        CheckConstraint(PLACE, name="place"),
        index_where("uq_appointments_unit", "unit_id", "national_id_blind", unique=True, only=_MANAGES),
        index_where("uq_appointments_desk", "desk_id", "national_id_blind", unique=True, only=_CURRENT),
        Index("ix_appointments_blind", "national_id_blind"),
        filled("appointments", "from_on"),
        filled("appointments", "until_on", "ended_at IS NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    kind: Mapped[str] = mapped_column(String(10))  # manager, clerk, delegate
    unit_id: Mapped[UUID | None] = mapped_column(ForeignKey("units.id"), index=True)
    desk_id: Mapped[UUID | None] = mapped_column(ForeignKey("support_desks.id"), index=True)
    national_id_blind: Mapped[bytes] = index_of(equal("national_id", "national_id"))
    national_id: Mapped[bytes] = sealed(agency=OFFICE)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[UUID | None]  # who appointed; an operator has no account, the journal names them
    from_on: Mapped[date | None]  # the first day, while it is to come; nothing once the right is there
    until_on: Mapped[date | None]  # the last day, inclusive, when the end was known before
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by_role: Mapped[UUID | None]  # the post that carried it, and ended
    lent_from: Mapped[UUID | None] = mapped_column(index=True)  # of a delegate: the manager's appointment
    decider_id: Mapped[UUID | None]  # of a delegate: the unit whose word it is
    kinds: Mapped[str | None] = mapped_column(
        String(120)
    )  # of a delegate: of which requests, with spaces between

    @classmethod
    def stands(cls, kind: str) -> ColumnElement[bool]:
        """It has not ended; its first day may be to come."""
        return and_(cls.kind == kind, cls.ended_at.is_(None))

    @classmethod
    def counts(cls, kind: str, on: date | BindParameter[Any] | None) -> ColumnElement[bool]:
        """The right is there on that day, whether or not the worker has begun or ended it by then (rule 616).

        Without a day: as the worker has left it, which is what is written down of deciders and what it keeps true.
        """
        if on is None:
            return and_(cls.stands(kind), cls.from_on.is_(None))
        begun, lasts = (
            or_(cls.from_on.is_(None), cls.from_on <= on),
            or_(cls.until_on.is_(None), cls.until_on >= on),
        )
        return and_(cls.stands(kind), begun, lasts)
