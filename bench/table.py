"""Everything that the goals are about in one run: CPU first, beside bare Litestar and the peers, into docs/bench.md.

Each measurement is the one of its own name; its lines are read back from bench/results. A peer that could not be
installed is named, and so is what has failed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from bench.results import FOLDER

PAGE = Path(__file__).resolve().parent.parent / "docs/bench.md"
MARK = "<!-- What follows was written by hand: the next run of the table keeps it. -->"
Line = dict[str, Any]
Lines = dict[str, list[Line]]
SHORT: dict[str, list[list[str]]] = {
    "me": [["--rounds", "3", "--requests", "3000", "--people", "50"]],
    "sign_in": [["--flows", "80"]],
    "code_peers": [["--flows", "80"]],
    "delivery": [["--people", "100"], ["--people", "100", "--kind", "webhook", "--database", "postgresql"]],
    "queue_peers": [["--jobs", "1000"]],
    "rest": [["--seconds", "30"]],
    "trips": [[]],
}
LONG: dict[str, list[list[str]]] = {
    "me": [[]],
    "sign_in": [[]],
    "code_peers": [[]],
    "delivery": [
        ["--people", "1000", "--workers", "1", "2", "--rows", "1000", "1000000"],
        ["--people", "1000", "--kind", "webhook", "--database", "postgresql", "--workers", "1", "2"],
    ],
    "queue_peers": [["--jobs", "5000"]],
    "rest": [[]],
    "trips": [[]],
}
WIDTH = 40


class Row(NamedTuple):
    """One line of the table: what was measured, the goal in words, the figure, and its unit."""

    work: str
    goal: str
    figure: float | None
    unit: str
    note: str = ""


def measured(steps: dict[str, list[list[str]]]) -> tuple[Lines, list[str]]:
    """What each said, and what failed."""
    said: Lines = {}
    failed = []
    for name, settings in steps.items():
        file = FOLDER / f"{name}.jsonl"
        known = len(file.read_text().splitlines()) if file.exists() else 0
        for words in settings:
            print(f"# {name} {' '.join(words)}", flush=True)
            try:
                import_module(f"bench.{name}").main(words)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - the others are measured all the same
                traceback.print_exc()
                failed.append(f"`{name} {' '.join(words)}`: {type(error).__name__}")
        lines = file.read_text().splitlines()[known:] if file.exists() else []
        said[name] = [json.loads(line) for line in lines]
    return said, failed


def _me(line: Line) -> Iterator[Row]:
    goals = {"bearer": "≤ 0.8 × bare", "dpop": "≤ 2.0 × bare"}
    for name, one in line["targets"].items():
        note = f"{one['of_bare']} × bare, {one['requests_per_second']}/s"
        yield Row(f"`GET /v1/me`, {name}", goals.get(name, ""), one["cpu_us"] / 1000, "ms", note)


def _sign_in(line: Line) -> Iterator[Row]:
    where = line["database"]
    for name, work, goal in (
        ("code_sign_in", "sign-in by code, both calls", "≤ 5 ms" if where == "sqlite" else "≤ 7 ms"),
        ("vneid_new", "VNeID, a new person, all four calls", "≤ 12 ms"),
        ("vneid_known", "VNeID, a known person, both calls", "≤ 6 ms"),
        ("refresh", "refresh", ""),
        ("role_request", "asking for a role", ""),
    ):
        yield Row(f"{work}, {where}", goal, line[f"{name}_cpu_ms"], "ms", f"load {line['load']}")


def _code_peers(line: Line) -> Iterator[Row]:
    note = line.get("not_done") or f"load {line['load']}"
    yield Row(f"sign-in by code, {line['peer']}", "a peer", line.get("cpu_ms"), "ms", note)


def _delivery(line: Line) -> Iterator[Row]:
    what = f"delivery, {line['kind']}, {line['database']}, {line['workers']} worker(s), {line['rows']} rows"
    for kind in ("new", "known"):
        one = line[kind]
        note = f"engine {line[f'engine_ms_{kind}']} ms, load {line['load']}"
        yield Row(f"{what}, {kind}", "engine ≤ 3 ms", one["cpu_ms"], "ms", note)


def _queue_peers(line: Line) -> Iterator[Row]:
    note = line.get("not_done") or f"{line['a_second']}/s, load {line['load']}"
    yield Row(f"one post, {line['peer']}, postgresql", "a peer", line.get("cpu_ms"), "ms", note)


def _rest(line: Line) -> Iterator[Row]:
    note = f"load {line['load']}, {line['memory_mb']} MB"
    yield Row("start", "≤ 1500 ms", round(line["start_cpu_s"] * 1000), "ms", note)
    yield Row("at rest, a second", "≤ 0.5 ms", line["idle_ms_a_second"], "ms", note)


def _trips(line: Line) -> Iterator[Row]:
    goals = {"approve": "≤ 16", "page": "≤ 14", "the code": "≤ 20 with the number"}
    for name, trip in line.items():
        if isinstance(trip, dict):
            note = f"of which the ORM says {trip['by_the_orm']}"
            yield Row(f"statements: {name}", goals.get(name, ""), trip["sql"], "", note)


READERS: dict[str, Callable[[Line], Iterator[Row]]] = {
    "me": _me, "sign_in": _sign_in, "code_peers": _code_peers, "delivery": _delivery,
    "queue_peers": _queue_peers, "rest": _rest, "trips": _trips,
}  # fmt: skip
PLOTS = {
    "A session checked": ("me",),
    "Signing in, and asking for a role": ("sign_in", "code_peers"),
    "Bringing one change to a system": ("delivery", "queue_peers"),
    "Statements": ("trips",),
}


def rows_of(said: Lines, *names: str) -> list[Row]:
    """The table, or the part of it that some measurements have given."""
    return [row for name in names or READERS for line in said.get(name, ()) for row in READERS[name](line)]


def plot(rows: Sequence[Row]) -> list[str]:
    """Bars of what has the same unit, the longest the width."""
    shown = [row for row in rows if row.figure is not None]
    most, wide = max((row.figure or 0) for row in shown), max(len(row.work) for row in shown)
    lines = []
    for row in shown:
        bar = "█" * max(1, round((row.figure or 0) / most * WIDTH))
        lines.append(f"{row.work:<{wide}}  {bar} {row.figure:g} {row.unit}".rstrip())
    return lines


def page(said: Lines, failed: Sequence[str], command: str) -> str:
    """docs/bench.md."""
    when, load = time.strftime("%d %B %Y, %H:%M UTC", time.gmtime()), os.getloadavg()[0]
    machine = f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()} {platform.release()}"
    lines = [
        "# The bench table",
        "",
        f"Written by `{command}` on {when}: {machine}, Python {platform.python_version()},",
        f"load {load:.1f} at the end. Each figure is CPU of the processes that serve it, for one of it; other work on",
        "the machine moves it by up to a factor of two, so compare within one run only. How each is measured, and old",
        "figures: [bench/README.md](../bench/README.md).",
        "",
        "| work | goal | measured | |",
        "| --- | --- | ---: | --- |",
    ]
    for row in rows_of(said):
        figure = "–" if row.figure is None else f"{row.figure:g} {row.unit}".strip()
        lines.append(f"| {row.work} | {row.goal} | {figure} | {row.note} |")
    lines += ["", *(f"Not done: {one}" for one in failed)]
    for title, names in PLOTS.items():
        some = rows_of(said, *names)
        if any(row.figure is not None for row in some):
            lines += [f"## {title}", "```", *plot(some), "```", ""]
    return "\n".join(lines).rstrip() + "\n"


def main(words: list[str]) -> None:
    """`python -m bench table`."""
    parser = argparse.ArgumentParser(prog="python -m bench table", description=__doc__)
    parser.add_argument("--short", action="store_true", help="in some minutes, as `make bench` does")
    parser.add_argument("--only", nargs="+", choices=list(SHORT), default=list(SHORT))
    chosen = parser.parse_args(words)
    steps = {
        name: settings for name, settings in (SHORT if chosen.short else LONG).items() if name in chosen.only
    }
    said, failed = measured(steps)
    made = page(said, failed, f"python -m bench table {' '.join(words)}".strip())
    _, mark, by_hand = PAGE.read_text(encoding="utf-8").partition(MARK)
    PAGE.write_text(f"{made.rstrip()}\n\n{mark}{by_hand}" if mark else made, encoding="utf-8")
