"""Nothing but the shipped branding says whose gate this is: no name and no hotline of one province stands in the code."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from backend.branding.brand import SHIPPED, shipped
from tests.promises import house

PRODUCT = ("backend/", "mobile_api/", "workspace/", "ngomon/", "demo/")
ITS_OWN = {
    SHIPPED.relative_to(house.ROOT).as_posix(): "the branding itself",
    "backend/outside/eid/claims/hue_s.toml": "what another provider, Hue-S's Keycloak, calls things",
    "demo/province.py": "the units of the demo are those of one place (rule 1030)",
}
NAMES = re.compile(
    rf"\b(?:huế|hue|hues|hue[-_]s|{shipped().hotlines.own}|{shipped().hotlines.vneid}|1900[ .]?\d{{2,4}})\b",
    re.IGNORECASE,
)
PLANTED = [
    ("backend/x.py", 'title = "Hãy gọi 19001075"\n'),
    ("backend/x.py", 'name = "hue_s"\n'),
    ("workspace/templates/x.html", '<a href="tel:19000368">VNeID</a>\n'),
    ("workspace/static/x.css", "/* the purple of Huế */\n"),
    ("demo/phone/x.js", 'el("h2", {}, "Hue-S")\n'),
    ("backend/locale/en.po", 'msgstr "call Hue-S"\n'),
    ("mobile_api/x.py", 'where = "a@hue.example"\n'),
]


def no_province(name: str, text: str) -> Iterator[str]:
    """A province's name or number, outside its own file."""
    if name.startswith(PRODUCT) and name not in ITS_OWN:
        yield from (
            f":{number}: {line.strip()[:100]}"
            for number, line in enumerate(text.splitlines(), 1)
            if NAMES.search(line)
        )


def test_no_code_says_whose_gate_it_is() -> None:
    assert house.faults((no_province,))[no_province] == []


@pytest.mark.parametrize(("name", "text"), PLANTED)
def test_a_name_that_comes_back_is_noticed(name: str, text: str) -> None:
    assert list(no_province(name, text))
    assert not list(no_province("docs/x.md", text))


def test_words_that_only_look_like_it_are_left_alone() -> None:
    assert not list(no_province("backend/x.py", '_("Mã số thuế", "phụ huynh", "huệ")\n'))


@pytest.mark.parametrize("name", ITS_OWN)
def test_what_may_say_it_does(name: str) -> None:
    assert NAMES.search((house.ROOT / name).read_text(encoding="utf-8"))
