"""The part of a run that knows what belongs to it (`tests/selections.py`), in which order, and what it has cost."""

from __future__ import annotations

import gc
from collections import defaultdict
from operator import itemgetter
from pathlib import Path

import pytest

from tests.selections import SELECTIONS, is_quick, twins

LONG = (
    "crash",
    "journeys",
    "races",
    "ngomon",
    "clients",
    "workspace",
    "outbox",
    "attacks",
)  # the longest files first
FOUND = pytest.StashKey[list[pytest.Item]]()
SLOWEST = 10


def pytest_addoption(parser: pytest.Parser) -> None:
    """Without the option everything that is named runs."""
    parser.addoption("--selection", choices=list(SELECTIONS), help="what belongs to a target of the Makefile")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """What `make quick` leaves out is not even imported."""
    path = collection_path.relative_to(config.rootpath).as_posix()
    quick = config.getoption("selection") == "quick" and path.startswith("tests/")
    return True if quick and not is_quick(path) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What belongs to the run; folders of long files first, so that at the end there is work for every process."""
    config.stash[FOUND] = list(items)
    if name := config.getoption("selection"):
        pairs, belongs = twins(items), SELECTIONS[name]
        config.hook.pytest_deselected(items=[item for item in items if not belongs(item, pairs)])
        items[:] = [item for item in items if belongs(item, pairs)]
    items.sort(key=_place)


def pytest_collection_finish() -> None:
    """What was imported and collected stays until the end: it is not looked through for garbage after each test."""
    gc.collect()
    gc.freeze()


def _place(item: pytest.Item) -> int:
    folder = item.path.parent.name
    return LONG.index(folder) if folder in LONG else len(LONG)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many tests there were, and the files that took longest, so that nobody makes a run slower unseen."""
    spent: defaultdict[str, float] = defaultdict(float)
    tests = set()
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                tests.add(report.nodeid)
                spent[report.nodeid.partition("::")[0]] += report.duration
    if len(spent) > SLOWEST:
        terminalreporter.section(f"{len(tests)} tests; the files that took longest")
        for path, seconds in sorted(spent.items(), key=itemgetter(1), reverse=True)[:SLOWEST]:
            terminalreporter.line(f"{seconds:7.1f} s  {path}")
