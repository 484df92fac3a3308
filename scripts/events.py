"""docs/events.md: every name that a line of the log can have, found in the code, with its sentence (case O11)."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ngomon.events import SENTENCES

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("backend", "mobile_api", "workspace", "ngomon")
LEVELS = {"debug": "debug", "info": "info", "warning": "warning", "error": "error", "exception": "error"}
HEAD = """# The lines of the log

One JSON object a line on standard error: `timestamp` (UTC), `level`, `event`, and the fields below; an `exception` has
its traceback folded in. No line holds personal data. `ngomon logs` reads them as the sentences of the last column.
Written by `make docs` from the code.

| event | level | fields | where | says |
|---|---|---|---|---|
"""


class Told(NamedTuple):
    """One place that writes a line."""

    event: str
    level: str
    fields: tuple[str, ...]
    where: str


def told() -> Iterator[Told]:
    """Every place, in the order of the files."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            source = path.read_text(encoding="utf-8")
            for node in ast.walk(ast.parse(source)) if "log." in source else ():
                if isinstance(node, ast.Call) and (found := _told(node, str(path.relative_to(ROOT)))):
                    yield found


def _told(call: ast.Call, where: str) -> Told | None:
    function = call.func
    if not isinstance(function, ast.Attribute) or function.attr not in LEVELS:
        return None
    if not isinstance(function.value, ast.Name) or function.value.id != "log":
        return None
    name = call.args[0] if call.args else None
    if not isinstance(name, ast.Constant):
        return Told("?", LEVELS[function.attr], (), where)  # a test complains
    fields = tuple(one.arg for one in call.keywords if one.arg and one.arg != "exc_info")
    return Told(str(name.value), LEVELS[function.attr], fields, where)


def events_page() -> str:
    """The page."""
    by_event = defaultdict(list)
    for one in told():
        by_event[one.event].append(one)
    return HEAD + "".join(_row(event, places) for event, places in sorted(by_event.items()))


def _row(event: str, places: list[Told]) -> str:
    fields = sorted({field for place in places for field in place.fields})
    named = ", ".join(f"`{field}`" for field in fields) or "–"
    files = "<br>".join(f"`{where}`" for where in sorted({place.where for place in places}))
    level = ", ".join(sorted({place.level for place in places}))
    return f"| `{event}` | {level} | {named} | {files} | {SENTENCES.get(event, '?')} |\n"
