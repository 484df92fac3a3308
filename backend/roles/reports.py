"""How old what waits is, how long decisions take, how many there are, who works as what: of a manager's units (W19)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import Select, Subquery, case, func, select, text, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from backend.kit import Kit
from backend.outside.clock import LOCAL, local_day
from backend.roles import authority, territory
from backend.roles.catalogue.in_force import in_force
from backend.roles.models import RequestStep, Role, RoleRequest, Unit
from backend.words import Label

AGES = (1, 3, 7, 30)  # days; the last group is older than all of them
MONTHS_BACK, WEEKS = 180, 12  # days; weeks
OLDEST, NEWEST = 1000, 500  # requests that wait, and words, of which it tells
EACH = 10  # words of each unit at least
UNITS, LOOKED = 50, 5000  # units that are asked one by one; words that are looked through for those of more
PEOPLE, TOGETHER = 20_000, 500  # roles that are counted; units in a statement
SAID = (RequestStep.unit_id, RequestStep.request_id, RequestStep.decision, RequestStep.at)


class Pace(msgspec.Struct, frozen=True):
    """How long one unit took in one month, in the middle."""

    unit: str
    month: str  # mm/yyyy
    hours: float
    number: int


class Report(msgspec.Struct, frozen=True):
    """Everything on the page; each list in the order in which it is drawn."""

    ages: list[int]  # one number per group of AGES, and one for what is older
    paces: list[Pace]
    weeks: list[tuple[date, int]]  # its Monday, and how many words were said; this week first
    words: dict[str, dict[str, int]]  # by kind, by decision
    people: list[tuple[Label, int]]
    bounds: dict[str, int]  # of what is told of a part only: of how many


class Word(NamedTuple):
    """What one unit said and when, as its clocks have it, about what, and how long that had waited."""

    unit: str
    kind: str
    decision: str
    waited: timedelta
    at: datetime


async def report(tx: AsyncSession, kit: Kit, manager: UUID, *, now: datetime) -> Report:
    """What the reader's units are like now: of so many requests, words and roles as are counted (rule 912)."""
    who = await authority.of(tx, kit, manager, now=now)
    units = [unit for _, unit in await territory.own(tx, who)]
    waiting = await _ages(tx, list(who.posts), now)
    words, is_part = await _words(tx, units, now - timedelta(days=MONTHS_BACK))
    people = await _people(tx, units)
    catalogue = await in_force(tx)
    cut = {
        "ages": (sum(waiting) >= OLDEST, OLDEST),
        "words": (is_part, len(words)),
        "people": (people.total() >= PEOPLE, PEOPLE),
    }
    return Report(
        waiting,
        _paces(words),
        _weeks(words, local_day(now)),
        _said(words),
        [(catalogue.subject_label(kind), number) for kind, number in people.most_common()],
        {what: many for what, (is_cut, many) in cut.items() if is_cut},
    )


async def _ages(tx: AsyncSession, deciders: Sequence[UUID], now: datetime) -> list[int]:
    """Of what waits longest, as many as are looked at."""
    waiting = select(RequestStep.request_id).where(RequestStep.decider_id.in_(deciders)).distinct()
    oldest = waiting.order_by(RequestStep.request_id).limit(OLDEST).subquery()
    edges = [now - timedelta(days=days) for days in AGES]
    group = case(*((RoleRequest.created_at > edge, nth) for nth, edge in enumerate(edges)), else_=len(AGES))
    query = select(group, func.count()).join(oldest, oldest.c.request_id == RoleRequest.id).group_by(group)
    found = {row[0]: row[1] for row in await tx.execute(query)}
    return [found.get(nth, 0) for nth in range(len(AGES) + 1)]


