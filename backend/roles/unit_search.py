"""Units found by words of their name or by their code (rule 601)."""

from __future__ import annotations

from sqlalchemy import ColumnElement, false, or_

from backend.names import folded_place
from backend.roles.models import Unit
from backend.roles.unit_rows import agency_code

Q_LONGEST = 100


def named(text: str) -> list[ColumnElement[bool]]:
    """What `Unit` has to be: every word stands in the name, code or agency code in either notation.

    Marks do not matter; where nothing is typed, anything is meant.
    """
    typed = text.replace("\0", " ")[:Q_LONGEST].strip()
    sought = folded_place(typed)
    if typed and not sought:
        return [false()]  # an apostrophe alone is no word of any name
    return [
        or_(*(Unit.folded.contains(form, autoescape=True) for form in _forms(word)))
        for word in sought.split()
    ]


def _forms(word: str) -> set[str]:
    """A word as typed, and as the canonical agency code that it may be."""
    try:
        return {word, agency_code(word).lower()} if "." in word else {word}
    except ValueError:
        return {word}
