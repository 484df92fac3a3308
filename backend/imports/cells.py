"""What a cell of a file may hold before its column is known: text, a number, a day, or a fault."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from backend.names import UNSEEN, clean_name

DAYS = frozenset({"birth_date", "opened_on", "effective_on", "decision_date", "from", "until"})
NAMES = frozenset({"name", "full_name", "new_name"})
INVISIBLE = dict.fromkeys(UNSEEN)
LENGTHS = {"national_id": 12}  # a number of fewer digits has lost the zeros that it began with
LEADING_ZERO = frozenset({"phone"})
FORMULA = (
    "=",
    "+",
    "-",
    "@",
    "＝",
    "＋",
    "－",
    "＠",
    "\t",
    "\r",
)  # a sheet computes what begins so, wide signs too
ERROR = re.compile(
    r"#(?:N/A|DIV/0!|GETTING_DATA|[A-Z]+[!?]|#+)|Err:[0-9]{3}"
)  # as it stands in a CSV of a sheet
ROUNDED = re.compile(
    r"[0-9](?:[.,][0-9]+)?E\+[0-9]{2,3}"
)  # a long number in a narrow column, saved as it looks


class Number(msgspec.Struct, frozen=True):
    """A cell that holds a number, as the sheet shows it; `padded` when a format shows its zeros."""

    text: str
    padded: bool = False


class Day(msgspec.Struct, frozen=True):
    """A cell that holds a day, as ISO 8601, as much of it as the sheet shows; `--03-14` where it shows no year."""

    text: str


class Fault(msgspec.Struct, frozen=True):
    """A cell of which nobody can say what it means: a code of `words.REASONS`, and what its words name."""

    reason: str
    values: Mapping[str, str] = {}
    shown: str = ""  # what stands there for everybody to see


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
        return _day(cell, column)
    if isinstance(cell, Number):
        return _number(cell, column)
    cell = typed(cell)
    if ERROR.fullmatch(cell.strip()):
        return Fault("error_cell", {"shown": cell.strip()})
    if column not in NAMES and ROUNDED.fullmatch(cell.strip()):
        return Fault("number_in_text")
    if "\ufffd" in cell or (column in NAMES and "?" in cell):
        return Fault("letters_lost")
    return clean_name(cell) if column in NAMES and "\n" not in cell else cell.translate(INVISIBLE)


def shown_of(cell: Cell) -> str:
    """What stands in a cell for everybody to see; a day as it is written here."""
    if isinstance(cell, Day):
        return "/".join(reversed([part for part in cell.text.split("-") if part]))
    if isinstance(cell, Number):
        return cell.text
    return cell.shown if isinstance(cell, Fault) else cell


def harmless(text: str) -> str:
    """The text for a CSV that a sheet may open: nothing in it is computed. `typed` takes it back."""
    return f"'{text}" if text.startswith(FORMULA) and len(text) > 1 else text


def typed(text: str) -> str:
    """What was meant where `harmless`, or somebody at a sheet, wrote an apostrophe before it."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text


def _day(cell: Day, column: str) -> str | Fault:
    if column not in DAYS:
        return Fault("day_in_text", shown=shown_of(cell))
    return Fault("bad_date", shown=shown_of(cell)) if cell.text.startswith("-") else cell.text


def _number(cell: Number, column: str) -> str | Fault:
    digits = LENGTHS.get(column)
    if digits is not None and len(cell.text) != digits:
        return Fault("number_lost_zeros", {"shown": cell.text}, cell.text)
    if column in LEADING_ZERO and not cell.padded and not cell.text.startswith(("0", "84")):
        return Fault("number_lost_zeros", {"shown": cell.text}, cell.text)
    return cell.text
