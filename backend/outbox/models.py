"""Downstream systems, what is on its way to them, and what each is known to hold."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, UtcDateTime, new_id
from backend.retention import Life, Stays, index_where
from backend.sealed import Whose, sealed

WAITING = "state IN ('pending', 'leased', 'dead')"
TRIED = "attempts > 0 AND state IN ('pending', 'leased')"
SETTLED = "state IN ('done', 'cancelled', 'skipped')"

LONGEST_REMOTE_ID = 200


class System(Base):
    """One downstream system and how to reach it."""

    __tablename__ = "systems"
    retention = Stays("the operator adds and disables them")

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    kind: Mapped[str] = mapped_column(String(10))  # scim (ldap, webhook: one connector file each)
    url: Mapped[str] = mapped_column(String(500))
    token: Mapped[bytes | None] = sealed(agency="a system's, not a person's")
    unit_codes: Mapped[str] = mapped_column(Text, default="[]")  # JSON list; empty: every unit
    options: Mapped[str] = mapped_column(
        Text, default="{}", server_default="{}"
    )  # JSON, read by the connector
    learnt: Mapped[str] = mapped_column(
        Text, default="{}", server_default="{}"
    )  # JSON (connectors/learnt.py): what it has turned out not to do
    keeps_mail: Mapped[bool] = mapped_column(default=False, server_default=false())  # official-mail passwords
    paused_until: Mapped[datetime | None] = mapped_column(UtcDateTime)  # circuit breaker
    stopped_until: Mapped[datetime | None] = mapped_column(UtcDateTime)  # by an operator
    reconciled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # nothing: somebody has asked for it
    comparing_until: Mapped[datetime | None] = mapped_column(
        UtcDateTime
    )  # a worker's lease on comparing it; after a failure nobody tries before then
    failures: Mapped[int] = mapped_column(default=0)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Delivery(Base):
    """ "Person P at system S must match version V", written in the deciding transaction (rule 702)."""

    __tablename__ = "deliveries"
    retention = Life("changed_at", "delivery_days", where=SETTLED)  # what a system holds stands in `links`
    whose = Whose("account_id", emptied={"skipped_because": None})
    __table_args__ = (
        UniqueConstraint("system_id", "account_id", "version"),
        Index("ix_deliveries_due", "system_id", "state", "lane", "next_at"),
        index_where("ix_deliveries_waiting", "system_id", "created_at", only=WAITING),
        index_where("ix_deliveries_tried", "system_id", only=TRIED),
        index_where("uq_deliveries_leased", "system_id", "account_id", unique=True, only="state = 'leased'"),
        index_where("ix_deliveries_settled", "changed_at", only=SETTLED),
        CheckConstraint("state IN ('pending','leased','done','dead','cancelled','skipped')", name="state"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    system_id: Mapped[UUID] = mapped_column(ForeignKey("systems.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    version: Mapped[int] = mapped_column(BigInteger)
    request_id: Mapped[UUID | None] = mapped_column(index=True)
    lane: Mapped[int]  # 0 revocation, 1 decision, 2 back-fill
    state: Mapped[str] = mapped_column(String(10), default="pending")
    not_before: Mapped[datetime] = mapped_column(UtcDateTime)
    next_at: Mapped[datetime] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    lease_token: Mapped[UUID | None]
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    error: Mapped[str | None] = mapped_column(String(60))  # a code, never the other side's words
    skipped_because: Mapped[bytes | None] = sealed(withheld="an operator's note on a system")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)  # since when it is in its state
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Link(Base):
    """What one system is known to hold of one person; also the row that is locked to take the pair's turn."""

    __tablename__ = "links"
    retention = Stays("what a system holds of a person, for as long as both are there")
    whose = Whose("account_id", emptied={})  # the system holds its own record of who left
    __table_args__ = (
        UniqueConstraint("system_id", "account_id"),
        Index("ix_links_system_id_state_checked_at", "system_id", "state", "checked_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    system_id: Mapped[UUID] = mapped_column(ForeignKey("systems.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    remote_id: Mapped[str | None] = mapped_column(String(LONGEST_REMOTE_ID))
    delivered_version: Mapped[int] = mapped_column(BigInteger, default=0)
    state: Mapped[str] = mapped_column(String(10), default="unknown")  # unknown, synced, drift
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