async def _words(tx: AsyncSession, units: Sequence[UUID], since: datetime) -> tuple[list[Word], bool]:
    """The newest words of each of some units, or the newest of so many units; and whether there are more.

    Units are told apart by their codes, which are read as they are: of each word a key would be made.
    """
    if not units:
        return [], False
    each = NEWEST // len(units) + EACH
    few = len(units) <= UNITS
    said = newest_of_each(units, since, each) if few else newest_of_all(units, since)
    query = (
        select(Unit.code, Unit.name, RoleRequest.kind, said.c.decision, RoleRequest.created_at, said.c.at)
        .join(RoleRequest, RoleRequest.id == said.c.request_id)
        .join(Unit, Unit.id == said.c.unit_id)
        .order_by(said.c.at.desc())
    )
    rows = (await tx.execute(query if few else query.limit(NEWEST))).all()
    most = max(Counter(row[0] for row in rows).values(), default=0)
    is_part = most >= each if few else len(rows) == NEWEST or await tx.scalar(looked_through(since)) == LOOKED
    return [
        Word(unit, kind, decision, at - asked_at, at.astimezone(LOCAL))
        for _, unit, kind, decision, asked_at, at in rows
    ], is_part


def newest_of_each(units: Sequence[UUID], since: datetime, each: int) -> Subquery:
    """Every unit's newest words, from its part of the index."""
    said = select(*SAID).where(RequestStep.at >= since).order_by(RequestStep.at.desc()).limit(each)
    parts = (select(said.where(RequestStep.unit_id == unit).subquery()) for unit in units)
    return union_all(*parts).subquery()


def newest_of_all(units: Sequence[UUID], since: datetime) -> Subquery:
    """The newest words of the province that are of one of the units."""
    looked = _lately(since, *SAID)
    return select(looked).where(looked.c.unit_id.in_(units)).subquery()


def looked_through(since: datetime) -> Select[int]:
    """Out of how many words of the province those are: behind the last of as many as are looked through may be more."""
    return select(func.count()).select_from(_lately(since, RequestStep.at))


def _lately(since: datetime, *columns: InstrumentedAttribute[Any]) -> Subquery:
    lately = select(*columns).where(RequestStep.at >= since)
    return lately.order_by(RequestStep.at.desc()).limit(LOOKED).subquery()


def _paces(words: Iterable[Word]) -> list[Pace]:
    """The middle of each unit's month."""
    took: dict[tuple[int, int, str], list[float]] = defaultdict(list)
    for word in words:
        took[word.at.year, word.at.month, word.unit].append(word.waited / timedelta(hours=1))
    order = sorted(took, key=lambda key: (-key[0], -key[1], key[2]))
    return [
        Pace(unit, f"{month:02}/{year}", median(took[year, month, unit]), len(took[year, month, unit]))
        for year, month, unit in order
    ]


def _weeks(words: Iterable[Word], today: date) -> list[tuple[date, int]]:
    """How many words each week had, this one first."""
    said = Counter[date]()
    for day, number in Counter(word.at.date() for word in words).items():
        said[_monday(day)] += number
    mondays = (_monday(today) - timedelta(weeks=back) for back in range(WEEKS))
    return [(monday, said[monday]) for monday in mondays]


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _said(words: Iterable[Word]) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for (kind, decision), number in Counter((word.kind, word.decision) for word in words).items():
        found[kind][decision] = number
    return {kind: dict(found[kind]) for kind in sorted(found)}


async def _people(tx: AsyncSession, units: Sequence[UUID]) -> Counter[str]:
    """How many roles in force there are, by what they are, in the units in their order; up to a bound."""
    found: Counter[str] = Counter()
    for start in range(0, len(units), TOGETHER):
        query = in_force_in(units[start : start + TOGETHER], PEOPLE - found.total())
        found.update({row[0]: row[1] for row in await tx.execute(query)})
        if found.total() >= PEOPLE:
            break
    return found


def in_force_in(units: Sequence[UUID], most: int) -> Select[str, int]:
    """So many of the roles in some units, by what they are, from the index alone."""
    some = (
        select(Role.subject_type)
        .where(Role.unit_id.in_(units), text("state = 'active'"))
        .limit(most)
        .subquery()
    )
    return select(some.c.subject_type, func.count()).group_by(some.c.subject_type)
