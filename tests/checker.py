"""What must be true of the whole database after every test (rule 1021).

It asks the database with its own SQL, not through the code under test, except to open
what is encrypted and to walk the journal. What an operator needs of it is `ngomon doctor --deep` (ngomon/invariants.py).
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

import ngomon.tables  # noqa: F401  (whatever it has imported is checked)
from backend import journal
from backend.chain import Walk
from backend.chain_rows import walked
from backend.db import Base, Database
from backend.kit import Kit
from backend.roles import audit_places
from backend.roles.owed import Owed, owed
from ngomon.invariants import INVARIANTS, Invariant
from tests.deciders import misplaced
from tests.findable import unfindable
from tests.placed import unplaced
from tests.sealing import encryption, rows

PERSONAL = re.compile(r"(?<![0-9a-f-])(000\d{9}|\+?84550\d{6}|0550\d{6})(?![0-9a-f-])")


class Broken(AssertionError):
    """An invariant does not hold."""


class Before:
    """What was right in a database when it was last looked at: rows are opened again when they have changed, and the
    journal is walked on from there. Whoever keeps one looks at everything once more at the end, without it.
    """

    tags = Owed.tags

    def __init__(self) -> None:
        self.rows: set[tuple[Any, ...]] = set()
        self.walk: Walk | None = None
        self.heard: list[Any] = []

    def hear(self, entry: Any) -> None:
        """Keep it for the witness of the next time."""
        self.heard.append(entry)

    def trouble(self) -> None:
        """That witness says it."""


async def check(db: Database, kit: Kit, before: Before | None = None) -> None:
    """Raise Broken naming every invariant that does not hold."""
    await audit_places.fill(db)
    async with db.read() as tx:
        found = [
            *await of_all(tx, kit),
            *await _reviews(tx),
            *await misplaced(tx, kit),
            *await unfindable(tx, kit),
            *await unplaced(tx),
            *await _journal(tx, kit, before),
            *await encryption(tx, kit, before),
            *await _no_plain_text(tx),
            *await _engine(tx, db),
        ]
    if found:
        raise Broken("\n".join(found))


async def of_all(tx: AsyncSession, kit: Kit) -> list[str]:
    """What an operator's look asks part by part is asked of everything, and at once."""
    bad = await rows(tx, _all_invariants(), guesses=kit.limits.otp_attempts)
    return [INVARIANTS[at].says.format(*found) for at, *found in bad]


@cache
def _all_invariants() -> str:
    parts = [f"bad_{at}({', '.join(_said(one))}) AS ({_whole(one)})" for at, one in enumerate(INVARIANTS)]
    asked = [
        f"SELECT {at} AS place, CAST(first AS TEXT), CAST({_said(one)[-1]} AS TEXT) FROM bad_{at}"
        for at, one in enumerate(INVARIANTS)
    ]
    return f"WITH {', '.join(parts)} {' UNION ALL '.join(asked)}"


def _said(one: Invariant) -> list[str]:
    return ["first", "second"] if "{1}" in one.says else ["first"]


def _whole(one: Invariant) -> str:
    """Its question of a part, asked of the whole table."""
    return re.sub(r"\bpart\b", one.table, one.bad)


async def _reviews(tx: AsyncSession) -> list[str]:
    """What ended because nobody confirmed it was announced twice, each time with days to live through (rule 642)."""
    announced = (
        "SELECT 1 FROM reviewed_roles w JOIN reviews v ON v.id = w.review_id WHERE w.role_id = r.id "
        "AND w.state = 'ended' AND w.by IS NULL AND w.first_at < w.second_at AND w.second_at < w.at "
        "AND w.second_lived - w.first_lived >= :rest"
    )
    query = f"SELECT r.id FROM roles r WHERE r.end_reason = 'unconfirmed' AND NOT EXISTS ({announced})"
    return [f"role {row[0]} ended unannounced" for row in await rows(tx, query, rest=3 * 86_400_000)]


async def _journal(tx: AsyncSession, kit: Kit, before: Before | None) -> list[str]:
    found = []
    if before is None or not await _goes_on(tx, kit, before):
        count, trouble = await kit.journal.verify(tx, witness=await owed(tx))
        begun = count > 0 or bool(await rows(tx, "SELECT 1 FROM journal_head WHERE length(seal) > 0"))
        found += [f"journal: {trouble}"] if trouble and begun else []
    opened = await rows(tx, "SELECT COUNT(*) FROM journal WHERE tag = 'session.opened'")
    made = await rows(tx, "SELECT COUNT(*) FROM sessions")
    if opened[0][0] != made[0][0]:
        found.append(f"{made[0][0]} sessions but {opened[0][0]} journal entries that opened one")
    return found


async def _goes_on(tx: AsyncSession, kit: Kit, before: Before) -> bool:
    """Whether the journal goes on rightly from where it stood; what is wrong, the whole walk says."""
    walk = before.walk or Walk(kit.keys, await journal._known(tx), await journal._closed(tx))
    trouble = await walked(tx, walk, witness=before) or walk.end()
    witness, head = await owed(tx), await tx.get(journal.Head, 1)
    for entry in before.heard:
        witness.hear(entry)
    ends = head is not None and (head.seq, head.hash) == (walk.count, walk.previous) and not walk.head(head)
    kept = await rows(tx, "SELECT COUNT(*) FROM journal")
    right = trouble is None and ends and kept[0][0] == walk.count and not witness.trouble()
    before.walk, before.heard = (walk, before.heard) if right else (None, [])
    return right


async def _no_plain_text(tx: AsyncSession) -> list[str]:
    """No text column holds an invented person's number or phone (rule 904)."""
    found = set()
    for place, value in await rows(tx, _suspicious_texts(tx.get_bind().dialect.name)):
        if PERSONAL.search(value):
            found.add(f"{place} holds personal data in the clear")
        if "\x00" in value:
            found.add(f"{place} holds NUL")
    return sorted(found)


@cache
def _suspicious_texts(engine: str) -> str:
    """One question for all text columns, asked after each test; what cannot match is left out by the database."""
    places = [
        (table.name, column.name)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.type.python_type is str
    ]
    nul = ' OR instr("{name}", char(0)) > 0' if engine == "sqlite" else ""  # PostgreSQL stores none
    return " UNION ALL ".join(
        f"SELECT '{table}.{name}', \"{name}\" FROM {table} WHERE \"{name}\" LIKE '%000%' OR \"{name}\" LIKE '%550%'"
        + nul.format(name=name)
        for table, name in places
    )


async def _engine(tx: AsyncSession, db: Database) -> list[str]:
    if not db.is_sqlite:
        loose = await rows(tx, "SELECT conname FROM pg_constraint WHERE NOT convalidated")
        return [f"constraint {row[0]} is not validated" for row in loose]
    integrity = await rows(tx, "PRAGMA quick_check")
    foreign = await rows(tx, "PRAGMA foreign_key_check")
    return [f"SQLite: {row[0]}" for row in integrity if row[0] != "ok"] + [
        f"dangling reference: {row}" for row in foreign
    ]
