"""Sessions of phones and browsers, their refresh tokens, push addresses, and the proofs already seen."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, UtcDateTime, new_id
from backend.retention import Life, index_where
from backend.sealed import Whose, sealed

LIVING = "ended_at IS NULL"
NAMELESS: dict[str, str | None] = {
    **dict.fromkeys(("device_platform", "device_name", "device_model"), "-"),
    "push_token": None,
}


class Session(Base):
    """A signed-in phone or browser; the row outlives the session so that its tokens can be told why they died."""

    __tablename__ = "sessions"
    retention = Life(
        "absolute_expires_at", "session_days"
    )  # so long its device is one that the account knows
    whose = Whose("account_id", emptied=NAMELESS)
    __table_args__ = (
        index_where(
            "uq_sessions_one_mobile", "account_id", unique=True, only="ended_at IS NULL AND kind = 'mobile'"
        ),
        index_where("ix_sessions_living", "kind", "absolute_expires_at", only=LIVING),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    kind: Mapped[str] = mapped_column(String(10))  # mobile, workspace
    epoch: Mapped[int] = mapped_column(BigInteger)
    jkt: Mapped[str | None] = mapped_column(String(64), index=True)
    access_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    access_expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    absolute_expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    method: Mapped[str] = mapped_column(String(20))
    assurance_level: Mapped[int]
    authenticated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    device_platform: Mapped[str] = mapped_column(String(20))
    device_name: Mapped[str] = mapped_column(String(80))
    device_model: Mapped[str] = mapped_column(String(80))
    push_token: Mapped[bytes | None] = sealed(withheld="an address that the push service gave the app itself")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    end_reason: Mapped[str | None] = mapped_column(String(30))
    replaced_by: Mapped[UUID | None]


class RefreshToken(Base):
    """One link of a session's rotation chain; used once, except by the same key within the grace (rule 305)."""

    __tablename__ = "refresh_tokens"
    retention = Life("expires_at", timedelta(days=30))  # so long a used one is told from a wrong one

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("sessions.id"), index=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    key_id: Mapped[bytes] = mapped_column(LargeBinary)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    successor_id: Mapped[UUID | None]


class SeenProof(Base):
    """A DPoP proof identifier that was accepted, kept for its window (RFC 9449 §11.1)."""

    __tablename__ = "seen_proofs"
    retention = Life("until", timedelta(minutes=4))

    id: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    until: Mapped[int] = mapped_column(BigInteger, index=True)
