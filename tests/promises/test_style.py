"""The examples of docs/style.md are our own code, as it is now."""

from __future__ import annotations

import re

import pytest

from tests.promises.house import ROOT

EXAMPLE = re.compile(r"^`([\w/]+\.\w+)`\n\n```\w+\n(.*?)\n```$", re.MULTILINE | re.DOTALL)
EXAMPLES: list[tuple[str, str]] = EXAMPLE.findall((ROOT / "docs/style.md").read_text(encoding="utf-8"))


def test_there_are_three_a_handler_a_use_case_and_a_template() -> None:
    assert [name.split("/")[0] for name, _ in EXAMPLES] == ["mobile_api", "backend", "workspace"]


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_an_example_stands_in_the_code_as_it_is(name: str, example: str) -> None:
    code = (ROOT / name).read_text(encoding="utf-8")
    same = "".join(example.split()) in "".join(
        code.split()
    )  # an example is indented less, and so broken elsewhere
    assert same, f"{name} reads otherwise now: put it into docs/style.md"
