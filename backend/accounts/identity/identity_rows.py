"""Identities, numbers and phones as sign-ins read and write them: frozen rows, and the statements for them."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Integer,
    Select,
    and_,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
    update,
)

from backend import account_rows
from backend.account import Account
from backend.accounts.models import Identifier, Identity, Phone
from backend.statements import Act, Question, by_number, given, named, one_of


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


class Held(NamedTuple):
    """A number and whose it is now."""

    id: UUID
    account_id: UUID
    kind: str
    value: bytes


class Mobile(NamedTuple):
    """A phone that an account has now, be it kept shut."""

    id: UUID
    number: bytes
    blind: bytes
    is_main: bool
    kept_until: datetime | None


class Own(NamedTuple):
    """A number of an account, or a phone."""

    id: UUID
    kind: str
    value: bytes
    is_main: bool
    since: datetime


PHONE = "phone"  # no number is of this kind
KNOWN = Question(
    Known,
    select(Identity.id, Identity.account_id).where(
        Identity.issuer == given("issuer", Identity.issuer),
        Identity.subject == given("subject", Identity.subject),
    ),
)


# The account that a person is led to, and what led there: the way in, else the place of the first number that is held.
Linked: Any = named("Linked", ("identity", "named_by", *account_rows.AccountNow._fields))


def _leads_to(count: int) -> Select[*tuple[Any, ...]]:
    """To whom the e-ID's name for the person leads, else the first of so many numbers."""
    way_in = and_(
        Identity.issuer == given("issuer", Identity.issuer),
        Identity.subject == given("subject", Identity.subject),
    )
    holders = [
        select(Identifier.account_id)
        .where(
            Identifier.kind == given(f"kind_{at}", Identifier.kind),
            Identifier.blind == given(f"number_{at}", Identifier.blind),
            Identifier.ended_at.is_(None),
        )
        .scalar_subquery()
        for at in range(count)
    ]
    linked = select(Identity.account_id).where(way_in).scalar_subquery()
    places = [(holder.is_not(None), at) for at, holder in enumerate(holders)]
    return (
        select(
            Identity.id.label("identity"),
            (case(*places) if places else cast(None, Integer)).label("named_by"),
            *account_rows.COLUMNS,
        )
        .select_from(Account)
        .outerjoin(Identity, and_(Identity.account_id == Account.id, way_in))
        .where(Account.id == (func.coalesce(linked, *holders) if holders else linked))
    )


@by_number
def leads_to(count: int) -> Question[Any]:
    """The account, to be looked at."""
    return Question(Linked, _leads_to(count))


@by_number
def leads_to_held(count: int) -> Question[Any]:
    """The same, kept from changing until the commit."""
    return Question(Linked, _leads_to(count).with_for_update(of=Account))


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
    .where(Identifier.account_id == given("account", Account.id), Identifier.ended_at.is_(None))
    .order_by(Identifier.created_at, Identifier.id),
)


@by_number
def held_by(count: int) -> Question[Held]:
    """The numbers of so many accounts: of one there are few, but an index by kind is that of half the province."""
    held = select(Identifier.id, Identifier.account_id, Identifier.kind, Identifier.value)
    of_them = one_of("account", count, Identifier.account_id)
    return Question(Held, held.where(of_them, Identifier.ended_at.is_(None)))


HOLD = Act(lambda insert: insert(Identifier).on_conflict_do_nothing())
LEAVE = Act(delete(Identifier).where(Identifier.account_id == given("account", Account.id)))
MOBILES = Question(
    Mobile,
    select(Phone.id, Phone.number, Phone.blind, Phone.is_main, Phone.kept_until)
    .where(Phone.account_id == given("account", Account.id), Phone.ended_at.is_(None))
    .order_by(Phone.is_main.desc(), Phone.confirmed_at),
)
OWN = Question(  # what an account shows of itself: its numbers, and the phones that may get codes
    Own,
    union_all(
        select(
            Identifier.id,
            Identifier.kind,
            Identifier.value,
            literal(False).label("is_main"),
            Identifier.created_at.label("since"),
        ).where(Identifier.account_id == given("account", Account.id), Identifier.ended_at.is_(None)),
        select(Phone.id, literal(PHONE), Phone.number, Phone.is_main, Phone.confirmed_at).where(
            Phone.account_id == given("account", Account.id),
            Phone.ended_at.is_(None),
            Phone.kept_until.is_(None),
        ),
    ),
)
BOUND = ("id", "account_id", "number", "blind", "is_main", "source", "confirmed_at")


@by_number
def bind(count: int) -> Act:
    """A phone of an account, unless its number, by so many indexes, serves as many others as it may."""
    serves = (one_of("index", count, Phone.blind), Phone.ended_at.is_(None))
    others = select(func.count(Phone.account_id.distinct())).where(*serves).scalar_subquery()
    theirs = exists().where(*serves, Phone.account_id == given("account_id", Phone.account_id))
    new = select(*(given(name, getattr(Phone, name)) for name in BOUND))
    may = or_(others < given("most", Integer()), theirs)
    return Act(insert(Phone).from_select(BOUND, new.where(may)))


SERVED = Question(
    Holder,
    select(Phone.account_id)
    .where(Phone.blind == given("number", Phone.blind), Phone.ended_at.is_(None))
    .distinct(),
)
