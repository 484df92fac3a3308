"""What must be true of the whole database at any moment (rule 1021): asked in the database's own SQL, part by part.

A part is so many rows of one table by key; what is asked of it is one statement, so one moment. Tests ask everything at
once after each test, an operator asks a living database within bounds (`ngomon doctor --deep`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Uuid, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from backend.limits import Limits

FIRST = UUID(int=0)
EVERYTHING = 1 << 40  # rows: more than there are
PART = "WITH part AS (SELECT * FROM {table} WHERE id > :after ORDER BY id LIMIT :most) "
NEXT = "SELECT id FROM {table} WHERE id > :after ORDER BY id LIMIT 1 OFFSET :most"
COUNT = "SELECT COUNT(*) FROM (SELECT id FROM {table} WHERE id > :after ORDER BY id LIMIT :most) AS part"


class Invariant(NamedTuple):
    """`bad` finds the rows of a part of `table` of which it does not hold; `says` names them by what it answers."""

    table: str
    says: str
    bad: str


INVARIANTS = (
    Invariant(
        "accounts",
        "account {0} has {1} live phones",
        "SELECT a.id, COUNT(*) FROM part a JOIN sessions s ON s.account_id = a.id "
        "AND s.ended_at IS NULL AND s.kind = 'mobile' GROUP BY a.id HAVING COUNT(*) > 1",
    ),
    Invariant(
        "accounts",
        "account {0}: the slot names a dead session",
        "SELECT a.id FROM part a LEFT JOIN sessions s ON s.id = a.active_session_id "
        "WHERE a.active_session_id IS NOT NULL AND (s.ended_at IS NOT NULL OR s.epoch <> a.epoch OR s.id IS NULL)",
    ),
    Invariant(
        "accounts",
        "session {0} lives without the slot",
        "SELECT s.id FROM part a JOIN sessions s ON s.account_id = a.id AND s.ended_at IS NULL "
        "AND s.kind = 'mobile' WHERE a.active_session_id IS NULL OR a.active_session_id <> s.id",
    ),
    Invariant(
        "accounts",
        "account {0} has {1} home roles",
        "SELECT a.id, COUNT(*) FROM part a JOIN roles r ON r.account_id = a.id AND r.state = 'active' "
        "AND r.is_home GROUP BY a.id HAVING COUNT(*) > 1",
    ),
    Invariant(
        "accounts",
        "account {0} has two open requests",
        "SELECT a.id FROM part a JOIN role_requests r ON r.account_id = a.id "
        "AND r.status IN ('pending', 'returned') GROUP BY a.id HAVING COUNT(*) > 1",
    ),
    Invariant(
        "one_time_codes",
        "code {0} was guessed at {1} times",
        "SELECT id, attempts FROM part WHERE attempts > :guesses OR attempts < 0",
    ),
    Invariant(
        "one_time_codes",
        "code {0} used unguessed",
        "SELECT id FROM part WHERE used_at IS NOT NULL AND attempts = 0",
    ),
    Invariant(
        "roles",
        "role {0}: a transfer left the old role in force",
        "SELECT n.id FROM part n JOIN role_requests r ON r.id = n.request_id AND r.kind = 'transfer' "
        "JOIN roles o ON o.id = r.role_id WHERE n.state = 'active' AND o.state = 'active'",
    ),
    Invariant(
        "roles",
        "role {0} is in force and the home post does not wait",
        "SELECT n.id FROM part n JOIN roles h ON h.id = n.stands_on "
        "WHERE n.is_home AND n.state = 'active' AND h.state <> 'suspended'",
    ),
    Invariant(
        "roles",
        "role {0} waits for nothing",
        "SELECT id FROM part WHERE state = 'suspended' AND suspended_by IS NULL",
    ),
    Invariant(
        "roles",
        "role {0}: state and end time disagree",
        "SELECT id FROM part WHERE (state = 'ended') <> (ended_at IS NOT NULL) AND state <> 'undone'",
    ),
    Invariant(
        "role_requests",
        "transfer {0} is approved and has no new role",
        "SELECT r.id FROM part r WHERE r.kind = 'transfer' AND r.status = 'approved' AND NOT EXISTS "
        "(SELECT 1 FROM roles n WHERE n.request_id = r.id AND n.state <> 'undone')",
    ),
    Invariant(
        "role_requests",
        "request {0} was decided by its own subject",
        "SELECT s.request_id FROM part r JOIN request_steps s ON s.request_id = r.id "
        "WHERE s.by = r.account_id AND s.decision IS NOT NULL",
    ),
    Invariant(
        "role_requests",
        "request {0} is approved with a step that is not",
        "SELECT r.id FROM part r JOIN request_steps s ON s.request_id = r.id "
        "WHERE r.status = 'approved' AND (s.decision IS NULL OR s.decision <> 'approved')",
    ),
    Invariant(
        "deliveries",
        "delivery {0} is parked without a reason",
        "SELECT id FROM part WHERE state = 'dead' AND error IS NULL",
    ),
    Invariant(
        "deliveries",
        "delivery {0}: lease and state disagree",
        "SELECT id FROM part WHERE (state = 'leased') <> (lease_token IS NOT NULL)",
    ),
    Invariant(
        "deliveries",
        "delivery {0} promises a version that does not exist",
        "SELECT d.id FROM part d JOIN accounts a ON a.id = d.account_id WHERE d.version > a.role_version",
    ),
)


def by_table() -> dict[str, list[Invariant]]:
    """Which table's parts are asked for what."""
    found: defaultdict[str, list[Invariant]] = defaultdict(list)
    for one in INVARIANTS:
        found[one.table].append(one)
    return dict(found)


async def broken(
    tx: AsyncSession, one: Invariant, limits: Limits, *, after: UUID = FIRST, most: int = EVERYTHING
) -> list[str]:
    """What does not hold of one part, a line each."""
    asked = PART.format(table=one.table) + one.bad
    own = {"guesses": limits.otp_attempts} if ":guesses" in asked else {}
    return [one.says.format(*row) for row in await _rows(tx, asked, after, most, **own)]


async def extent(tx: AsyncSession, table: str, after: UUID, most: int) -> tuple[int, UUID | None]:
    """How many rows a part has, and its last key where another part follows."""
    ((count,),) = await _rows(tx, COUNT.format(table=table), after, most)
    last = await _rows(tx, NEXT.format(table=table), after, most - 1) if count == most else []
    return int(count), UUID(str(last[0][0])) if last else None


async def _rows(tx: AsyncSession, sql: str, after: UUID, most: int, **values: int) -> Sequence[Sequence[Any]]:
    asked = text(sql).bindparams(bindparam("after", type_=Uuid()))
    return (await tx.execute(asked, {"after": after, "most": most, **values})).all()
