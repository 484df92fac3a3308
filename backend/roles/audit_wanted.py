"""Which entries of the journal somebody looks for, and which parts of its indexes hold them (W14).

Nothing here opens an entry: numbers alone are read, the newest first, at most CHUNK at a time.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, func, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import called
from backend.errors import FieldError, FieldsInvalid
from backend.facts import RequestDecided, RequestExpired, RequestWithdrawn, StepDecided, vocabulary
from backend.journal import Entry
from backend.kit import Kit
from backend.outside.clock import begins, ends
from backend.roles import authority, sight
from backend.roles.models import RequestStep, Role, RoleRequest

ROLE, SYNC = "role", "sync"
GROUPS = (ROLE, SYNC, "access", "manager")
SAYERS = (StepDecided, RequestDecided, RequestWithdrawn, RequestExpired)
SAYING = tuple(str(kind.__struct_config__.tag) for kind in SAYERS)
CHUNK = 200
ASTRAY = timedelta(
    hours=1
)  # so far apart the moments of neighbours may be: an act is sealed when it is committed


class Wanted(msgspec.Struct, frozen=True):
    """Which: of a kind, about a person, by a person, about a unit and those below it, with an outcome, between days."""

    group: str = ""
    person: UUID | None = None
    actor: UUID | None = None
    unit: str = ""
    outcome: str = ""
    since: date | None = None
    until: date | None = None

    @property
    def tags(self) -> list[str]:
        """What the entries may be called."""
        groups = (self.group,) if self.group in GROUPS else GROUPS
        known = (tag for tag in sorted(vocabulary()) if tag.partition(".")[0] in groups)
        return [tag for tag in known if not self.outcome or tag in SAYING]

    def says(self, fact: object) -> bool:
        """Whether an entry has the outcome that is looked for."""
        match fact:
            case StepDecided(decision=said) | RequestDecided(outcome=said):
                return self.outcome in {"", said}
            case RequestWithdrawn():
                return self.outcome in {"", "withdrawn"}
            case RequestExpired():
                return self.outcome in {"", "expired"}
        return not self.outcome


class Span(msgspec.Struct, frozen=True):
    """The numbers between which the entries of some days lie, both ends left out."""

    after: int | None = None
    before: int | None = None


def newest(wanted: Wanted, span: Span) -> Select[int]:
    """The numbers of the next entries: from a person's part of an index, or from the parts of their kinds."""
    where = [*_days(wanted), *_between(span)]
    if wanted.person is not None or wanted.actor is not None:
        one = Entry.by == wanted.actor if wanted.person is None else Entry.subject == wanted.person
        both = [Entry.by == wanted.actor] if wanted.person is not None and wanted.actor is not None else []
        query = select(Entry.seq).where(one, *both, Entry.tag.in_(wanted.tags), *where)
        return query.order_by(Entry.seq.desc()).limit(CHUNK)
    parts = []
    for tag in wanted.tags:
        part = select(Entry.seq).where(Entry.tag == tag, *where).order_by(Entry.seq.desc()).limit(CHUNK)
        parts.append(select(part.subquery().c.seq))
    if not parts:
        return select(Entry.seq).where(Entry.seq < 0)
    seqs = union_all(*parts).subquery()
    return select(seqs.c.seq).order_by(seqs.c.seq.desc()).limit(CHUNK)


async def span_of(tx: AsyncSession, wanted: Wanted) -> Span:
    """Where the days begin and end in the chain, found by halving: its moments rise but for what neighbours differ."""
    after = before = None
    if wanted.since is not None:
        after = await _first_at(tx, begins(wanted.since) - ASTRAY) - 1
    if wanted.until is not None:
        before = await _first_at(tx, ends(wanted.until) + ASTRAY)
    return Span(after, before)


async def who_is(tx: AsyncSession, kit: Kit, reader: UUID, field: str, typed: str, *, now: datetime) -> UUID:
    """The one person of this name or number whom the journal may name to this reader; raises FieldsInvalid."""
    who, found = await authority.of(tx, kit, reader, now=now), await called.those(tx, kit, typed)
    known, there = {reader} & found.accounts, await _where(tx, found.accounts)
    theirs = await sight.units(tx, who, {unit for _, unit in there})
    known |= {account for account, unit in there if unit in theirs}
    if found.words or len(known) > 1:
        raise FieldsInvalid(
            FieldError(
                field, "ambiguous", "Có nhiều người mang tên này, hãy nhập đủ họ tên hoặc số định danh"
            )
        )
    if not known:
        raise FieldsInvalid(FieldError(field, "unknown", "Không tìm thấy người này"))
    return known.pop()


async def _where(tx: AsyncSession, accounts: Collection[UUID]) -> set[tuple[UUID, UUID]]:
    """In which units some people have had a role, said a word, or been asked about."""
    asked = RequestStep.request_id == RoleRequest.id
    found: set[tuple[UUID, UUID]] = set()
    for query in (
        select(Role.account_id, Role.unit_id).where(Role.account_id.in_(accounts)),
        select(RequestStep.by, RequestStep.unit_id).where(RequestStep.by.in_(accounts)),
        select(RoleRequest.account_id, RequestStep.unit_id)
        .join(RequestStep, asked)
        .where(RoleRequest.account_id.in_(accounts)),
    ):
        rows = await tx.execute(query.distinct())
        found |= {(account, unit) for account, unit in rows if account is not None}
    return found


async def _first_at(tx: AsyncSession, moment: datetime) -> int:
    """The number of the first entry that is not older; each look is one row by its key."""
    low, high = 1, (await tx.scalar(select(func.max(Entry.seq))) or 0) + 1
    while low < high:
        middle = (low + high) // 2
        at = await tx.scalar(select(Entry.at).where(Entry.seq == middle))
        low, high = (middle + 1, high) if at is not None and at < moment else (low, middle)
    return low


def _between(span: Span) -> list[ColumnElement[bool]]:
    after = [] if span.after is None else [Entry.seq > span.after]
    return after + ([] if span.before is None else [Entry.seq < span.before])


def _days(wanted: Wanted) -> list[ColumnElement[bool]]:
    since = [] if wanted.since is None else [Entry.at >= begins(wanted.since)]
    return since + ([] if wanted.until is None else [Entry.at < ends(wanted.until)])
