"""Each of the forty-three expectations has a standing, and what shows it is there (docs/expectations.md)."""

from __future__ import annotations

import re

from tests.promises.house import ROOT

ROW = re.compile(r"^\| (\d+) \| (.+?) \| (\w+) \| (.+?) \| (.*?) ?\|$", re.MULTILINE)
WANTED = 43


def test_every_expectation_has_a_standing_and_something_that_shows_it() -> None:
    rows = ROW.findall((ROOT / "docs/expectations.md").read_text(encoding="utf-8"))
    assert [int(number) for number, *_ in rows] == list(range(1, WANTED + 1))
    for number, _, standing, shown, missing in rows:
        assert standing in {"met", "partly", "not"}, number
        assert standing == "met" or missing, f"{number} does not say what is missing"
        named = re.findall(r"`([^`]+)`", shown)
        assert named and all((ROOT / name).exists() for name in named), (number, named)
