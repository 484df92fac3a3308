"""What one person may decide and see: one object, asked of the database once in the transaction that needs it.

Everything that asks "may this person decide that, see that" asks the object (rules 613, 616).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, and_, exists, false, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from backend.accounts.identity import numbers
from backend.accounts.models import Identifier
from backend.appointment import CLERK, DELEGATE, MANAGER, Appointment
from backend.kit import Kit
from backend.outside.clock import local_day
from backend.roles.models import Unit
from backend.statements import Question, by_number, given, listed, one_of
from backend.support.models import Desk
from backend.transaction import Tx

KNOWN = "authorities"


class Post(msgspec.Struct, frozen=True):
    """One unit that somebody decides for now, and in which capacity."""

    id: UUID
    code: str
    name: str
    path: str
    appointment_id: UUID

    @property
    def is_root(self) -> bool:
        """Whether nothing stands above it: whoever manages it operates the province."""
        return self.path.strip("/").count("/") == 0


class Lent(msgspec.Struct, frozen=True):
    """What a manager has lent: the word of the unit `decider_id`, for steps at or below `path` and of some kinds."""

    id: UUID
    unit_id: UUID
    path: str
    decider_id: UUID
    kinds: frozenset[str]
    by: UUID
    until_on: date


class Right(NamedTuple):
    """An appointment that counts, with its unit, or its desk."""

    id: UUID
    kind: str
    unit_id: UUID
    code: str
    name: str
    path: str
    desk_id: UUID | None
    decider_id: UUID | None
    kinds: str | None
    by: UUID | None
    until_on: date | None


class Numbered(NamedTuple):
    """A number of somebody, and one of the rights that hang on it, if there is any."""

    blind: bytes
    of_kind: str
    id: UUID | None
    kind: str | None
    unit_id: UUID | None
    code: str | None
    name: str | None
    path: str | None
    desk_id: UUID | None
    decider_id: UUID | None
    kinds: str | None
    by: UUID | None
    until_on: date | None


COLUMNS = (
    *(Appointment.id, Appointment.kind, Appointment.unit_id, Unit.code, Unit.name, Unit.path),
    *(Appointment.desk_id, Appointment.decider_id, Appointment.kinds, Appointment.by, Appointment.until_on),
)


def _counting() -> ColumnElement[bool]:
    today = given("today", Appointment.from_on)
    source = aliased(Appointment)  # what is lent lasts no longer than the right that it was lent from
    lent_from = exists().where(source.id == Appointment.lent_from, source.counts(MANAGER, today))
    return or_(
        Appointment.counts(MANAGER, today),
        Appointment.counts(CLERK, today),
        and_(Appointment.counts(DELEGATE, today), lent_from),
    )


def _rights(count: int) -> Select[*tuple[Any, ...]]:
    """The rights of whoever has one of so many keyed indexes."""
    query = select(*COLUMNS).outerjoin(Unit, Unit.id == Appointment.unit_id)
    return query.where(one_of("number", count, Appointment.national_id_blind), _counting())


NUMBERED = (Identifier.blind, Identifier.kind.label("of_kind"), *COLUMNS)


def with_rights(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """Beside the numbers that a question reads: the rights that hang on each, if there are any."""
    query = query.outerjoin(Appointment, and_(Appointment.national_id_blind == Identifier.blind, _counting()))
    return query.outerjoin(Unit, Unit.id == Appointment.unit_id)


WITH_NUMBER = (
    Question(  # the same in one, where every index is under one key; of an account there are few numbers
        Numbered,
        with_rights(select(*NUMBERED).select_from(Identifier)).where(
            Identifier.account_id == given("account", Identifier.account_id), Identifier.ended_at.is_(None)
        ),
    )
)


@by_number
def rights_of(count: int) -> Question[Right]:
    """What they may do."""
    return Question(Right, _rights(count))


@by_number
def held_rights(count: int) -> Question[Right]:
    """The same, kept until the commit."""
    return Question(Right, _rights(count).with_for_update(read=True, of=Appointment))


class Authority(msgspec.Struct, frozen=True):
    """Who asks, and on which day: the person, the keyed indexes of the person's number, and the posts by unit."""

    account_id: UUID
    today: date
    blinds: frozenset[bytes]
    posts: dict[UUID, Post]
    desks: tuple[Desk, ...] = ()  # where the person works as a clerk
    lent: tuple[Lent, ...] = ()  # whose delegate the person is

    @property
    def speaks(self) -> bool:
        """Whether any word is this person's to say, by a right of their own or one that is lent."""
        return bool(self.posts or self.lent)

    @property
    def units(self) -> list[Post]:
        """The units that the person decides for, by code."""
        return sorted(self.posts.values(), key=lambda post: post.code)

    def decides(self, unit_id: UUID | None) -> bool:
        """Whether the word of that unit is this person's to say."""
        return unit_id in self.posts

    def stands_in(self, unit_id: UUID | None, path: str, kind: str, *, about: UUID) -> Lent | None:
        """By which delegation the word of that unit may be said about a step there; nothing more follows from one.

        `about` whom: nobody's own wish is decided by that person's right.
        """
        for lent in self.lent:
            if (
                lent.decider_id == unit_id
                and kind in lent.kinds
                and path.startswith(lent.path)
                and lent.by != about
            ):
                return lent
        return None

    def stands_over(self, path: str) -> bool:
        """Whether a unit is one of the person's or lies below one; more than its name and counts is rights.reads."""
        return any(path.startswith(post.path) for post in self.posts.values())

    def below(self) -> ColumnElement[bool]:
        """The same of `Unit`, as the database answers it: a first choice, from which a reader's units are taken."""
        return or_(false(), *(Unit.path.startswith(post.path) for post in self.posts.values()))


