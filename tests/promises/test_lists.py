"""No statement grows with what it is about: PostgreSQL refuses more than 32,767 values, SQLite 500 parts (rule 912).

A list of `in_` is one value there (backend/lists.py), whatever its column. What is left are statements put together
from parts, rows in one INSERT, and lists of pairs: each of them stands here with what bounds it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pysqlite3
import pytest
from sqlalchemy import column, func, select, tuple_
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.types import NullType

import ngomon.tables  # noqa: F401
from backend.db import Base
from backend.roles.models import Role

ASYNCPG = asyncpg.dialect()  # type: ignore[no-untyped-call]
ROOT = Path(__file__).resolve().parents[2]
PARTS = {"or_", "and_", "union", "union_all", "intersect", "except_", "tuple_"}
BOUNDED = {
    "backend/accounts/identity/called.py: and_(*(_has(account, word) for word in self.words))": "words of a search",
    "backend/accounts/codes/code_rows.py: or_(*(OneTimeCode.purpose == one for one in CAREFUL))": "three",
    "backend/accounts/identity/called.py: insert(NameWord).values(rows)": "words of one person's name",
    "backend/journal.py: insert(Entry).values(rows_of(count, *columns))": "AT_ONCE",
    "backend/objects.py: insert(table).values(rows_of(count, *columns))": "SOME",
    "backend/outbox/circuit.py: and_(System.disabled_at.is_(None), runs, *well)": "one",
    "backend/outbox/queue.py: insert_into(tx, Link).values(links)": "CHUNK",
    "backend/outbox/queue.py: insert_into(tx, Delivery).values(rows)": "CHUNK",
    "backend/outbox/states.py: union(*parts)": "three",
    "backend/retention.py: tuple_(*(model.__table__.c[name] for name in names))": "BATCH rows of a table's key",
    "backend/roles/audit_next.py: and_(Place.how == places.c.how, Place.place == places.c.place, "
    "Place.group == parts.c.group, *_between(span))": "two ends",
    "backend/roles/audit_next.py: union_all(*(select(literal(group).label('group')) for group in groups))": "GROUPS",
    "backend/roles/audit_next.py: union_all(*parts)": "CHUNK",
    "backend/roles/audit_wanted.py: union_all(*parts)": "kinds of facts",
    "backend/roles/authority.py: or_(false(), *(Unit.path.startswith(post.path) for post in self.posts.values()))": (
        "the posts of one person"
    ),
    "backend/roles/confirming/listing.py: or_(*parts)": "two",
    "backend/roles/deciding.py: or_(*(Unit.path.startswith(top) for top in tops))": "TOPS_MOST",
    "backend/roles/decisions.py: union(*parts)": "TOGETHER",
    "backend/roles/differences.py: or_(*opens)": "roots of one person",
    "backend/roles/differences.py: union_all(*(select(part.subquery()) for part in parts))": "AT_ONCE",
    "backend/roles/inbox.py: union_all(*(select(part.subquery().c.request_id) for part in parts))": "FEW",
    "backend/roles/inbox.py: union(*(select(part.subquery().c.request_id) for part in parts))": (
        "the posts and the lent rights of one person"
    ),
    "backend/roles/opened.py: or_(*ways)": "four",
    "backend/roles/operating.py: or_(*(Unit.path.startswith(top) for top in self.tops))": "roots of one person",
    "backend/roles/queue.py: union_all(*parts)": "UNITS",
    "backend/roles/queue.py: and_(Role.id.in_(found), below, *narrowed.where)": "filters of the page",
    "backend/roles/reports.py: union_all(*parts)": "UNITS",
    "backend/roles/timeline.py: or_(*(Account.id.in_(part) for part in (due, over, lapsed)))": "three",
    "backend/roles/unit_search.py: or_(*(Unit.folded.contains(form, autoescape=True) for form in _forms(word)))": "two",
    "backend/roles/vouching.py: or_(usual, *others)": "types of the catalogue",
    "backend/roles/vouching.py: and_(true(), *(column.is_(None) for name, column in came.items() if name in by))": "two",
    "backend/tallies.py: insert(Tally).values(rows_of(count, Tally.key, Tally.slot, Tally.count))": "budgets of one act",
    "backend/throttle.py: insert(Budget).values(rows_of(count, *COLUMNS))": "budgets of one act",
    "backend/sealed.py: or_(*(holder == account_id for holder in holders))": "columns of a table",
}


def put_together(name: str, text: str) -> Iterator[str]:
    """Statements whose length is that of something else."""
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        parts = any(isinstance(one, ast.Starred) for one in node.args)
        if (
            getattr(node.func, "id", "") in PARTS
            and parts
            and "for at in range(count)" not in ast.unparse(node)
        ):
            yield f"{name}: {ast.unparse(node)}"
        of_rows = len(node.args) == 1 and not isinstance(node.args[0], ast.Dict)
        if re.match(r"(\w+\.)?insert\w*\(.*\.values$", ast.unparse(node.func)) and of_rows:
            yield f"{name}: {ast.unparse(node)}"
        if any(one.arg == "expanding" for one in node.keywords):
            yield f"{name}: {ast.unparse(node)}"


def found_in_the_product() -> set[str]:
    return {
        one
        for folder in ("backend", "mobile_api", "workspace", "ngomon")
        for path in (ROOT / folder).rglob("*.py")
        for one in put_together(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
    }


def test_whatever_is_put_together_says_what_bounds_it() -> None:
    found = found_in_the_product()
    assert found - set(BOUNDED) == set()
    assert set(BOUNDED) - found == set()


@pytest.mark.parametrize(
    "line",
    [
        "or_(*(Unit.path.startswith(path) for path in paths))",
        "select(union(*parts))",
        "insert_into(tx, Link).values(links)",
        "bindparam('ids', expanding=True)",
    ],
)
def test_the_rule_finds_what_grows(line: str) -> None:
    assert list(put_together("x.py", line))
    assert not list(
        put_together("x.py", "or_(a, b), update(Unit).values(name='x'), insert(T).values({'id': 1})")
    )


@pytest.mark.parametrize("is_negative", [False, True])
def test_every_column_takes_a_list_as_one_value_on_postgresql(is_negative: bool) -> None:
    for table in Base.metadata.tables.values():
        for one in table.columns:
            values = [] if isinstance(one.type, NullType) else [None, None]
            asked = one.not_in(values) if is_negative else one.in_(values)
            said = select(one).where(asked).compile(dialect=ASYNCPG)
            assert "POSTCOMPILE" not in str(said), f"{table.name}.{one.name}"
            assert list(said.params.values()) == [values], f"{table.name}.{one.name}"
            assert not re.search(r"\(\d+\)\[\]", str(said)), f"{table.name}.{one.name} cuts what is longer"


def test_what_is_no_list_is_said_as_ever() -> None:
    inner = select(Role.id)
    for query in (
        select(Role.id).where(Role.id.in_(inner)),
        select(Role.id).where(Role.id == Role.account_id),
        select(Role.id).where(tuple_(Role.id, Role.state).in_([(None, "x")])),
        select(func.lower(column("x")).in_(inner)),
    ):
        assert "ANY" not in str(query.compile(dialect=ASYNCPG))
    assert "ANY" not in str(select(Role.id).where(Role.state.in_(["a"])).compile(dialect=sqlite.dialect()))
    written = select(Role.id).where(Role.state.in_(["a", "b"]))
    literal = written.compile(dialect=ASYNCPG, compile_kwargs={"literal_binds": True})
    assert "roles.state IN ('a', 'b')" in str(literal)


def test_our_sqlite_takes_a_quarter_of_a_million_values() -> None:
    options = [row[0] for row in pysqlite3.connect(":memory:").execute("PRAGMA compile_options")]
    assert "MAX_VARIABLE_NUMBER=250000" in options
