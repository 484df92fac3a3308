"""What the journal says about a manager's own units, and nothing of others' (case TW17)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, or_, select, union
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.facts import Fact, vocabulary
from backend.journal import Entry
from backend.kit import Kit
from backend.roles import authority
from backend.roles.models import RequestStep, Role, RoleRequest, Unit

GROUPS = ("role", "sync", "access", "manager")
CHUNK = 200
CHUNKS_MOST = 10  # a page never walks further than this through what does not concern the reader


class Line(msgspec.Struct, frozen=True):
    """One entry, with the names that its reader may see."""

    seq: int
    at: datetime
    fact: Fact
    subject: str | None
    by: str | None


class Reach(msgspec.Struct, frozen=True):
    """What lies in the reader's units: units, roles, requests, and people who have a role there now."""

    units: frozenset[UUID]
    roles: frozenset[UUID]
    requests: frozenset[UUID]
    people: frozenset[UUID]

    def concerns(self, fact: Fact) -> bool:
        """Whether an entry is about something within reach; a person alone is not enough, people move."""
        about = msgspec.structs.asdict(fact)
        if about.get("system") is not None:
            return fact.subject in self.people
        places = (
            (self.requests, ("request", "target")),
            (self.roles, ("role", "target")),
            (self.units, ("unit",)),
        )
        return any(about.get(name) in within for within, names in places for name in names)


async def of_units(
    tx: AsyncSession,
    kit: Kit,
    reader: UUID,
    *,
    group: str | None = None,
    before: int | None = None,
    most: int = 50,
) -> tuple[list[Line], int | None]:
    """The newest entries about the reader's units, and where the older ones go on."""
    reach = await _reach(tx, kit, reader)
    found: list[tuple[Entry, Fact]] = []
    for _ in range(CHUNKS_MOST):
        chunk = await _chunk(tx, group, before)
        for entry in chunk:
            fact = _fact(entry)
            if fact is not None and reach.concerns(fact):
                found.append((entry, fact))
            before = entry.seq
            if len(found) == most:
                return await _named(tx, kit, found), before
        if len(chunk) < CHUNK:
            return await _named(tx, kit, found), None
    return await _named(tx, kit, found), before


async def _reach(tx: AsyncSession, kit: Kit, reader: UUID) -> Reach:
    within = select(Unit.id).where((await authority.of(tx, kit, reader)).below())
    roles = (
        await tx.execute(select(Role.id, Role.account_id, Role.state).where(Role.unit_id.in_(within)))
    ).all()
    asked = union(
        select(RoleRequest.id).where(RoleRequest.unit_id.in_(within)),
        select(RequestStep.request_id).where(RequestStep.unit_id.in_(within)),
    )
    return Reach(
        units=frozenset(await tx.scalars(within)),
        roles=frozenset(role_id for role_id, _, _ in roles),
        requests=frozenset((await tx.execute(asked)).scalars()),
        people=frozenset(account for _, account, state in roles if state == "active"),
    )


async def _chunk(tx: AsyncSession, group: str | None, before: int | None) -> list[Entry]:
    """Candidates: entries of the groups that the page shows, newest first."""
    wanted: list[ColumnElement[bool]] = [or_(*(Entry.tag.startswith(f"{name}.") for name in _groups(group)))]
    if before is not None:
        wanted.append(Entry.seq < before)
    return list(await tx.scalars(select(Entry).where(*wanted).order_by(Entry.seq.desc()).limit(CHUNK)))


def _groups(group: str | None) -> Iterable[str]:
    return (group,) if group in GROUPS else GROUPS


def _fact(entry: Entry) -> Fact | None:
    """The entry as the vocabulary knows it; one from a later version is left out."""
    kind = vocabulary().get(entry.tag)
    return msgspec.json.decode(entry.fact, type=kind) if kind else None


async def _named(tx: AsyncSession, kit: Kit, found: list[tuple[Entry, Fact]]) -> list[Line]:
    wanted = {account for entry, _ in found for account in (entry.subject, entry.by) if account is not None}
    rows: Any = await tx.execute(select(Account.id, Account.full_name).where(Account.id.in_(wanted)))
    names = {account: kit.keys.open("accounts.full_name", account, sealed) for account, sealed in rows}
    return [
        Line(entry.seq, entry.at, fact, names.get(entry.subject), names.get(entry.by))
        for entry, fact in found
    ]