async def of(tx: AsyncSession, kit: Kit, account_id: UUID, *, now: datetime, hold: bool = False) -> Authority:
    """What somebody may do now, by own and by lent rights; `hold` keeps them until the commit.

    The day decides, not whether the worker has been there since: a right is over with its last day.
    """
    today = local_day(now)
    if isinstance(tx, Tx):
        return await _of(tx, kit, account_id, today, hold=hold)
    known: dict[tuple[UUID, date], Authority] = tx.info.setdefault(
        KNOWN, {}
    )  # who only reads sees one moment
    if (account_id, today) not in known:
        known[account_id, today] = await _of(tx, kit, account_id, today, hold=hold)
    return known[account_id, today]


def remember(tx: AsyncSession, who: Authority) -> None:
    """For whoever only reads: what has been asked for this call is not asked again in it."""
    if not isinstance(tx, Tx):
        tx.info.setdefault(KNOWN, {})[who.account_id, who.today] = who


async def _of(tx: AsyncSession, kit: Kit, account_id: UUID, today: date, *, hold: bool) -> Authority:
    if not hold and len(kit.keys.key_ids) == 1:
        return await of_numbers(
            tx, account_id, today, await WITH_NUMBER.all(tx, account=account_id, today=today)
        )
    blinds = await numbers.blinds_of(tx, kit, account_id)
    ask = held_rights if hold else rights_of
    found = await ask(len(blinds)).all(tx, today=today, **listed("number", blinds)) if blinds else []
    return await _made(tx, account_id, today, blinds, found)


async def of_numbers(tx: AsyncSession, account_id: UUID, today: date, rows: Iterable[Numbered]) -> Authority:
    """The same of somebody whose numbers and rights have been read, where every index is under one key."""
    theirs = [row for row in rows if row.of_kind == numbers.NATIONAL_ID]
    found = [Right._make(row[2:]) for row in theirs if row.id is not None]
    return await _made(tx, account_id, today, [row.blind for row in theirs], found)


async def _made(
    tx: AsyncSession, account_id: UUID, today: date, blinds: Iterable[bytes], found: Iterable[Right]
) -> Authority:
    posts, lends, at_desks = dict[UUID, Post](), list[Lent](), list[UUID]()
    for one in found:
        if one.kind == MANAGER:
            posts[one.unit_id] = Post(one.unit_id, one.code, one.name, one.path, one.id)
        elif one.kind == DELEGATE:
            lends.append(_lent(one))
        elif one.desk_id is not None:
            at_desks.append(one.desk_id)
    desks = await _desks(tx, at_desks) if at_desks else ()
    return Authority(account_id, today, frozenset(blinds), posts, tuple(desks), tuple(lends))


async def _desks(tx: AsyncSession, ids: list[UUID]) -> Sequence[Desk]:
    query = select(Desk).where(Desk.id.in_(ids), Desk.removed_at.is_(None))
    return (await tx.scalars(query.order_by(Desk.added_at, Desk.id))).all()


def _lent(one: Right) -> Lent:
    assert one.kinds is not None  # as the table promises (appointment.PLACE)
    assert one.decider_id is not None
    assert one.by is not None
    assert one.until_on is not None
    kinds = frozenset(one.kinds.split())
    return Lent(one.id, one.unit_id, one.path, one.decider_id, kinds, one.by, one.until_on)
