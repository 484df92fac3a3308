"""Identities, numbers and phones as sign-ins read and write them: frozen rows, and the statements for them."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from backend.account import Account
from backend.accounts.models import Identifier, Identity, Phone
from backend.statements import Act, Question, given


class Known(NamedTuple):
    """What an e-ID calls somebody, and whose account that is."""

    id: UUID
    account_id: UUID


class Holder(NamedTuple):
    """Whose something is."""

    account_id: UUID


class Number(NamedTuple):
    """A number that an account holds now."""

    id: UUID
    kind: str
    value: bytes
    blind: bytes


class Mobile(NamedTuple):
    """A phone that an account has now, be it kept shut."""

    id: UUID
    number: bytes
    blind: bytes
    is_main: bool
    kept_until: datetime | None


class Other(NamedTuple):
    """An account."""

    id: UUID


KNOWN = Question(
    Known,
    select(Identity.id, Identity.account_id).where(
        Identity.issuer == given("issuer", Identity.issuer),
        Identity.subject == given("subject", Identity.subject),
    ),
)
LINK = Act(insert(Identity))
SHOWN = Act(
    update(Identity)
    .where(Identity.id == given("identity", Identity.id))
    .values(last_used_at=given("now", Identity.last_used_at), level=given("shown_level", Identity.level))
)
HOLDER = Question(
    Holder,
    select(Identifier.account_id).where(
        Identifier.kind == given("of_kind", Identifier.kind),
        Identifier.blind == given("number", Identifier.blind),
        Identifier.ended_at.is_(None),
    ),
)
NUMBERS = Question(
    Number,
    select(Identifier.id, Identifier.kind, Identifier.value, Identifier.blind)
    .where(Identifier.account_id == given("account", Identifier.account_id), Identifier.ended_at.is_(None))
    .order_by(Identifier.created_at, Identifier.id),
)
HOLD = Act(lambda insert: insert(Identifier).on_conflict_do_nothing())
LEAVE = Act(delete(Identifier).where(Identifier.account_id == given("account", Identifier.account_id)))
MOBILES = Question(
    Mobile,
    select(Phone.id, Phone.number, Phone.blind, Phone.is_main, Phone.kept_until)
    .where(Phone.account_id == given("account", Phone.account_id), Phone.ended_at.is_(None))
    .order_by(Phone.is_main.desc(), Phone.confirmed_at),
)
BIND = Act(insert(Phone))
SERVED = Question(
    Holder,
    select(Phone.account_id)
    .where(Phone.blind == given("number", Phone.blind), Phone.ended_at.is_(None))
    .distinct(),
)
ALIKE = Question(  # whether anybody else has this name and birth date
    Other,
    select(Account.id)
    .where(
        Account.person_blind == given("person", Account.person_blind),
        Account.id != given("account", Account.id),
    )
    .limit(1),
)
