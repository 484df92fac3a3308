"""How old what waits is, how long decisions take, how many there are, who works as what: of a manager's units (W19)."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from statistics import median
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.kit import Kit
from backend.outside.clock import LOCAL
from backend.roles import authority
from backend.roles.catalogue.in_force import in_force
from backend.roles.models import RequestStep, Role, RoleRequest, Unit
from backend.roles.queue import places
from backend.words import Label

AGES = (1, 3, 7, 30)  # days; the last group is older than all of them
TOGETHER, MONTHS_BACK, MOST = 200, 180, 5000


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
    words: dict[str, dict[str, int]]  # by kind, by decision
    people: list[tuple[Label, int]]


async def report(tx: AsyncSession, kit: Kit, manager: UUID, *, now: datetime) -> Report:
    """What the reader's units are like now."""
    who = await authority.of(tx, kit, manager, now=now)
    units = [unit for _, unit in await places(tx, who)]
    since = now - timedelta(days=MONTHS_BACK)
    return Report(
        await _ages(tx, list(who.posts), now),
        await _paces(tx, units, since),
        await _words(tx, units, since),
        await _people(tx, units),
    )


async def _ages(tx: AsyncSession, deciders: Sequence[UUID], now: datetime) -> list[int]:
    waiting = select(RequestStep.request_id).where(RequestStep.decider_id.in_(deciders)).distinct()
    edges = [now - timedelta(days=days) for days in AGES]
    group = case(*((RoleRequest.created_at > edge, nth) for nth, edge in enumerate(edges)), else_=len(AGES))
    query = select(group, func.count()).where(RoleRequest.id.in_(waiting)).group_by(group)
    found = {row[0]: row[1] for row in await tx.execute(query)}
    return [found.get(nth, 0) for nth in range(len(AGES) + 1)]


async def _paces(tx: AsyncSession, units: Sequence[UUID], since: datetime) -> list[Pace]:
    """The middle one of the newest decisions of each unit and month: a late one among many does not hide them."""
    took: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for some in _parts(units):
        query = (
            select(Unit.name, RoleRequest.created_at, RequestStep.at)
            .join(RoleRequest, RoleRequest.id == RequestStep.request_id)
            .join(Unit, Unit.id == RequestStep.unit_id)
            .where(RequestStep.unit_id.in_(some), RequestStep.at >= since)
            .order_by(RequestStep.at.desc())
            .limit(MOST)
        )
        for name, asked_at, at in await tx.execute(query):
            assert at is not None
            local = at.astimezone(LOCAL)
            took[f"{local:%Y%m}", f"{local:%m/%Y}", name].append((at - asked_at) / timedelta(hours=1))
    order = sorted(took, key=lambda key: (-int(key[0]), key[2]))
    return [Pace(key[2], key[1], median(took[key]), len(took[key])) for key in order]


async def _words(tx: AsyncSession, units: Sequence[UUID], since: datetime) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for some in _parts(units):
        query = (
            select(RoleRequest.kind, RequestStep.decision, func.count())
            .join(RoleRequest, RoleRequest.id == RequestStep.request_id)
            .where(RequestStep.unit_id.in_(some), RequestStep.at >= since)
            .group_by(RoleRequest.kind, RequestStep.decision)
        )
        for kind, decision, number in await tx.execute(query):
            found[kind][str(decision)] += number
    return {kind: dict(found[kind]) for kind in sorted(found)}


async def _people(tx: AsyncSession, units: Sequence[UUID]) -> list[tuple[Label, int]]:
    found: Counter[str] = Counter()
    for some in _parts(units):
        query = select(Role.subject_type, func.count()).where(Role.unit_id.in_(some), Role.state == "active")
        for kind, number in await tx.execute(query.group_by(Role.subject_type)):
            found[kind] += number
    catalogue = await in_force(tx)
    return [(catalogue.subject_label(kind), number) for kind, number in found.most_common()]


def _parts(units: Sequence[UUID]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(units), TOGETHER):
        yield units[start : start + TOGETHER]
