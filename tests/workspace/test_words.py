"""Both languages say everything, and the right one is chosen."""

from __future__ import annotations

import re

import pytest

from backend.facts import vocabulary
from backend.words import english, language, say
from tests.workspace.msgids import everything, unmarked_details
from workspace import fact_labels

PLACE = re.compile(r"\{(\w+)\}")


def test_every_message_has_its_english() -> None:
    missing = sorted(everything() - set(english()))
    assert not missing, "\n".join(missing)


def test_every_detail_of_a_refusal_is_a_message_with_its_values_beside_it() -> None:
    assert not list(unmarked_details())


def test_the_catalogue_holds_nothing_that_nobody_says() -> None:
    left_over = sorted(set(english()) - everything())
    assert not left_over, "\n".join(left_over)


def test_a_translation_has_the_same_places_as_its_original() -> None:
    for vietnamese, forms in english().items():
        for form in (forms,) if isinstance(forms, str) else forms:
            assert set(PLACE.findall(form)) == set(PLACE.findall(vietnamese)), vietnamese


def test_every_fact_of_the_journal_has_words() -> None:
    assert set(vocabulary()) <= set(fact_labels.FACTS)


def test_a_message_is_said_with_its_values_and_its_plural() -> None:
    assert say("{n} giờ trước", "vi", n=1) == "1 giờ trước"
    assert say("{n} giờ trước", "en", n=1) == "1 hour ago"
    assert say("{n} giờ trước", "en", n=3) == "3 hours ago"
    for count, said in ((1, "1 new root: A"), ("1", "1 new root: A"), (2, "2 new roots: A")):
        assert say("{count} đơn vị gốc mới: {codes}", "en", count=count, codes="A") == said
    assert say("Lý do: {reason}", "en", reason="{n} {0} %s") == "Reason: {n} {0} %s"
    assert say("chưa ai dịch câu này", "en") == "chưa ai dịch câu này"


@pytest.mark.parametrize(
    ("header", "cookie", "query", "chosen"),
    [
        (None, None, None, "vi"),
        ("en-US,en;q=0.9", None, None, "en"),
        ("fr, vi;q=0.4, en;q=0.3", None, None, "vi"),
        ("en;q=0, vi;q=0.1", None, None, "vi"),
        ("en;q=mot", None, None, "vi"),
        ("*", None, None, "vi"),
        ("," * 5000, None, None, "vi"),
        ("vi", "en", None, "en"),
        ("en", "en", "vi", "vi"),
        ("en", "de", "fr", "en"),
    ],
)
def test_the_language_is_the_one_asked_for_last(
    header: str | None, cookie: str | None, query: str | None, chosen: str
) -> None:
    assert language(header, cookie, query) == chosen
