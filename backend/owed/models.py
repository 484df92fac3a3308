"""The one table of what is still to leave for a person."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, UtcDateTime, new_id
from backend.retention import Life, filled, index_where
from backend.sealed import Whose, sealed

WAITS = "due_at IS NOT NULL"


class Message(Base):
    """One message, written with the act that it is about; what it says is emptied when it is over.

    `due_at` is when it may leave; while somebody has it, until when that is. Nothing once it is over.
    """

    __tablename__ = "messages"
    retention = Life("done_at", timedelta(days=30))
    whose = Whose("account_id")
    __table_args__ = (
        index_where("ix_messages_channel_due_at", "channel", "due_at", only=WAITS),
        filled("messages", "done_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    channel: Mapped[str] = mapped_column(String(8))  # sms, push
    kind: Mapped[str] = mapped_column(String(24))  # what it says, in the words of its channel
    account_id: Mapped[UUID | None] = mapped_column(index=True)
    about: Mapped[UUID | None] = mapped_column(index=True)  # the act, which may take it back
    content: Mapped[bytes | None] = sealed(withheld="on its way to the person, and emptied when it has left")
    at: Mapped[datetime] = mapped_column(UtcDateTime)  # of the act
    due_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(default=0)
    lease: Mapped[UUID | None]  # the token of whoever has it
    handed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # since when it may have left
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(String(10))  # sent, uncertain, dropped
