"""The next entries of the journal that may be a reader's, by the places that stand on them (audit_places)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Select,
    Subquery,
    Uuid,
    and_,
    exists,
    func,
    literal,
    select,
    true,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.identity import numbers, taken_over
from backend.accounts.models import Identifier
from backend.appointment import MANAGER, Appointment
from backend.kit import Kit
from backend.roles import audit_wanted
from backend.roles.audit_places import ABOUT, BY, LATE, UNIT, Place, placed_to
from backend.roles.audit_wanted import CHUNK, GROUPS, ROLE, Span, Wanted
from backend.roles.authority import Authority
from backend.roles.models import Unit
from backend.roles.territory import edge, unmanaged
from backend.statements import Question, by_number, given

Inside = frozenset[UUID] | None  # the units that are meant, or all
People = Collection[UUID] | Select[UUID]
FORMS = (4, 16, 80, CHUNK)  # of how many places the newest are asked for at once
NOWHERE = ("", UUID(int=0), "")
EVERY = 1 << 31  # more places than there are
ENDS = (-(1 << 62), 1 << 62)  # before and behind every entry


class Numbered(NamedTuple):
    """An entry."""

    seq: int


async def candidates(
    tx: AsyncSession, kit: Kit, who: Authority, wanted: Wanted, span: Span, *, inside: Inside, most: int
) -> tuple[list[int], bool]:
    """Numbers of entries, newest first, and whether there may be more behind them.

    What has no place yet comes first, and of that everybody's.
    """
    if wanted.person is not None or wanted.actor is not None:
        theirs = set[int]()
        for one in await _of_each_account(tx, wanted):
            theirs |= set(await tx.scalars(audit_wanted.newest(one, span)))
        some = sorted(theirs, reverse=True)[:CHUNK]
        return some, len(some) == CHUNK
    placed, fresh = await placed_to(tx), list[int]()
    if span.before is None or span.before > placed + 1:
        after = placed if span.after is None else max(placed, span.after)
        fresh = list(await tx.scalars(audit_wanted.newest(wanted, Span(after, span.before))))
        if len(fresh) == CHUNK:
            return fresh, True
        span = Span(span.after, placed + 1)
    most = CHUNK if wanted.outcome or wanted.unit else min(most, CHUNK)
    found = await _placed(tx, kit, who, wanted, span, inside, most)
    return fresh + found, len(found) == most


async def _of_each_account(tx: AsyncSession, wanted: Wanted) -> list[Wanted]:
    """The same question of each account that the person has had, and of each that the actor has."""
    people, actors = [
        [None] if one is None else sorted(await taken_over.ever(tx, {one}))
        for one in (wanted.person, wanted.actor)
    ]
    return [
        msgspec.structs.replace(wanted, person=person, actor=actor) for person in people for actor in actors
    ]


async def _placed(
    tx: AsyncSession, kit: Kit, who: Authority, wanted: Wanted, span: Span, inside: Inside, most: int
) -> list[int]:
    """The newest of all places lie in those places whose own newest are the newest."""
    about, inside = await _managers_below(tx, kit, who), await _own(tx, who, inside)
    heads = (await tx.execute(heads_of(who, about, groups_of(wanted), span, inside, most))).all()
    if not heads:
        return []
    return await _newest_in([(row.how, row.place, row.group) for row in heads], span, most, tx)


def groups_of(wanted: Wanted) -> tuple[str, ...]:
    """In which parts of the journal it can be."""
    named = (wanted.group,) if wanted.group in GROUPS else GROUPS
    return tuple(group for group in named if group == ROLE or not wanted.outcome)


def heads_of(
    who: Authority, about: People, groups: Collection[str], span: Span, inside: Inside, most: int
) -> Select[Any]:
    """Of everything that can be the reader's, the places with the newest entries: one look by key for each."""
    mine, late = unmanaged(who), _late()
    below = exists().where(Unit.id == late.c.place, who.below())
    places = union_all(
        select(literal(UNIT).label("how"), mine.c.id.label("place")).where(_meant(mine.c.id, inside)),
        select(literal(LATE), late.c.place).where(below, _meant(late.c.place, inside)),
        select(literal(ABOUT), Account.id).where(Account.id.in_(about)),
        select(literal(BY), literal(who.account_id, Uuid)),
    ).subquery()
    parts = union_all(*(select(literal(group).label("group")) for group in groups)).subquery()
    where = and_(
        Place.how == places.c.how,
        Place.place == places.c.place,
        Place.group == parts.c.group,
        *_between(span),
    )
    newest = select(func.max(Place.seq)).where(where).correlate(places, parts).scalar_subquery()
    heads = select(places.c.how, places.c.place, parts.c.group, newest.label("newest"))
    # by the limit it stays a question of its own: otherwise each look is made where the answer is named, three times
    found: Subquery = heads.select_from(places).join(parts, true(), isouter=True).limit(EVERY).subquery()
    return select(found).where(found.c.newest.is_not(None)).order_by(found.c.newest.desc()).limit(most)


