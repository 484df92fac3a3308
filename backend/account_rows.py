"""An account as sign-ins read and change it: a frozen row, and the statements for it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, insert, select, update

from backend.account import Account, scheme_of
from backend.statements import Act, Question, given


class AccountNow(NamedTuple):
    """An account as it stands."""

    id: UUID
    status: str
    kind: str
    full_name: bytes
    birth_date: bytes | None
    gender: str | None
    assurance_level: int
    vouched_by: str
    differs: str
    epoch: int
    frozen_at: datetime | None
    vneid_at: datetime | None
    certificate_at: datetime | None

    @property
    def assurance_scheme(self) -> str:
        """As the account says it."""
        return scheme_of(self.vouched_by)

    @property
    def is_owned(self) -> bool:
        """As the account says it."""
        return self.vneid_at is not None or self.certificate_at is not None


AnyAccount = Account | AccountNow
COLUMNS = tuple(getattr(Account, name) for name in AccountNow._fields)
THIS = Account.id == given("account", Account.id)
HELD = Question(AccountNow, select(*COLUMNS).where(THIS).with_for_update())
OPEN = Act(insert(Account))
SHOWN_ANEW = Act(
    update(Account).where(THIS).values(version=Account.version + 1)
)  # /v1/me says something else
OWN = Act(  # its person has proved to be it; when that was first stays
    update(Account)
    .where(THIS)
    .values(
        vneid_at=func.coalesce(Account.vneid_at, given("by_vneid", Account.vneid_at)),
        certificate_at=func.coalesce(Account.certificate_at, given("by_certificate", Account.certificate_at)),
    )
)
THAW = Act(update(Account).where(THIS).values(frozen_at=None))
DIFFER = Act(
    update(Account).where(THIS).values(differs=given("fields", Account.differs), version=Account.version + 1)
)
VOUCH = Act(
    update(Account)
    .where(THIS)
    .values(vouched_by=given("by", Account.vouched_by), vouched_at=given("now", Account.vouched_at))
)
FOLLOW = Act(
    update(Account)
    .where(THIS)
    .values(
        full_name=given("name", Account.full_name),
        birth_date=given("born", Account.birth_date),
        person_blind=given("person", Account.person_blind),
        gender=given("said", Account.gender),
        assurance_level=given("level", Account.assurance_level),
        vouched_at=given("now", Account.vouched_at),
        version=Account.version + 1,
    )
)
