"""Movements are one table (rule 617): nothing outside of it asks which one it is, and this finds who does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from backend.roles.fates import FATES
from backend.roles.movements import MOVEMENTS, Fate, Kind

ROOT = Path(__file__).resolve().parents[2]
TABLE = "backend/roles/movements.py"
ELSEWHERE = {"backend/roles/catalogue"}  # the file's own form, which names movements as data
CODES = {*MOVEMENTS, *get_args(Kind)}
ASKED = re.compile(r"(?:kind|movement|move)(?:\.code)? *(?:==|!=|in|not in) *[\"'(\[{]")


def branching(name: str, text: str) -> Iterator[str]:
    """Comparisons with a movement's code or with an entry of the table."""
    for node in ast.walk(ast.parse(text)):
        asked: list[ast.AST] = []
        if isinstance(node, ast.Compare):
            asked = [node.left, *node.comparators]
        elif isinstance(node, ast.Match):
            asked = [case.pattern for case in node.cases]
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") in {"in_", "not_in"}:
            asked = [*node.args]
        for part in (inner for one in asked for inner in ast.walk(one)):
            is_code = isinstance(part, ast.Constant) and part.value in CODES
            called = getattr(part, "attr", getattr(part, "id", ""))
            if is_code or (called.isupper() and called.lower() in CODES):
                yield f"{name}:{getattr(node, 'lineno', 0)}: asks which movement it is; say it in {TABLE}"


def _sources() -> Iterator[Path]:
    for folder in ("backend/roles", "mobile_api", "workspace"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if name != TABLE and not any(name.startswith(one) for one in ELSEWHERE):
                yield path


def test_nothing_but_the_table_asks_which_movement_it_is() -> None:
    found = [
        fault
        for path in _sources()
        for fault in branching(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
    ]
    pages = (ROOT / "workspace" / "templates").glob("*.html")
    found += [
        f"{page.name}: {hit.group()}" for page in pages for hit in ASKED.finditer(page.read_text("utf-8"))
    ]
    assert found == []


def test_the_rule_finds_who_asks() -> None:
    for text in (
        "if found.kind == 'transfer': pass",
        "x = move is movements.END",
        "x = kind in (AMEND, TRANSFER)",
        "q = RoleRequest.kind.not_in(['end'])",
        "match kind:\n    case 'amend': pass",
    ):
        assert list(branching("backend/roles/x.py", text)), text
    assert not list(branching("backend/roles/x.py", "x = RoleRequest.kind == kind"))
    assert ASKED.search('{% if asked.kind == "transfer" %}')


def test_every_fate_is_done_and_every_kind_has_an_entry() -> None:
    assert set(FATES) == set(Fate)
    assert set(get_args(Kind)) <= set(MOVEMENTS)
    assert all(code == one.code for code, one in MOVEMENTS.items())