def _late() -> CTE:
    """The units where anything was ever late, each found by one look behind the one before."""

    def first(*behind: ColumnElement[bool]) -> ColumnElement[UUID]:
        query = select(Place.place).where(Place.how == LATE, *behind)
        return query.order_by(Place.place).limit(1).scalar_subquery()

    known = select(first().label("place")).cte(recursive=True)
    return known.union_all(select(first(Place.place > known.c.place)).where(known.c.place.is_not(None)))


def _meant(unit: ColumnElement[UUID], inside: Inside) -> ColumnElement[bool]:
    return true() if inside is None else unit.in_(inside)


async def _newest_in(
    keys: Sequence[tuple[str, UUID, str]], span: Span, most: int, tx: AsyncSession
) -> list[int]:
    """Put together once for each of a few numbers of places: what is left over of them is asked for nothing."""
    count = next(size for size in FORMS if size >= len(keys))
    wanted: dict[str, Any] = {"most": most, "after": span.after, "before": span.before}
    wanted |= {name: end for name, end in zip(("after", "before"), ENDS, strict=True) if wanted[name] is None}
    for nth, (how, place, group) in enumerate([*keys, *[NOWHERE] * (count - len(keys))]):
        wanted |= {f"how_{nth}": how, f"place_{nth}": place, f"group_{nth}": group}
    return [row.seq for row in await in_places(count).aside(tx, **wanted)]


@by_number
def in_places(count: int) -> Question[Numbered]:
    """The newest entries in so many places, each part of the index read from its end."""
    parts, most = [], given("most", Integer())
    for nth in range(count):
        part = select(Place.seq).where(
            Place.how == given(f"how_{nth}", Place.how),
            Place.place == given(f"place_{nth}", Place.place),
            Place.group == given(f"group_{nth}", Place.group),
            Place.seq > given("after", Place.seq),
            Place.seq < given("before", Place.seq),
        )
        parts.append(select(part.order_by(Place.seq.desc()).limit(most).subquery().c.seq))
    seqs = union_all(*parts).subquery()
    return Question(Numbered, select(seqs.c.seq).distinct().order_by(seqs.c.seq.desc()).limit(most))


async def _own(tx: AsyncSession, who: Authority, inside: Inside) -> Inside:
    """The units that are meant, if all are the reader's; of another's unit the reader sees what is theirs elsewhere."""
    if inside is None:
        return None
    mine = unmanaged(who)
    own = select(func.count()).select_from(mine).where(mine.c.id.in_(inside))
    return inside if await tx.scalar(own) == len(inside) else None


async def _managers_below(tx: AsyncSession, kit: Kit, who: Authority) -> People:
    """The managers of the next units below: nobody decides about their own, so these are the reader's people."""
    below = select(Appointment).where(
        Appointment.unit_id.in_(edge(unmanaged(who))), Appointment.counts(MANAGER, who.today)
    )
    held = (Identifier.kind == numbers.NATIONAL_ID, Identifier.ended_at.is_(None))
    query = select(Identifier.account_id).where(*held)
    if len(kit.keys.key_ids) == 1:  # an index is that of the number: nobody's has to be opened
        of_them = below.with_only_columns(Appointment.national_id_blind)
        return query.where(Identifier.blind.in_(of_them))
    blinds = list[bytes]()
    for row in await tx.execute(below.with_only_columns(Appointment.id, Appointment.national_id)):
        number = kit.keys.open("appointments.national_id", row.id, row.national_id)
        blinds += kit.keys.blinds(numbers.NATIONAL_ID, number)
    return list(await tx.scalars(query.where(Identifier.blind.in_(blinds))))


def _between(span: Span) -> list[Any]:
    after = [] if span.after is None else [Place.seq > span.after]
    return after + ([] if span.before is None else [Place.seq < span.before])
