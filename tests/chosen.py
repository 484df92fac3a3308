"""The part of a run that knows what belongs to it (`tests/selections.py`), in which order, and what it has cost."""

from __future__ import annotations

from collections import defaultdict
from operator import itemgetter

import pytest

from tests.selections import SELECTIONS, twins

LONG = ("crash", "races", "journeys", "ngomon")  # few tests, each of many seconds
FOUND = pytest.StashKey[list[pytest.Item]]()
SLOWEST = 10


def pytest_addoption(parser: pytest.Parser) -> None:
    """Without the option everything that is named runs."""
    parser.addoption("--selection", choices=list(SELECTIONS), help="what belongs to a target of the Makefile")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Folders of long tests first: at the end of a run there is work for both processes."""
    config.stash[FOUND] = list(items)
    if name := config.getoption("selection"):
        pairs, belongs = twins(items), SELECTIONS[name]
        config.hook.pytest_deselected(items=[item for item in items if not belongs(item, pairs)])
        items[:] = [item for item in items if belongs(item, pairs)]
    items.sort(key=lambda item: item.path.parent.name not in LONG)


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
