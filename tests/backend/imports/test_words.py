"""Every reason that a row can get stands in one vocabulary, in both languages and with what to do."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.imports import words
from backend.imports.rows import RowError, in_both, told
from backend.words import english, say

HOUSE = Path(words.__file__).parents[1]
VOCABULARY = Path(words.__file__)
ROOMS = {VOCABULARY.parent, HOUSE / "roles" / "catalogue"}  # all of whose modules read files
ASKED = {
    HOUSE / "typed.py",
    HOUSE / "roles" / "forms.py",
    HOUSE / "roles" / "eligible.py",
}  # what they say becomes a reason
GIVERS = {"RowError": 2, "Fault": 0, "refused": 0, "wrong": 1}  # at which place each takes the reason
CODES = {"bad.code", "fault.reason", "text.reason"}  # what was given already, and is handed on


def trees() -> Iterator[tuple[Path, ast.Module]]:
    """Every module that says what is wrong with a row."""
    for file in sorted(HOUSE.rglob("*.py")):
        tree = ast.parse(file.read_text())
        imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        says = "backend.imports.rows" in imported or "backend.imports.cells" in imported
        if file != VOCABULARY and (says or file.parent in ROOMS or file in ASKED):
            yield file, tree


def given(tree: ast.Module) -> Iterator[ast.expr]:
    """What stands where a reason is given."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        if name in GIVERS and len(call.args) > GIVERS[name]:
            yield call.args[GIVERS[name]]


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("reason", words.REASONS)
def test_every_reason_is_said_in_both_languages_and_says_what_to_do(reason: str) -> None:
    said, remedy = words.REASONS[reason]
    values = dict.fromkeys(places(said), "7")
    error = RowError(2, "name", reason, values)
    for lang in ("vi", "en"):
        spoken, what_to_do = told(error, lang).split(": ", maxsplit=1)[0], say(remedy, lang)
        assert spoken and len(what_to_do) > 5 and told(error, lang).endswith(what_to_do)
        assert "{" not in told(error, lang)
    assert said in english() and remedy in english()
    assert places(said) == places(str(english()[said])) and not places(remedy)
    assert in_both(error) == f"{reason}: {told(error, 'vi')} · {told(error, 'en')}"


@pytest.mark.parametrize("note", words.NOTES)
def test_every_line_of_a_plan_is_said_in_both_languages(note: str) -> None:
    said = words.NOTES[note]
    assert places(said) == places(str(english()[said]))
    made = words.noted(note, **dict.fromkeys(places(said), "7"))
    vietnamese, spoken = str(made).split(" · ")
    assert (made.vi, made.en) == (vietnamese, spoken)
    assert vietnamese != spoken and "{" not in spoken


def test_no_reason_is_given_that_is_not_in_the_vocabulary() -> None:
    strange = []
    for file, tree in trees():
        for found in given(tree):
            constants = [one.value for one in ast.walk(found) if isinstance(one, ast.Constant)]
            handed_on = isinstance(found, ast.Name) or ast.unparse(found) in CODES
            strange += [(file.name, one) for one in constants if one not in words.REASONS]
            if not constants and not handed_on:
                strange.append((file.name, ast.unparse(found)))
    assert strange == []
    with pytest.raises(LookupError):
        RowError(2, "name", "no such unit")


def test_nothing_is_in_the_vocabulary_that_nobody_says() -> None:
    said = {
        one.value
        for _, tree in trees()
        for one in ast.walk(tree)
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
    }
    assert set(words.REASONS) - said == set()
    noted = "".join(file.read_text() for file in HOUSE.rglob("*.py") if file != VOCABULARY)
    assert [note for note in words.NOTES if f'noted("{note}"' not in noted] == []
