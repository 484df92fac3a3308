"""Where each entry of the journal belongs, worked out anew in SQL, and compared with the places that stand on it."""

from __future__ import annotations

import json
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.roles.audit_wanted import GROUPS
from tests.sealing import rows

HELD = ("scheduled", "active", "suspended")


Spots = dict[UUID, set[tuple[str, UUID]]]


async def _lies(tx: AsyncSession) -> tuple[Spots, Spots]:
    """Where each request and role belongs, and where each account works."""
    lies: Spots = {}
    works: Spots = {}
    words = 'SELECT request_id, unit_id, "by", overdue_at FROM request_steps'
    for request, unit, by, late in await rows(tx, words):
        where = lies.setdefault(_id(request), set())
        where |= {
            ("unit", _id(unit)),
            *({("by", _id(by))} if by else ()),
            *({("late", _id(unit))} if late else ()),
        }
    for role, account, unit, state in await rows(tx, "SELECT id, account_id, unit_id, state FROM roles"):
        lies.setdefault(_id(role), set()).add(("unit", _id(unit)))
        if state in HELD:
            works.setdefault(_id(account), set()).add(("unit", _id(unit)))
    return lies, works


async def unplaced(tx: AsyncSession) -> list[str]:
    """Every entry that has been placed and would not be found by who may read it (rule 912)."""
    upto = await rows(tx, "SELECT p.seq FROM journal_placed p JOIN journal_head h ON h.seq = p.seq")
    if not upto:  # what has been written since may say more of what was placed
        return []
    there = {
        (seq, how, _id(place))
        for seq, how, place in await rows(tx, "SELECT seq, how, place FROM journal_places")
    }
    lies, works = await _lies(tx)
    found = []
    query = "SELECT seq, tag, fact FROM journal WHERE seq <= :upto"
    for seq, tag, text in await rows(tx, query, upto=upto[0][0]):
        if tag.partition(".")[0] not in GROUPS:
            continue
        fact = {name: UUID(said) for name, said in json.loads(text).items() if _is_id(said)}
        named = [fact[name] for name in ("request", "role", "target") if name in fact]
        wanted = {place for one in named for place in lies.get(one, ())}
        if tag.startswith("sync."):
            wanted = works.get(fact.get("subject", UUID(int=0)), set()).copy()
        if tag.startswith("access."):  # of whoever tried, not of whom it was about: placed once
            wanted = {place for place in wanted if place[0] == "unit"}
        wanted |= {("unit", fact["unit"])} if "unit" in fact else set()
        wanted |= {("about", fact["subject"])} if "subject" in fact else set()
        found += [
            f"entry {seq} ({tag}) has no place {how} {place}"
            for how, place in wanted
            if (seq, how, place) not in there
        ]
    return found


def _id(value: object) -> UUID:
    return value if isinstance(value, UUID) else UUID(str(value))


def _is_id(said: object) -> bool:
    return isinstance(said, str) and len(said) == 36 and said.count("-") == 4
