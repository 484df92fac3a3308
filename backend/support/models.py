"""Desks, who works there, cases with their messages and mails, and the notices that people read first (source 004)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, UtcDateTime, new_id
from backend.retention import GoesWith, Life, Stays, filled, index_where
from backend.sealed import Whose, sealed

TRIES = 64  # of a mail, about two and a half days, as deliveries have
DEALT_WITH = f"(sent_at IS NOT NULL OR attempts >= {TRIES})"
GONE = "Nội dung đã xóa theo yêu cầu của chủ thể dữ liệu"


class Desk(Base):
    """A support desk; mailbox and phone are public, they are what a caller is checked against."""

    __tablename__ = "support_desks"
    retention = Stays("the operator adds and removes them")

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    mailbox: Mapped[str] = mapped_column(String(254))
    phone: Mapped[str] = mapped_column(String(200))  # numbers with their extensions
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    removed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class CaseDay(Base):
    """The day's running number, the only thing that makes case codes (rule 1103)."""

    __tablename__ = "support_case_days"
    retention = Life("day", timedelta(days=30))  # a code has its day in it, so none comes twice

    day: Mapped[date] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(default=0)
    key_id: Mapped[bytes] = mapped_column(LargeBinary)  # one permutation a day, whatever keys come


class Case(Base):
    """One request for help. Who asked is the account, or the address of a mail."""

    __tablename__ = "support_cases"
    retention = Life("closed_at", "case_days")
    whose = Whose(  # the code stays, so that none is made twice
        "account_id",
        emptied={
            "subject": GONE,
            **dict.fromkeys(("mail_address", "idempotency_key", "idempotency_print")),
        },
    )
    __table_args__ = (
        UniqueConstraint("account_id", "idempotency_key"),
        filled("support_cases", "closed_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    desk_id: Mapped[UUID] = mapped_column(ForeignKey("support_desks.id"), index=True)
    account_id: Mapped[UUID | None] = mapped_column(index=True)
    origin: Mapped[str] = mapped_column(String(12))  # app, staff, mail, notice, takeover
    notice_id: Mapped[UUID | None] = mapped_column(unique=True)  # the notice that was denied
    subject: Mapped[bytes] = sealed(copied="support_cases")
    mail_address: Mapped[bytes | None] = sealed()
    tag: Mapped[str | None] = mapped_column(String(40))  # as the mail's subject had it
    status: Mapped[str] = mapped_column(String(12), default="open")  # open, answered, closed
    version: Mapped[int] = mapped_column(default=1)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    desk_wrote_at: Mapped[datetime] = mapped_column(UtcDateTime)  # opening counts: the code is given then
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    idempotency_key: Mapped[str | None] = mapped_column(String(80))
    idempotency_print: Mapped[bytes | None] = mapped_column(LargeBinary)


class CaseMessage(Base):
    """One contribution to a case."""

    __tablename__ = "support_messages"
    retention = GoesWith("case_id", via="support_cases")
    whose = Whose("case_id", via="support_cases", emptied={"text": GONE})

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    case_id: Mapped[UUID] = mapped_column(ForeignKey("support_cases.id"), index=True)
    author: Mapped[str] = mapped_column(String(10))  # person, desk
    by: Mapped[UUID | None]
    text: Mapped[bytes] = sealed(copied="support_cases")
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class CaseMail(Base):
    """A mail that the desk owes somebody; sealed, sent after the commit, tried again until it left."""

    __tablename__ = "support_mails"
    retention = Life("not_before", timedelta(days=30), where=DEALT_WITH)
    whose = Whose("case_id", via="support_cases")
    __table_args__ = (index_where("ix_support_mails_dealt_with", "not_before", only=DEALT_WITH),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    desk_id: Mapped[UUID] = mapped_column(ForeignKey("support_desks.id"))
    case_id: Mapped[UUID | None]
    recipient: Mapped[bytes] = sealed()
    subject: Mapped[bytes] = sealed()
    body: Mapped[bytes] = sealed()
    answers: Mapped[bytes | None] = sealed()  # the Message-ID that this answers
    is_automatic: Mapped[bool] = mapped_column(Boolean, default=False)  # nobody wrote it (RFC 3834)
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[datetime] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class ReadMail(Base):
    """A mail of the mailbox that was dealt with, so that a crash before the IMAP keyword opens no second case."""

    __tablename__ = "support_read_mails"
    retention = Life("at", timedelta(days=90))  # one that still comes is counted anew
    __table_args__ = (UniqueConstraint("uid_validity", "uid"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    uid_validity: Mapped[str] = mapped_column(String(20))
    uid: Mapped[str] = mapped_column(String(20))
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class JoinProposal(Base):
    """A clerk of a desk has proposed that two accounts are one person's; the row is there while it waits (R26).

    `*_print` say what each account was when it was proposed: whatever has changed since wants to be looked at again.
    """

    __tablename__ = "support_joins"
    retention = Stays("it is there while it waits: a second clerk ends it, or its time, and both are told")
    whose = Whose("stays_id", also="goes_id")

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    stays_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    goes_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), unique=True)
    stays_print: Mapped[str] = mapped_column(String(64))
    goes_print: Mapped[str] = mapped_column(String(64))
    grounds: Mapped[bytes] = sealed(copied="join_proposals")
    proposed_by: Mapped[UUID]
    proposed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class NameProposal(Base):
    """A clerk of a desk has read another name on a paper; the row is there while it waits for a second one (R37)."""

    __tablename__ = "support_names"
    retention = Stays(
        "it is there while it waits: a second clerk ends it, or its time, and the person is told"
    )
    whose = Whose("account_id")

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), unique=True)
    version: Mapped[int] = mapped_column(BigInteger)  # of the profile that was proposed about
    full_name: Mapped[bytes] = sealed()
    document: Mapped[bytes] = sealed()  # which paper, and its number
    grounds: Mapped[bytes] = sealed()
    proposed_by: Mapped[UUID]
    proposed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Notice(Base):
    """What the app shows before anything else; without account it is an announcement for everybody.

    `details` is sealed JSON of what the words need (a device's name, a masked phone, a case code).
    """

    __tablename__ = "notices"
    __table_args__ = (filled("notices", "read_at"), filled("notices", "until"))
    retention = (Life("read_at", "notice_days"), Life("until", "notice_days"))  # one's own waits to be read
    whose = Whose("account_id")

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[UUID | None] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(20))
    details: Mapped[bytes | None] = sealed(copied="notices")
    title: Mapped[str | None] = mapped_column(Text)  # announcements only
    body: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    read_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    is_denied: Mapped[bool] = mapped_column(Boolean, default=False)
    about: Mapped[UUID | None] = mapped_column(
        index=True
    )  # the act that may still be taken back, and this with it


class NoticeRead(Base):
    """Who has read an announcement."""

    __tablename__ = "notice_reads"
    retention = GoesWith("notice_id", via="notices")
    whose = Whose("account_id")

    notice_id: Mapped[UUID] = mapped_column(ForeignKey("notices.id"), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
