"""What an account is entered by and known by: identities, numbers, phones, secrets; and its history and consents."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint, true
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, UtcDateTime, new_id
from backend.retention import Life, Stays, filled, index_where
from backend.sealed import Whose, equal, index_of, sealed


class Identity(Base):
    """What a provider calls a person: (issuer, subject) is the key, never the personal number (rule 101)."""

    __tablename__ = "identities"
    retention = Stays("while the account is there it may be entered by it")
    whose = Whose("account_id")
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    issuer: Mapped[str] = mapped_column(String(300))
    subject: Mapped[str] = mapped_column(String(300))
    level: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Identifier(Base):
    """A personal number with its history; at most one account holds a number at a time."""

    __tablename__ = "identifiers"
    retention = Stays("goes with the account: an old number still says whose it was")
    whose = Whose("account_id")
    __table_args__ = (
        index_where("uq_identifiers_current", "kind", "blind", unique=True, only="ended_at IS NULL"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    kind: Mapped[str] = mapped_column(String(20))  # national_id, old_id_number, tax_code, agency_code
    value: Mapped[bytes] = sealed(copied="account")
    blind: Mapped[bytes] = index_of(lambda keys, row, said: keys.blinds(row.kind, said["value"]))
    source: Mapped[str] = mapped_column(String(300))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Phone(Base):
    """A phone that a code has proved. Several accounts may share one number (source 001)."""

    __tablename__ = "phones"
    retention = Stays("goes with the account: one that has ended still says whose it was")
    whose = Whose("account_id")
    __table_args__ = (Index("ix_phones_blind", "blind"), filled("phones", "kept_until"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    number: Mapped[bytes] = sealed(copied="account")
    blind: Mapped[bytes] = index_of(equal("phone", "number"))
    is_main: Mapped[bool] = mapped_column(default=True, server_default=true())  # codes go here by default
    source: Mapped[str] = mapped_column(String(20), default="code", server_default="code")  # code, subscriber
    confirmed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    kept_until: Mapped[datetime | None] = mapped_column(
        UtcDateTime
    )  # shut: not confirmed since the owner came


class Attribute(Base):
    """What is known of somebody beyond name and numbers, with the evidence for it (source 001, 3.1)."""

    __tablename__ = "attributes"
    retention = Stays("goes with the account")
    whose = Whose("account_id")
    __table_args__ = (UniqueConstraint("account_id", "name"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    name: Mapped[str] = mapped_column(String(30))
    value: Mapped[bytes] = sealed(copied="identity")
    source: Mapped[str] = mapped_column(String(20))  # self, desk, or one of `Account.vouched_by`
    verified_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Password(Base):
    """The one password of an account, as Argon2id (rule 156)."""

    __tablename__ = "passwords"
    retention = Life("kept_until", timedelta(0))  # shut, and not confirmed since the owner came
    whose = Whose("account_id")
    __table_args__ = (filled("passwords", "kept_until"),)

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    hash: Mapped[str] = mapped_column(String(200))
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    kept_until: Mapped[datetime | None] = mapped_column(UtcDateTime)  # as a phone's


class Certificate(Base):
    """A signing SIM or USB token that signs in; `label` (holder, issuer) and serial are personal (rule 902)."""

    __tablename__ = "certificates"
    retention = Stays("goes with the account: one that has ended still says whose it was")
    whose = Whose("account_id")
    __table_args__ = (UniqueConstraint("account_id", "thumbprint"), filled("certificates", "kept_until"))

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    thumbprint: Mapped[bytes] = mapped_column(LargeBinary, index=True)  # SHA-256 of what the authority signed
    label: Mapped[bytes] = sealed()  # of an ended one too, which the list of methods does not show
    valid_until: Mapped[datetime] = mapped_column(UtcDateTime)
    added_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    kept_until: Mapped[datetime | None] = mapped_column(UtcDateTime)  # as a phone's


class Access(Base):
    """One try to get in, for the person's own eyes (source 001, III); kept for `history_days`."""

    __tablename__ = "access_history"
    retention = Life("at", "history_days")
    whose = Whose("account_id")
    __table_args__ = (Index("ix_access_history_account_id_at", "account_id", "at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"))
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    method: Mapped[str] = mapped_column(String(20))
    result: Mapped[str] = mapped_column(String(10))  # success, failure
    device: Mapped[str | None] = mapped_column(String(80))
    place: Mapped[str | None] = mapped_column(String(60))  # a province, never an address
    session_id: Mapped[UUID | None]


class Consent(Base):
    """What somebody allowed or took back, one row a purpose and change: the proof of it (rule 903)."""

    __tablename__ = "consents"
    retention = Stays("the proof of what was allowed and taken back")
    whose = Whose("account_id", emptied={})  # taken back, and kept as the proof

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    purpose: Mapped[str] = mapped_column(String(40))
    given_at: Mapped[datetime] = mapped_column(UtcDateTime)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Slip(Base):
    """A phone change that the subscriber registry did not confirm, for the carrier's counter (source 004)."""

    __tablename__ = "phone_change_slips"
    retention = Life("valid_until", timedelta(days=30))
    whose = Whose("account_id")

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    code: Mapped[str] = mapped_column(String(20), unique=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), index=True)
    phone: Mapped[bytes] = sealed()
    made_at: Mapped[datetime] = mapped_column(UtcDateTime)
    valid_until: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class OneTimeCode(Base):
    """One code and its budget of guesses; the code itself is derived from the binding (rules 203, 206)."""

    __tablename__ = "one_time_codes"
    retention = Life("expires_at", timedelta(days=1))
    whose = Whose("account_id")

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    flow_id: Mapped[UUID] = mapped_column(index=True)
    account_id: Mapped[UUID | None]
    purpose: Mapped[str] = mapped_column(String(20))
    phone: Mapped[bytes] = sealed(withheld="it lives for minutes, and the number stands with the account")
    phone_blind: Mapped[bytes] = mapped_column(LargeBinary)  # part of the code: no rotation touches it
    key_id: Mapped[bytes] = mapped_column(LargeBinary)
    attempts: Mapped[int] = mapped_column(default=0)
    sendings: Mapped[int] = mapped_column(default=1)
    first_sent_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_sent_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    used_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    voided_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
