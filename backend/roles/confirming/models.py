"""What a review is about: a unit until a day, and each role of it with the word that was said."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, UtcDateTime, new_id
from backend.retention import Stays, index_where

WAITING, CONFIRMED, ENDED, LEFT = "waiting", "confirmed", "ended", "left"
UNCONFIRMED = "unconfirmed"  # why a role ended that nobody has confirmed
_OPEN = "closed_at IS NULL"
_WAITING = "state = 'waiting'"
WAITS = text(
    "reviewed_roles.state = 'waiting'"
)  # as the indexes say it: a parameter would not be found in them


class Review(Base):
    """The roles that were in force in one unit when it began; who began it stands in the journal."""

    __tablename__ = "reviews"
    retention = Stays("who confirmed which post, and when, stays with the calendar of posts")
    __table_args__ = (index_where("uq_reviews_open", "unit_id", unique=True, only=_OPEN),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.id"))
    due_on: Mapped[date]  # the last day for the manager's word
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    reminded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # nothing of it waits any more


class ReviewedRole(Base):
    """One role in a review. An announcement says when it was made, and at which lived time (lived.py)."""

    __tablename__ = "reviewed_roles"
    retention = Stays("as its review")
    __table_args__ = (
        CheckConstraint("state IN ('waiting','confirmed','ended','left')", name="state"),
        UniqueConstraint("review_id", "role_id"),
        index_where("ix_reviewed_roles_waiting", "unit_id", "id", only=_WAITING),
        index_where("ix_reviewed_roles_role", "role_id", only=_WAITING),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    review_id: Mapped[UUID] = mapped_column(ForeignKey("reviews.id"))
    role_id: Mapped[UUID] = mapped_column(ForeignKey("roles.id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.id"))  # where the role is: it follows a merger
    state: Mapped[str] = mapped_column(String(10), default=WAITING)
    by: Mapped[UUID | None]  # whose word it was; nobody's of what ended by itself
    at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    first_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when its end was announced ...
    first_lived: Mapped[int | None] = mapped_column(BigInteger)
    second_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # ... and for the second time
    second_lived: Mapped[int | None] = mapped_column(BigInteger)
