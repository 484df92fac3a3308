"""`make test` and `make test-all` together are every test there is, each once; `make quick` needs nothing installed.

`make test` has eight minutes on two cores, whatever is added. No test says so, for a busy machine would break it: every run ends
with the number of tests and the files that took longest, and who adds a slow one makes another faster.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.chosen import FOUND
from tests.selections import (
    APART,
    BOTH,
    NOT_QUICK,
    PARTS,
    QUICK,
    SELECTIONS,
    of_browsers,
    of_quick,
    of_test,
    of_test_all,
    twins,
)

ROOT = Path(__file__).resolve().parents[2]


class Named:
    """A test of that name."""

    def __init__(self, nodeid: str, *fixtures: str) -> None:
        self.nodeid, self.fixturenames = nodeid, fixtures


def pair(path: str) -> list[Named]:
    return [Named(f"{path}::test_it[{kind}]") for kind in ("sqlite", "postgres")]


def test_the_three_are_everything_and_share_nothing(request: pytest.FixtureRequest) -> None:
    found = request.config.stash[FOUND]
    pairs = twins(found)
    kinds = (of_test, of_test_all, of_browsers)
    here, there, apart = ({item.nodeid for item in found if of(item, pairs)} for of in kinds)
    assert here | there | apart == {item.nodeid for item in found}
    assert not here & there | here & apart | there & apart
    assert len({item.nodeid for item in found}) == len(found)


def test_only_a_twin_waits_for_test_all() -> None:
    rest, both = pair("tests/mobile_api/test_x.py"), pair(next(iter(BOTH)))
    alone = Named("tests/attacks/test_x.py::test_it[postgres]")
    found = [*rest, *both, alone]
    pairs = twins(found)
    assert [test for test in found if of_test_all(test, pairs)] == [rest[1]]


def test_quick_needs_nothing_that_somebody_has_to_install() -> None:
    path = "tests/backend/test_x.py"
    assert of_quick(Named(f"{path}::test_it[sqlite]", "database"), set())
    assert not of_quick(Named(f"{path}::test_it[postgres]", "database"), set())
    assert not any(of_quick(Named(f"{path}::test_it", part), set()) for part in PARTS)
    assert not any(of_quick(Named(f"{place}::test_it"), set()) for place in NOT_QUICK)


@pytest.mark.parametrize(
    "places", [BOTH, QUICK, NOT_QUICK, APART], ids=["both", "quick", "not quick", "apart"]
)
def test_every_place_that_is_named_is_there_and_says_why(places: dict[str, str]) -> None:
    assert [place for place, why in places.items() if not (ROOT / place).exists() or not why] == []


def test_each_target_has_its_selection_and_the_ci_runs_the_two() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z-]+):.*\n(?:\t.*\n)*?\t.*--selection \1\b", makefile, re.MULTILINE)
    assert set(targets) == set(SELECTIONS)
    steps = re.findall(
        r"^for target in (.*); do$", (ROOT / ".ci/run").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert steps == ["gates test test-all"]
