"""Where an entry of the journal belongs, so that a manager's page of it is one question by key (rules 613, 912).

Units stand on an entry as they were named by what it is about, never who manages them: managers come and go without
a row being touched, and whoever reads asks which units are theirs now. What is found so is a first choice, out of
which `audit` takes what the reader may see. Entries are placed behind the act; what is not yet is looked through.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import BigInteger, String, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from backend.accounts.identity import taken_over
from backend.db import Base, Database, changed_one, insert_into, one_after_another
from backend.facts import Fact, ReorganisationDone, ReorganisationReversed, as_told
from backend.journal import Entry, Head
from backend.retention import Stays
from backend.roles import policy
from backend.roles.audit_wanted import ROLE, SYNC, Wanted
from backend.roles.models import RequestStep, Role, RoleRequest
from backend.roles.reorganising import models as reorganising

UNIT, LATE, ABOUT, BY = "unit", "late", "about", "by"
NAMES = (("requests", ("request", "target")), ("roles", ("role", "target")))
ASKED = "role.requested"
TAKEN = tuple(str(kind.__struct_config__.tag) for kind in (ReorganisationDone, ReorganisationReversed))
BATCH, PART, PAUSE = 200, 400, 0.01
PLACING = "journal places"
Key = tuple[str, UUID, str, int]


class Place(Base):
    """That an entry is about a unit, late at one, about somebody, or about what somebody has spoken for."""

    __tablename__ = "journal_places"
    retention = Stays("as the journal that it leads into")

    how: Mapped[str] = mapped_column(String(8), primary_key=True)
    place: Mapped[UUID] = mapped_column(primary_key=True)  # a unit; of `about` and `by` an account
    group: Mapped[str] = mapped_column(String(8), primary_key=True)  # the first part of its tag
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)


class PlacedTo(Base):
    """Up to which entry everything has its places."""

    __tablename__ = "journal_placed"
    retention = Stays("one row")

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    seq: Mapped[int] = mapped_column(BigInteger)


async def placed_to(tx: AsyncSession) -> int:
    """The last entry that has its places."""
    return await tx.scalar(select(PlacedTo.seq).where(PlacedTo.id == 1)) or 0


async def fill(db: Database) -> None:
    """Give places to what has been written since, also by an earlier release: some in each transaction."""
    async with db.read() as tx:
        due = await tx.scalar(select(Head.seq).where(Head.id == 1)) or 0
        due -= await placed_to(tx)
    while due > 0:
        async with db.write() as tx:
            due = await _place_next(tx)
        await asyncio.sleep(PAUSE)


async def _place_next(tx: AsyncSession) -> int:
    """Place the next entries; how many may be left."""
    await one_after_another(tx, PLACING)
    done, last = await placed_to(tx), await tx.scalar(select(Head.seq).where(Head.id == 1)) or 0
    query = select(Entry).where(Entry.seq > done, Entry.seq <= last, Entry.tag.in_(Wanted().tags))
    entries = list(await tx.scalars(query.order_by(Entry.seq).limit(BATCH)))
    upto = entries[-1].seq if len(entries) == BATCH else last
    facts = list(_facts(entries))
    await _put(tx, facts)
    people = {fact.subject for entry, fact in facts if entry.tag.startswith(ROLE) and entry.tag != ASKED}
    people |= await _taken_along(tx, done, upto) | await _joined(tx, done, upto)
    whose = await taken_over.ever(tx, {one for one in people if one})
    for part in _parts(sorted(whose)):
        await _place_anew(tx, part, upto)
    if not await changed_one(tx, update(PlacedTo).where(PlacedTo.id == 1).values(seq=upto)):
        tx.add(PlacedTo(id=1, seq=upto))
    return last - upto


async def _taken_along(tx: AsyncSession, after: int, upto: int) -> set[UUID]:
    """Whose requests and plans went to another unit with a reorganisation that has just been done or taken back."""
    query = select(Entry).where(Entry.tag.in_(TAKEN), Entry.seq > after, Entry.seq <= upto)
    runs = [fact.run for _, fact in _facts(await tx.scalars(query))]  # type: ignore[attr-defined]
    if not runs:
        return set()
    kind, moved = reorganising.Moved.kind, select(reorganising.Moved.row_id)
    moved = moved.where(reorganising.Moved.run_id.in_(runs))
    asked = select(RoleRequest.account_id).join(RequestStep, RequestStep.request_id == RoleRequest.id)
    asked = asked.where(RequestStep.id.in_(moved.where(kind == reorganising.STEP)))
    planned = select(Role.account_id).where(Role.id.in_(moved.where(kind == reorganising.PLANNED)))
    return {*await tx.scalars(asked), *await tx.scalars(planned)}


async def _joined(tx: AsyncSession, after: int, upto: int) -> set[UUID]:
    """Who has just taken over another account, and about whom that one had said a word: it is theirs now (R26)."""
    found = select(Entry.subject).where(Entry.tag == taken_over.JOINED, Entry.seq > after, Entry.seq <= upto)
    people = {one for one in await tx.scalars(found) if one is not None}
    if not people:
        return people
    asked = select(RoleRequest.account_id).join(RequestStep, RequestStep.request_id == RoleRequest.id)
    return people | set(await tx.scalars(asked.where(RequestStep.by.in_(people)).distinct()))


async def _place_anew(tx: AsyncSession, people: Collection[UUID], upto: int) -> None:
    """Everything about these people that was placed: a word was said, a post begun or ended."""
    query = select(Entry).where(Entry.subject.in_(people), Entry.seq <= upto, Entry.tag.in_(Wanted().tags))
    facts = list(_facts(await tx.scalars(query)))
    told: dict[UUID, list[int]] = defaultdict(list)
    for entry, fact in facts:
        if fact.subject is not None and _group(entry) == SYNC:
            told[fact.subject].append(entry.seq)
    there, ever = set[tuple[UUID, UUID]](), set[tuple[UUID, UUID]]()
    for account, unit, state in await _posts_of(tx, told):
        (there if state in policy.HELD else ever).add((account, unit))
    for account, unit in ever - there:  # what systems were told of somebody goes along with the person
        for part in _parts(told[account]):
            where = (Place.how == UNIT, Place.place == unit, Place.group == SYNC, Place.seq.in_(part))
            await tx.execute(delete(Place).where(*where).execution_options(synchronize_session=False))
    await _put(tx, facts)


async def _put(tx: AsyncSession, facts: Sequence[tuple[Entry, Fact]]) -> None:
    keys = sorted(await places_of(tx, facts), key=lambda key: (key[3], key[0], key[1].bytes))
    names = ("how", "place", "group", "seq")
    for part in _parts(keys):
        rows = [dict(zip(names, key, strict=True)) for key in part]
        await tx.execute(insert_into(tx, Place).on_conflict_do_nothing(), rows)


async def places_of(tx: AsyncSession, facts: Sequence[tuple[Entry, Fact]]) -> set[Key]:
    """Where these entries belong, as things are now."""
    about = [(entry, msgspec.structs.asdict(fact)) for entry, fact in facts]
    named: dict[str, set[UUID]] = {kind: set() for kind, _ in NAMES}
    for _, fact in about:
        for kind, names in NAMES:
            named[kind] |= {fact[name] for name in names if fact.get(name) is not None}
    told = {fact["subject"] for entry, fact in about if _group(entry) == SYNC and fact["subject"]}
    lies = await _lying(tx, named["requests"], named["roles"], told)
    found = set[Key]()
    for entry, fact in about:
        keys = {name: fact.get(name) for name in ("request", "role", "target")}
        where = [pair for one in keys.values() if one is not None for pair in lies.get(one, ())]
        if _group(entry) == SYNC:
            where = list(lies.get(fact["subject"], ()))
        if fact.get("unit") is not None:
            where.append((UNIT, fact["unit"]))
        if fact["subject"] is not None:
            where.append((ABOUT, fact["subject"]))
        found |= {(how, place, _group(entry), entry.seq) for how, place in where}
    return found


async def _lying(
    tx: AsyncSession, requests: Collection[UUID], roles: Collection[UUID], people: Collection[UUID]
) -> dict[UUID, set[tuple[str, UUID]]]:
    """By request, role and person: at which units, and who has spoken."""
    lies: dict[UUID, set[tuple[str, UUID]]] = defaultdict(set)
    words = select(RequestStep.request_id, RequestStep.unit_id, RequestStep.by, RequestStep.overdue_at)
    for request, unit, by, late in await tx.execute(words.where(RequestStep.request_id.in_(requests))):
        lies[request].add((UNIT, unit))
        lies[request] |= ({(BY, by)} if by else set()) | ({(LATE, unit)} if late else set())
    for role, unit in await tx.execute(select(Role.id, Role.unit_id).where(Role.id.in_(roles))):
        lies[role].add((UNIT, unit))
    for account, unit, state in await _posts_of(tx, people):
        if state in policy.HELD:
            lies[account].add((UNIT, unit))
    return lies


async def _posts_of(tx: AsyncSession, people: Collection[UUID]) -> list[tuple[UUID, UUID, str]]:
    """Where some people have or had a post; of an account that was taken over, where its person has."""
    whose = await taken_over.now_of(tx, people)
    query = select(Role.account_id, Role.unit_id, Role.state)
    held = await tx.execute(query.where(Role.account_id.in_({*people, *whose.values()})))
    posts: dict[UUID, list[tuple[UUID, str]]] = defaultdict(list)
    for account, unit, state in held:
        posts[account].append((unit, state))
    return [(one, unit, state) for one in people for unit, state in posts[whose.get(one, one)]]


def _facts(entries: Iterable[Entry]) -> Iterator[tuple[Entry, Fact]]:
    for entry in entries:
        if (fact := as_told(entry.tag, entry.fact)) is not None:
            yield entry, fact


def _group(entry: Entry) -> str:
    return entry.tag.partition(".")[0]


def _parts(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(rows), PART):
        yield rows[start : start + PART]
