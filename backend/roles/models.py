"""Units, their managers, the staff directory, roles and the requests that change them."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from backend.db import Base, UtcDateTime, new_id
from backend.retention import Stays, filled, index_where
from backend.roles.listed import number_listed
from backend.sealed import Whose, index_of, sealed, within

NO_FORM = "{}"
_SAID = "at IS NOT NULL"
_IN_FORCE = "state = 'active'"
_WAITING = "decider_id IS NOT NULL"
_IN_TIME = "decider_id IS NOT NULL AND overdue_at IS NULL"
_OVERDUE = "decider_id IS NOT NULL AND overdue_at IS NOT NULL"
_ABOVE = "above_id IS NOT NULL"
TO_COME = "status = 'approved' AND applied_at IS NULL"  # of requests: what waits for its day
WANTED = "status IN ('pending', 'returned')"  # of requests: what is not decided yet
HELD = "state IN ('scheduled', 'active', 'suspended')"  # of roles: that somebody has or will have
RUNNING = "state IN ('active', 'suspended')"  # of roles: what a last day ends


class Unit(Base):
    """An agency or a part of one; a forest with several roots, no districts since 1/7/2025 (rule 620)."""

    __tablename__ = "units"
    retention = Stays("one that has ended leads to who took its work over")
    __table_args__ = (filled("units", "successor_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    folded: Mapped[str] = mapped_column(String(400))  # name and code without marks, for search
    agency_code: Mapped[str | None] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(30))
    parent_id: Mapped[UUID | None] = mapped_column(ForeignKey("units.id"), index=True)
    path: Mapped[str] = mapped_column(String(600))  # "/root-id/…/own-id/", for subtree questions
    ended_on: Mapped[date | None]
    successor_id: Mapped[UUID | None]  # who took its work over
    parent: Mapped[Unit | None] = relationship(
        foreign_keys="Unit.parent_id", remote_side="Unit.id", lazy="raise"
    )


class StaffRecord(Base):
    """What the staff directory knows of one person; everything personal is sealed as one JSON text."""

    __tablename__ = "staff_records"
    retention = Stays("until the agency's next import; who has left may come back")

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    national_id_blind: Mapped[bytes] = index_of(number_listed, unique=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.id"), index=True)
    subject_type: Mapped[str] = mapped_column(String(30))
    position: Mapped[str] = mapped_column(String(40))
    email_blind: Mapped[bytes | None] = index_of(
        within("official_email", "sealed", "official_email"), index=True
    )  # nothing once the person has left: the address is there for who comes next
    code_blind: Mapped[bytes | None] = index_of(
        within("employee_code", "sealed", "employee_code"), index=True
    )
    sealed: Mapped[bytes] = sealed(copied="staff_directory", agency="the directory is the agency's")
    imported_at: Mapped[datetime] = mapped_column(UtcDateTime)
    left_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # a complete file did not name the person


class Role(Base):
    """A person's post in a unit over time; at most one home role is in force at any instant (rule 612)."""

    __tablename__ = "roles"
    retention = Stays("the calendar of posts")
    whose = Whose(
        "account_id", emptied={"fields": NO_FORM, "email_blind": None, "code_blind": None}
    )  # the calendar of posts stays
    __table_args__ = (
        index_where("uq_roles_one_home", "account_id", unique=True, only="state = 'active' AND is_home"),
        filled("roles", "until_on", RUNNING),
        index_where("ix_roles_held", "unit_id", "id", only=HELD),
        Index("ix_roles_unit_state", "unit_id", "state", "id"),
        index_where("ix_roles_in_force", "unit_id", "subject_type", only=_IN_FORCE),
        index_where("ix_roles_held_position", "unit_id", "position", "id", only=HELD),
        CheckConstraint("state IN ('scheduled','active','suspended','ended','undone')", name="state"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.id"), index=True)
    subject_type: Mapped[str] = mapped_column(String(30))
    position: Mapped[str] = mapped_column(String(40))
    fields: Mapped[bytes] = sealed(copied="roles")  # JSON of the subject type's form
    email_blind: Mapped[bytes | None] = index_of(
        within("official_email", "fields", "official_email"), index=True
    )
    code_blind: Mapped[bytes | None] = index_of(
        within("employee_code", "fields", "employee_code"), index=True
    )
    state: Mapped[str] = mapped_column(String(12))
    is_home: Mapped[bool] = mapped_column(default=True)
    from_on: Mapped[date]
    until_on: Mapped[date | None]  # the last day, inclusive, when the end was known before
    request_id: Mapped[UUID]  # the request that began it
    stands_on: Mapped[UUID | None] = mapped_column(index=True)  # the post that it ends with
    suspended_by: Mapped[UUID | None]  # the request while it is suspended
    began_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_reason: Mapped[str | None] = mapped_column(String(30))
    ended_by_request: Mapped[UUID | None]
    unit: Mapped[Unit] = relationship(lazy="raise")


class RoleRequest(Base):
    """One wish to begin, correct, move or end a role; decided once, by somebody else (rules 610, 611)."""

    __tablename__ = "role_requests"
    retention = Stays("what was decided about a post, and why, stays with it")
    whose = Whose(
        "account_id",
        emptied={
            "fields": NO_FORM,
            **dict.fromkeys(("before", "note", "kept_reason", "idempotency_key", "idempotency_print")),
        },
    )
    __table_args__ = (
        Index(
            "uq_role_requests_one_open",
            "account_id",
            unique=True,
            sqlite_where=text("status IN ('pending','returned')"),
            postgresql_where=text("status IN ('pending','returned')"),
        ),
        index_where("ix_role_requests_to_come", "effective_on", only=TO_COME),
        filled("role_requests", "until_on", WANTED),
        CheckConstraint(
            "kind IN ('register','amend','transfer','concurrent','end','suspension','separation')",
            name="kind",
        ),
        CheckConstraint(
            "status IN ('pending','returned','approved','rejected','withdrawn','expired')", name="status"
        ),
        UniqueConstraint("created_by", "idempotency_key"),
        index_where("ix_role_requests_text_due", "text_due_at", only="text_due_at IS NOT NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    created_by: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    kind: Mapped[str] = mapped_column(String(12))
    movement: Mapped[str | None] = mapped_column(String(16))  # which of the kind; nothing in old rows
    status: Mapped[str] = mapped_column(String(12), default="pending")
    version: Mapped[int] = mapped_column(default=1)
    role_id: Mapped[UUID | None] = mapped_column(ForeignKey("roles.id"))
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.id"), index=True)  # where the role is, or will be
    subject_type: Mapped[str] = mapped_column(String(30))
    position: Mapped[str] = mapped_column(String(40))
    fields: Mapped[bytes] = sealed(copied="role_requests")
    before: Mapped[bytes | None] = sealed()  # JSON of what was replaced, for the undo
    note: Mapped[bytes | None] = sealed()  # the reason of a manager who started it
    effective_on: Mapped[date | None]
    until_on: Mapped[date | None]
    idempotency_key: Mapped[str | None] = mapped_column(String(80))
    idempotency_print: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    decided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    decided_by: Mapped[UUID | None]
    applied_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when an approved request took effect
    role_version: Mapped[int | None] = mapped_column(
        BigInteger
    )  # of the person's roles right after that, for the undo
    text_due_at: Mapped[datetime | None] = mapped_column(
        UtcDateTime
    )  # written by release 0.2.0 alone, and carried over (texting.py)
    session_id: Mapped[UUID | None]  # the sign-in behind what it says now; a manager's words have none
    denied_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # its owner disowned that sign-in
    kept_by: Mapped[UUID | None]  # who let the person's appointment outlive the post
    kept_reason: Mapped[bytes | None] = sealed()  # why
    keeps: Mapped[str | None] = mapped_column(Text)  # JSON of the concurrent posts that outlive the home role
    unit: Mapped[Unit] = relationship(lazy="raise")
    steps: Mapped[list[RequestStep]] = relationship(
        lazy="raise", order_by="RequestStep.position", back_populates="request"
    )


class RequestChange(Base):
    """What a request said before somebody corrected it; the next one, or the request, says what it said after."""

    __tablename__ = "request_changes"
    retention = Stays("as its request")
    whose = Whose("request_id", via="role_requests")

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("role_requests.id"), index=True)
    by: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    before: Mapped[bytes] = sealed(copied="role_requests")  # JSON; shown as what was corrected


class RequestStep(Base):
    """One unit's word on a request: approve, release or receive."""

    __tablename__ = "request_steps"
    retention = Stays("as its request")
    whose = Whose("request_id", via="role_requests", emptied={"reason": None})
    __table_args__ = (
        UniqueConstraint("request_id", "duty"),
        index_where("ix_request_steps_decider", "decider_id", "request_id", only=_WAITING),
        index_where("ix_request_steps_by_at", "by", "at", only=_SAID),
        index_where("ix_request_steps_unit_at", "unit_id", "at", only=_SAID),
        index_where("ix_request_steps_at", "at", "unit_id", only=_SAID),
        index_where("ix_request_steps_decider_unit", "decider_id", "unit_id", "request_id", only=_WAITING),
        index_where("ix_request_steps_due", "due_on", only=_IN_TIME),
        index_where("ix_request_steps_overdue", "decider_id", "request_id", only=_OVERDUE),
        index_where("ix_request_steps_above", "above_id", "request_id", only=_ABOVE),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    request_id: Mapped[UUID] = mapped_column(ForeignKey("role_requests.id"), index=True)
    position: Mapped[int]
    unit_id: Mapped[UUID] = mapped_column(ForeignKey("units.id"), index=True)
    decider_id: Mapped[UUID | None]  # the unit whose managers decide, while it waits (deciding.py)
    duty: Mapped[str] = mapped_column(String(10))  # approve, release, receive, confirm (a second person's)
    decision: Mapped[str | None] = mapped_column(String(12))
    by: Mapped[UUID | None]
    due_on: Mapped[date | None]  # its last day; what waits beyond it is overdue
    overdue_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # when that was found
    above_id: Mapped[UUID | None]  # from then, while it waits: the unit above that may decide as well
    is_above: Mapped[bool | None]  # its managers did, and nobody nearer
    delegation_id: Mapped[UUID | None]  # the appointment of a delegate by whose right it was spoken
    at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reason: Mapped[bytes | None] = sealed(copied="role_requests")
    request: Mapped[RoleRequest] = relationship(lazy="raise", back_populates="steps")
    unit: Mapped[Unit] = relationship(lazy="raise")


class CatalogueVersion(Base):
    """One catalogue as it was imported; the newest is in force. Who imported it stands in the journal."""

    __tablename__ = "catalogue_versions"
    retention = Stays("roles were given under each of them")

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    version: Mapped[int] = mapped_column(unique=True)
    text: Mapped[str] = mapped_column(Text)  # JSON of `catalogue.entries.Catalogue`
    imported_at: Mapped[datetime] = mapped_column(UtcDateTime)
