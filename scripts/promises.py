"""docs/rules.md and docs/attacks.md: the promises and the cases, each with where it is kept and what tests it.

Nobody writes those columns: they are read from the citations ("rule 203", "case TO14") and from the tests' names.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("alembic", "backend", "demo", "mobile_api", "ngomon", "workspace", "clients", "scripts")
PROOF = ("tests", "bench")
PAGES = {".py", ".html", ".js", ".ts", ".toml", ".md"}
RULES = re.compile(r"\brules? (\d{3,4}(?:(?:,| and| to)\s+(?:#\s*)?\d{3,4})*)")
CASES = re.compile(r"\bcases? ([A-Z]{1,2}\d\d(?:(?:,| and| to)\s+(?:#\s*)?[A-Z]{1,2}\d\d)*)")
NAME = re.compile(r"def (test_\w+)")
IN_NAME = re.compile(r"(?<=_)([a-z]{1,2}\d\d)(?=_|$)")
IN_DATA = re.compile(r'"([A-Z]{1,2}\d\d) ')
RULES_HEAD = """# The rules

What the product promises, numbered once and for ever, written by `make docs` from `docs/rules.toml`. Code and tests
cite a rule by its number; where it is kept and what tests it is read from those citations.
"""
CASES_HEAD = """# The cases

Attacks, faults and situations that the product is held against, written by `make docs` from `docs/attacks.toml` and
the names of the tests. A case without a test says why it does not apply, or that nobody has proved it yet.
"""


def pages(rooms: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Path and text of every file of ours in some top-level rooms."""
    for room in rooms:
        for path in sorted((ROOT / room).rglob("*")):
            if path.suffix in PAGES and not {"node_modules", "vendor", "__pycache__"} & set(path.parts):
                yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def cited(pattern: re.Pattern[str], text: str) -> set[str]:
    """What a text cites; "TK01 to TK06" is all between."""
    found: set[str] = set()
    for match in pattern.finditer(text):
        for part in re.split(r"(?:,| and)\s+(?:#\s*)?", match[1]):
            first, _, last = (word.strip(" #\n") for word in part.partition(" to "))
            found |= {first} | set(_between(first, last)) if last else {first}
    return found


def _between(first: str, last: str) -> Iterator[str]:
    letters = first.rstrip("0123456789")
    width = len(first) - len(letters)
    for number in range(int(first[len(letters) :]), int(last[len(letters) :]) + 1):
        yield f"{letters}{number:0{width}}"


def load(name: str) -> dict[str, Any]:
    """One of the two files of data."""
    return tomllib.loads((ROOT / f"docs/{name}.toml").read_text(encoding="utf-8"))


def rules() -> dict[str, dict[str, Any]]:
    """The rules by number."""
    return {str(rule["n"]): rule for chapter in load("rules")["chapters"] for rule in chapter["rules"]}


def cases() -> dict[str, str]:
    """What each case does, by its id."""
    groups = load("attacks")["groups"].values()
    return {name: says for group in groups for name, says in group.items() if name != "title"}


def proofs() -> dict[str, list[str]]:
    """The tests and benches of each case: by name, by a case in their data, or by their file's citation."""
    found: dict[str, list[str]] = {}
    for path, text in pages(PROOF):
        named = {name: {word.upper() for word in IN_NAME.findall(name)} for name in NAME.findall(text)}
        for name, ids in named.items():
            for one in ids:
                found.setdefault(one, []).append(f"`{path}::{name}`")
        for one in (set(IN_DATA.findall(text)) | cited(CASES, text)) - set().union(*named.values()):
            found.setdefault(one, []).append(f"`{path}`")
    return found


def rules_page() -> str:
    """docs/rules.md"""
    kept, held = _places(PRODUCT), _places(PROOF)
    page = RULES_HEAD
    for chapter in load("rules")["chapters"]:
        page += f"\n## {chapter['title']}\n"
        for rule in chapter["rules"]:
            number = str(rule["n"])
            tests = [f"`{name}`" for name in (*rule.get("tests", ()), *held.get(number, ()))]
            page += f"\n### {number}\n{rule['what']}\n\n"
            page += f"- Why: {rule['why']}\n- Source: {rule['source']}\n"
            page += f"- Kept in: {_list([f'`{name}`' for name in kept.get(number, ())])}\n- Tested by: {_list(tests)}\n"
    return page


def _places(rooms: tuple[str, ...]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path, text in pages(rooms):
        for number in sorted(cited(RULES, text)):
            found.setdefault(number, []).append(path)
    return found


def _list(names: list[str]) -> str:
    return ", ".join(names) or "the tests"


def attacks_page() -> str:
    """docs/attacks.md"""
    data, proved = load("attacks"), proofs()
    page = CASES_HEAD
    for group in data["groups"].values():
        page += f"\n## {group['title']}\n\n| case | what | tested by |\n|---|---|---|\n"
        for name, says in group.items():
            if name != "title":
                page += f"| {name} | {says} | {_proof(name, data, proved)} |\n"
    return page


def _proof(name: str, data: dict[str, Any], proved: dict[str, list[str]]) -> str:
    if tests := proved.get(name):
        return "<br>".join(tests)
    return f"does not apply: {data['reasons'][name]}" if name in data["reasons"] else "not proved yet"
