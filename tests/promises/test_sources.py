"""The table of the documents is complete, and everything that it names is there."""

from __future__ import annotations

import ast
import json
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = 6
CALL = re.compile(r"`(GET|POST|PUT|PATCH|DELETE) (/v1/[^`]*)`")
SCREEN = re.compile(r"#/[\w/-]*")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
PATTERN = re.compile(r"\[/(\^#.*?\$)/, \w+\]")
OUTSIDE = "ngoài sản phẩm"  # what others install on a person's machine
FEWEST = {"001": 75, "000": 10, "004": 12, "002": 15, "003": 10}  # steps, notes and screens of each document

Row = list[str]


def rows() -> dict[str, list[Row]]:
    """The rows of each document's table, by the document's number."""
    found: dict[str, list[Row]] = {}
    number = ""
    for line in (ROOT / "docs/sources.md").read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"## (\d{3}) ", line):
            number = heading[1]
        elif line.startswith("| ") and not line.startswith("| bước |"):
            found.setdefault(number, []).append([cell.strip() for cell in line.strip("|").split("|")])
    return found


EVERY = [row for table in rows().values() for row in table]


def calls_of(row: Row) -> list[tuple[str, str]]:
    return CALL.findall(row[2])


@pytest.mark.parametrize("number", FEWEST)
def test_each_document_is_there_with_all_its_steps(number: str) -> None:
    assert len(rows()[number]) >= FEWEST[number]


def test_no_cell_is_empty() -> None:
    for row in EVERY:
        assert len(row) == COLUMNS, row
        assert all(re.search(r"[\w/]", cell) for cell in row), row


def test_every_call_is_one_of_the_api() -> None:
    described = json.loads((ROOT / "docs/openapi.json").read_text(encoding="utf-8"))["paths"]
    known = {(method.upper(), _plain(path)) for path, item in described.items() for method in item}
    for row in EVERY:
        assert calls_of(row) or row[2].startswith(OUTSIDE), row
        unknown = [call for call in calls_of(row) if (call[0], _plain(call[1])) not in known]
        assert unknown == [], row[0]


def test_every_screen_is_one_of_the_phone_page() -> None:
    text = (ROOT / "demo/phone/phone.js").read_text(encoding="utf-8")
    patterns = [re.compile(one.replace("\\/", "/")) for one in PATTERN.findall(text)]
    assert len(patterns) > 20
    for row in EVERY:
        for screen in SCREEN.findall(row[3]):
            assert screen == "#/" or any(one.match(screen) for one in patterns), (row[0], screen)


def test_every_test_is_there() -> None:
    for row in EVERY:
        named = TEST.findall(row[4])
        assert named or row[2].startswith(OUTSIDE), row
        for file, test in named:
            assert test in _tests(ROOT / file), (row[0], file, test)


def test_a_page_of_the_workspace_is_opened_by_a_test_of_its_row() -> None:
    for row in rows()["003"]:
        for page in re.findall(r"`(/workspace[\w/-]*)`", row[3]):
            texts = [(ROOT / file).read_text(encoding="utf-8") for file, _ in TEST.findall(row[4])]
            assert any(f'"{page}' in text for text in texts), (row[0], page)


def test_whatever_differs_from_a_document_says_why() -> None:
    for row in EVERY:
        assert row[5].startswith("Như tài liệu") or len(row[5].split()) >= 3, row


def _plain(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


@cache
def _tests(file: Path) -> set[str]:
    if not file.exists():
        return set()
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
