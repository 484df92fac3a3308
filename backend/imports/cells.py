"""What a cell of a file may hold before its column is known: text, a number, a day, or a fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from backend.names import UNSEEN, clean_name

DAYS = frozenset({"birth_date", "opened_on", "effective_on", "decision_date", "from", "until"})
NAMES = frozenset({"name", "full_name", "new_name"})
INVISIBLE = dict.fromkeys(UNSEEN)
LENGTHS = {"national_id": 12}  # a number of fewer digits has lost the zeros that it began with
LEADING_ZERO = frozenset({"phone"})


class Number(msgspec.Struct, frozen=True):
    """A cell that holds a number, as the sheet shows it; `padded` when a format shows its zeros."""

    text: str
    padded: bool = False


class Day(msgspec.Struct, frozen=True):
    """A cell that holds a day, as ISO 8601."""

    text: str


class Fault(msgspec.Struct, frozen=True):
    """A cell of which nobody can say what it means: a code of `words.REASONS`, and what its words name."""

    reason: str
    values: Mapping[str, str] = {}


MERGED = Fault("merged_cell")
Cell = str | Number | Day | Fault
Line = tuple[int, Sequence[Cell]]


def is_blank(cell: Cell) -> bool:
    """Whether nobody wrote anything there."""
    return isinstance(cell, str) and not cell.translate(INVISIBLE).strip()


def read_cell(cell: Cell, column: str) -> str | Fault:
    """The text that a cell shows in this column, or why it cannot be taken."""
    if isinstance(cell, Fault):
        return cell
    if isinstance(cell, Day):
        return cell.text if column in DAYS else Fault("day_in_text")
    if isinstance(cell, Number):
        return _number(cell, column)
    if "\ufffd" in cell or (column in NAMES and "?" in cell):
        return Fault("letters_lost")
    return clean_name(cell) if column in NAMES and "\n" not in cell else cell.translate(INVISIBLE)


def _number(cell: Number, column: str) -> str | Fault:
    digits = LENGTHS.get(column)
    if digits is not None and len(cell.text) != digits:
        return Fault("number_lost_zeros", {"shown": cell.text})
    if column in LEADING_ZERO and not cell.padded and not cell.text.startswith(("0", "84")):
        return Fault("number_lost_zeros", {"shown": cell.text})
    return cell.text
