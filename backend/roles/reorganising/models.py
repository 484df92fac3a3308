"""What a reorganisation was decided by, how far it is, and each row that it moved: by these it goes back."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, UtcDateTime, new_id
from backend.retention import Stays

RUNNING, DONE, REVERSING, REVERSED = "running", "done", "reversing", "reversed"
ROLE, PLANNED, STAFF, APPOINTMENT, REQUEST, STEP = (
    "role",
    "planned",
    "staff",
    "appointment",
    "request",
    "step",
)


class Reorganisation(Base):
    """One operation under one decision; who ran it stands in the journal.

    With `asked_by` somebody asked for it in the workspace, and the worker carries it.
    """

    __tablename__ = "reorganisations"
    retention = Stays("by which decision a unit and everybody in it went elsewhere")
    __table_args__ = (CheckConstraint("state IN ('running','done','reversing','reversed')", name="state"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    decision: Mapped[str] = mapped_column(String(60))
    state: Mapped[str] = mapped_column(String(10))
    effective_on: Mapped[date]
    plan: Mapped[str] = mapped_column(Text)  # JSON of `plan.Wanted`; units and roles, and nobody's name
    people: Mapped[int]  # whose roles were to move when it began
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reversed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    asked_by: Mapped[UUID | None]


class Moved(Base):
    """One row that went from a unit to another: a role (and the one that stands in for it), a record, a right."""

    __tablename__ = "reorganised_rows"
    retention = Stays("as its reorganisation, which is taken back by them")
    __table_args__ = (
        CheckConstraint("kind IN ('role','planned','staff','appointment','request','step')", name="kind"),
        Index("ix_reorganised_rows_run_id_kind_id", "run_id", "kind", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    run_id: Mapped[UUID] = mapped_column(ForeignKey("reorganisations.id"))
    kind: Mapped[str] = mapped_column(String(12))
    row_id: Mapped[UUID]
    new_id: Mapped[UUID | None] = mapped_column(index=True)  # of a role: the one in the other unit
    from_id: Mapped[UUID]
    to_id: Mapped[UUID]
    state: Mapped[str] = mapped_column(String(12), default="")  # of a role: what it was
    left: Mapped[bool] = mapped_column(default=False)  # changed since, and left as it is
    back_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
