"""What the journal says about a manager's own units, and nothing of others' (case TW17)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers, taken_over
from backend.accounts.identity.people import full_names
from backend.facts import Fact, as_told
from backend.journal import Entry
from backend.kit import Kit
from backend.names import last_digits
from backend.outbox.models import System
from backend.roles import authority, sight
from backend.roles.audit_next import candidates
from backend.roles.audit_wanted import Span, Wanted, span_of
from backend.roles.authority import Authority
from backend.roles.models import RequestStep, Role, RoleRequest, Unit

PLACES = (("requests", ("request", "target")), ("roles", ("role", "target")), ("units", ("unit",)))
CHUNKS_MOST = 10  # a page never walks further than this through what does not concern the reader
SPARE = 25  # candidates beyond a page: some are not the reader's, and asking again costs as much as the page


class Told(NamedTuple):
    """What is read of an entry."""

    seq: int
    at: datetime
    tag: str
    subject: UUID | None
    by: UUID | None
    fact: str


class Line(msgspec.Struct, frozen=True):
    """One entry, with the names that its reader may see."""

    seq: int
    at: datetime
    fact: Fact
    subject: str | None
    digits: str  # of the subject: two people may have one name (R31)
    by: str | None
    system: str | None
    kind: str | None  # of the request that it is about
    subject_id: UUID | None
    by_id: UUID | None


class Reach(msgspec.Struct, frozen=True):
    """Of what some entries name, what lies in the reader's units: people only if they have a role there now."""

    units: frozenset[UUID]
    roles: frozenset[UUID]
    requests: frozenset[UUID]
    people: frozenset[UUID]

    def concerns(self, fact: Fact) -> bool:
        """Whether an entry is about something within reach; a person alone is not enough, people move."""
        about = msgspec.structs.asdict(fact)
        if about.get("system") is not None:
            return fact.subject in self.people
        return any(about.get(name) in getattr(self, within) for within, names in PLACES for name in names)


async def of_units(
    tx: AsyncSession,
    kit: Kit,
    reader: UUID,
    wanted: Wanted | None = None,
    *,
    before: int | None = None,
    now: datetime,
    most: int = 50,
    chunks: int = CHUNKS_MOST,
) -> tuple[list[Line], int | None]:
    """The newest wanted entries about the reader's units, and where the older ones go on."""
    wanted = wanted or Wanted()
    who, span = await authority.of(tx, kit, reader, now=now), await span_of(tx, wanted)
    inside = await _inside(tx, wanted.unit)
    before = span.before if before is None else min(before, span.before or before)
    found: list[tuple[Told, Fact]] = []
    for _ in range(chunks):
        span = Span(span.after, before)
        seqs, more = await candidates(tx, kit, who, wanted, span, inside=inside, most=most + SPARE)
        chunk = await _entries(tx, seqs)
        facts = [(entry, fact) for entry in chunk if (fact := as_told(entry.tag, entry.fact)) is not None]
        reach = await _reach(tx, kit, who, [fact for _, fact in facts], inside)
        for entry, fact in facts:
            if wanted.says(fact) and reach.concerns(fact):
                found.append((entry, fact))
            if len(found) == most:
                return await _named(tx, kit, found), entry.seq
        if not more:
            return await _named(tx, kit, found), None
        before = seqs[-1]
    return await _named(tx, kit, found), before


async def _inside(tx: AsyncSession, unit: str) -> frozenset[UUID] | None:
    """The unit that is named and those below it; nothing where none is."""
    if not unit:
        return None
    path = await tx.scalar(select(Unit.path).where(Unit.code == unit))
    if path is None:
        return frozenset()
    return frozenset(await tx.scalars(select(Unit.id).where(Unit.path.startswith(path))))


async def _reach(
    tx: AsyncSession, kit: Kit, who: Authority, facts: Sequence[Fact], inside: frozenset[UUID] | None
) -> Reach:
    """Asked about what these entries name, so that it costs the same in a large province."""
    named: dict[str, set[UUID]] = {within: set() for within, _ in PLACES}
    for fact in facts:
        about = msgspec.structs.asdict(fact)
        for within, names in PLACES:
            named[within] |= {about[name] for name in names if about.get(name) is not None}
    whose = await _whose(tx, facts)
    at_work = and_(Role.account_id.in_(set(whose.values())), Role.state == "active")
    roles = await sight.roles(tx, kit, who, or_(Role.id.in_(named["roles"]), at_work))
    units = await sight.units(tx, who, named["units"])
    requests = await sight.requests(tx, kit, who, named["requests"])
    if inside is not None:
        roles = [role for role in roles if role.unit_id in inside]
        units &= inside
        asked = select(RequestStep.request_id).where(
            RequestStep.request_id.in_(requests), RequestStep.unit_id.in_(inside)
        )
        requests = set(await tx.scalars(asked))
    there = {role.account_id for role in roles if role.state == "active"}
    return Reach(
        units=frozenset(units),
        roles=frozenset(role.id for role in roles),
        requests=frozenset(requests),
        people=frozenset(one for one, person in whose.items() if person in there),
    )


async def _whose(tx: AsyncSession, facts: Sequence[Fact]) -> dict[UUID, UUID]:
    """Whom these entries are about, by the account that they name: one that was taken over is its person's."""
    named = {fact.subject for fact in facts if fact.subject is not None}
    return {one: one for one in named} | await taken_over.now_of(tx, named)


async def _entries(tx: AsyncSession, seqs: list[int]) -> list[Told]:
    """Newest first."""
    query = select(Entry.seq, Entry.at, Entry.tag, Entry.subject, Entry.by, Entry.fact)
    rows = await tx.execute(query.where(Entry.seq.in_(seqs)).order_by(Entry.seq.desc()))
    return list(map(Told._make, rows))


async def _named(tx: AsyncSession, kit: Kit, found: list[tuple[Told, Fact]]) -> list[Line]:
    names = await full_names(tx, kit, (one for entry, _ in found for one in (entry.subject, entry.by)))
    whose = await _whose(tx, [fact for _, fact in found])
    known = await numbers.personal(tx, kit, set(whose.values()))
    asked = {system for _, fact in found if (system := getattr(fact, "system", None)) is not None}
    called = await tx.execute(select(System.id, System.name).where(System.id.in_(asked)))
    systems = {row.id: row.name for row in called}
    requests = {request for _, fact in found if (request := getattr(fact, "request", None)) is not None}
    of = await tx.execute(select(RoleRequest.id, RoleRequest.kind).where(RoleRequest.id.in_(requests)))
    kinds = {row.id: row.kind for row in of}
    return [
        Line(
            entry.seq,
            entry.at,
            fact,
            names.get(entry.subject) if entry.subject else None,
            last_digits(known.get(whose[entry.subject], "") if entry.subject else ""),
            names.get(entry.by) if entry.by else None,
            systems.get(getattr(fact, "system", None)),
            kinds.get(getattr(fact, "request", None)),
            entry.subject,
            entry.by,
        )
        for entry, fact in found
    ]
