"""Every rule and case that is cited stands in the repository, and every rule is kept somewhere and tested."""

from __future__ import annotations

import re

import pytest

from scripts import promises

OUTSIDE = re.compile(
    r"\b(?:design|contract(?:-accounts|-roles|-operation)?|security|domain|performance|growth|ecosystem)(?:\.md)?,? "
    r"(?:§|\(\d+\)|T[LODPCKHWIF]\d\d|[A-Z]\d{1,2}\b)"
)
BARE = re.compile(
    r"[(,] ?[ADHOPRSX][1-9](?=[);,])"
)  # an old note's number, without the page that it stood on
EVERY = (*promises.PRODUCT, *promises.PROOF, "docs")
KEPT, HELD = (
    {name for _, text in promises.pages(rooms) for name in promises.cited(promises.RULES, text)}
    for rooms in (promises.PRODUCT, promises.PROOF)
)
TESTS_ONLY = {"1021", "1022"}  # the checker, and the counterparts: they are kept where they are


def citations(pattern: re.Pattern[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path, text in promises.pages(EVERY):
        if not path.startswith(("docs/rules.", "docs/attacks.")):
            for name in promises.cited(pattern, text):
                found.setdefault(name, []).append(path)
    return found


def test_every_rule_that_is_cited_is_written_down() -> None:
    known = promises.rules()
    assert {name: where for name, where in citations(promises.RULES).items() if name not in known} == {}


def test_every_case_that_is_cited_or_named_by_a_test_is_written_down() -> None:
    known = promises.cases()
    assert {name: where for name, where in citations(promises.CASES).items() if name not in known} == {}
    assert {name: where for name, where in promises.proofs().items() if name not in known} == {}


def test_no_citation_leads_out_of_the_repository() -> None:
    lost = {path: found for path, text in promises.pages(EVERY) if (found := OUTSIDE.findall(text))}
    places = (*promises.PRODUCT, "docs")
    lost |= {path: found for path, text in promises.pages(places) if (found := BARE.findall(text))}
    assert lost == {}, "say it as a rule of docs/rules.toml, and cite its number"


def test_rules_are_numbered_once_in_their_chapter() -> None:
    chapters = promises.load("rules")["chapters"]
    numbers = [rule["n"] for chapter in chapters for rule in chapter["rules"]]
    assert numbers == sorted(set(numbers))
    assert [
        c["first"] for c in chapters for r in c["rules"] if not c["first"] <= r["n"] < c["first"] + 100
    ] == []


@pytest.mark.parametrize("number", promises.rules())
def test_a_rule_says_what_why_and_whence_is_kept_somewhere_and_tested(number: str) -> None:
    rule = promises.rules()[number]
    assert all(rule[part].strip() for part in ("what", "why", "source"))
    assert number in KEPT | TESTS_ONLY, "no code cites it"
    assert number in HELD or rule.get("tests"), "no test holds it"
    assert [name for name in rule.get("tests", ()) if not (promises.ROOT / name).exists()] == []


def test_a_case_with_a_reason_has_no_test_and_the_other_way_round() -> None:
    reasons = promises.load("attacks")["reasons"]
    assert set(reasons) <= set(promises.cases()) - set(promises.proofs())


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("(case A01)", {"A01"}),
        ("cases TK01 to TK03, TD09", {"TK01", "TK02", "TK03", "TD09"}),
        ("a case of TO14", set()),
    ],
)
def test_citations_are_read(text: str, ids: set[str]) -> None:
    assert promises.cited(promises.CASES, text) == ids


@pytest.mark.parametrize(
    "page_and_place",
    [("design", "§4.1"), ("security", "TO14"), ("contract-accounts", "(32)"), ("security", "A15")],
)
def test_a_citation_of_a_page_outside_is_seen(page_and_place: tuple[str, str]) -> None:
    assert OUTSIDE.search(" ".join(page_and_place))
