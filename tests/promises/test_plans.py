"""What is asked all the time is answered from an index, on both engines: a scan costs as much as the province (rule 912).

Add to `HOT` what your page, list or task asks: the statement as it is run.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text

import ngomon.tables  # noqa: F401
from backend import statistics
from backend.accounts.identity import called
from backend.accounts.identity.called import Called
from backend.db import Database, new_id
from backend.outbox import states
from backend.roles import (
    appointments,
    audit_next,
    audit_wanted,
    inbox,
    queue,
    reports,
    territory,
    timeline,
    vacancies,
)
from backend.roles.audit_wanted import GROUPS, Span, Wanted
from backend.roles.authority import Authority, Post
from backend.roles.catalogue.in_force import shipped
from backend.roles.confirming import standing
from backend.roles.confirming.models import ReviewedRole
from backend.roles.models import Role, Unit
from backend.roles.narrowed import Narrowed
from ngomon import gauges

NOW, ANY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC), UUID(int=7)
NO = UUID(int=8)
TODAY = date(2026, 3, 2)
WORD = b"anything"
CALLED = Called(frozenset(), ((WORD,), (WORD,)))
READER = Authority(ANY, TODAY, frozenset(), {ANY: Post(ANY, "NV", "Sở Nội vụ", f"/{ANY}/", NO)})
HOT: dict[str, Any] = {
    "journal page": audit_wanted.newest(Wanted(), Span()),
    "journal page, older": audit_wanted.newest(Wanted("role"), Span(1000, 4711)),
    "journal page: whose newest are the newest": audit_next.heads_of(
        READER, [ANY, NO], GROUPS, Span(1000, 4711), None, 51
    ),
    "journal of one person": audit_wanted.newest(Wanted(person=ANY), Span()),
    "journal of what one person did": audit_wanted.newest(Wanted(actor=ANY), Span(1000, 4711)),
    "system: known of people": states.known(ANY, "synced"),
    "system: newest delivery": states.newest(ANY, "synced"),
    "system: oldest that waits": states.oldest(ANY, NOW),
    "system: states": states.in_state(ANY, "pending", NOW),
    "system: who is failing": states.failing(ANY),
    "sessions that live": gauges.living("mobile", NOW),
    "requests that are open": gauges.open_requests(),
    "requests that are overdue": gauges.open_requests(overdue=True),
    "units of a reader": select(territory.territory(READER)),
    "units of a reader that no nearer manager has": select(territory.unmanaged(READER).c.id),
    "who manages with a reader or next below": territory.near(READER),
    "units that nobody decides for": vacancies.undecided(Unit.path.startswith("/x/")),
    "units that have lost their manager": vacancies.left(Unit.path.startswith("/x/")).order_by(None),
    "people of a unit": queue.held_in(ANY, None, 26),
    "people of a unit, further": queue.held_in(ANY, ANY, 26),
    "people of a unit, called so": queue.held_in(ANY, ANY, 26, CALLED),
    "people of a unit in a position": queue.held_in(ANY, ANY, 26, None, Narrowed(position="chuyen_vien")),
    "people of a unit who have left": queue.held_in(ANY, ANY, 26, None, Narrowed(state="ended")),
    "people called so": called.named((WORD,), [(WORD,), (WORD,)]),
    "people to a word": select(called.count_of((WORD,))),
    "requests that wait, called so": inbox.by_name(inbox.at_unit(ANY), CALLED),
    "requests that wait for one unit": inbox.at_unit(ANY).limit(1001),
    "reviews: who waits in some units": standing.waiting(
        ReviewedRole.unit_id.in_([ANY, NO]), Role.account_id.not_in([ANY])
    ).limit(51),
    "reviews: managers who wait": standing.about_managers(READER),
    "reviews: who waits in one": standing.waiting(ReviewedRole.review_id == ANY),
    "reports: roles in force": reports.in_force_in([ANY, NO], reports.PEOPLE),
    "reports: words of each unit": select(reports.newest_of_each([ANY, NO], NOW, 10)),
    "reports: words of many units": select(reports.newest_of_all([ANY, NO], NOW)),
    "reports: words that were looked through": reports.looked_through(NOW),
    "calendar: requests": timeline.due_requests(TODAY, shipped()).order_by(None),
    "calendar: roles": timeline.run_out(TODAY),
    "calendar: appointments": appointments.due(TODAY),
}
OF_FEW_UNITS = (  # these look at no unit that is not the reader's, or next to one
    "journal page: whose newest are the newest",
    "units of a reader that no nearer manager has",
    "who manages with a reader or next below",
    "units that nobody decides for",
)
# few rows in any province; and what is planned ahead, in an index of nothing else
SMALL = re.compile(
    r"SCAN (?:systems|units|anon_\d+|\(subquery|\d+-?|CONSTANT ROW)|role_requests USING INDEX ix_role_requests_to_come|request_steps USING COVERING INDEX ix_request_steps_(?:decider|overdue)|Seq Scan on (?:systems|units)\b"
)


async def plan_of(db: Database, query: Any) -> str:
    """How the engine would answer, were the tables large."""
    async with db.read() as tx:
        said = query.compile(dialect=tx.get_bind().dialect, compile_kwargs={"literal_binds": True})
        if not db.is_sqlite:  # so small, a scan would be right
            await tx.execute(text("SET LOCAL enable_seqscan = off"))
        words = "EXPLAIN QUERY PLAN" if db.is_sqlite else "EXPLAIN"
        return "\n".join(str(row[-1]) for row in await tx.execute(text(f"{words} {said}")))


async def test_nothing_hot_is_scanned(database: Database) -> None:
    for name, query in HOT.items():
        plan = await plan_of(database, query)
        scans = [line for line in plan.splitlines() if re.search(r"\bSCAN\b|Seq Scan", line)]
        assert [line for line in scans if not SMALL.search(line)] == [], f"{name}:\n{plan}"
        if name in OF_FEW_UNITS:
            assert not re.search(r"SCAN units|Seq Scan on units", plan), f"{name}:\n{plan}"


async def test_a_scan_is_seen(database: Database) -> None:
    plan = await plan_of(database, text("SELECT seq FROM journal WHERE fact LIKE '%x'"))
    assert re.search(r"\bSCAN journal|Seq Scan on journal", plan)


@pytest.mark.parametrize("many", [2000])
async def test_statistics_are_kept_by_the_product(database: Database, many: int) -> None:
    await statistics.refresh(database)
    async with database.write() as tx:
        rows = [{"key": new_id().bytes, "slot": 1} for _ in range(many)]
        await tx.execute(text("INSERT INTO tallies (key, slot, count) VALUES (:key, :slot, 1)"), rows)
    await statistics.refresh(database, imported=True)
    known = "SELECT stat FROM sqlite_stat1 WHERE tbl = 'tallies'"
    if not database.is_sqlite:
        known = "SELECT reltuples::int FROM pg_class WHERE relname = 'tallies'"
    async with database.read() as tx:
        told = {str(row[0]).split()[0] for row in await tx.execute(text(known))}
    assert told == {str(many)}
