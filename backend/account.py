"""The account row: what everything else hangs on, and the queue for the device slot."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from backend import likeness
from backend.db import Base, UtcDateTime, new_id
from backend.retention import Stays
from backend.sealed import Whose, index_of, sealed

GONE = "Tài khoản đã xóa"


class Account(Base):
    """One person or organisation. The row carries the device slot (rule 303) and the version of what /v1/me shows.

    `vouched_by` says who stands for name, birth date and level: vneid, post_office, subscriber,
    social_insurance, certificate or imported. `differs` names what VNeID states otherwise (source 003, III).
    """

    __tablename__ = "accounts"
    retention = Stays("one that was closed names nobody, and roles and journal still lead to it")
    whose = Whose(
        "id",
        emptied={
            "full_name": GONE,
            **dict.fromkeys(("birth_date", "person_blind", "gender", "vouched_at", "phone_changed_at")),
            **dict.fromkeys(("recovered_at", "vneid_at", "certificate_at")),
            "differs": "",
        },
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    status: Mapped[str] = mapped_column(String(12), default="active")  # active, closed
    kind: Mapped[str] = mapped_column(String(12), default="citizen", server_default="citizen")
    full_name: Mapped[bytes] = sealed(copied="account")
    birth_date: Mapped[bytes | None] = sealed(copied="account")
    person_blind: Mapped[bytes | None] = index_of(
        lambda keys, _, said: likeness.blinds_of(keys, said["full_name"], said.get("birth_date")), index=True
    )
    gender: Mapped[str | None] = mapped_column(String(12))
    assurance_level: Mapped[int] = mapped_column(default=1)
    vouched_by: Mapped[str] = mapped_column(String(20), default="vneid", server_default="vneid")
    vouched_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    differs: Mapped[str] = mapped_column(String(80), default="", server_default="")  # names, comma-separated
    active_session_id: Mapped[UUID | None]
    epoch: Mapped[int] = mapped_column(BigInteger, default=0)
    frozen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    recovery_frozen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    phone_changed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    recovered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # the password was got back by phone
    vneid_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # VNeID of level 2 first came
    certificate_at: Mapped[datetime | None] = mapped_column(UtcDateTime)  # a certificate first came
    joined_into: Mapped[UUID | None]  # closed: the same person's account that took it over
    version: Mapped[int] = mapped_column(BigInteger, default=1)  # of the profile: +1 whenever /v1/me changes
    role_version: Mapped[int] = mapped_column(BigInteger, default=0)  # of the roles: +1 at every change
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    @property
    def assurance_scheme(self) -> str:
        """Whose scale `assurance_level` is on: VNeID's mức độ, or the old portal's IAL (rule 107)."""
        return scheme_of(self.vouched_by)

    @property
    def is_owned(self) -> bool:
        """Whether its person has proved to be it: by VNeID of level 2, or by a certificate."""
        return self.vneid_at is not None or self.certificate_at is not None


def scheme_of(vouched_by: str) -> str:
    """Whose scale the assurance level of an account is on that this provider stands for."""
    return "vneid" if vouched_by == "vneid" else "ial"
