"""What people type: which letters of it may be kept, and the few forms that several places ask for.

Control, format, surrogate and unassigned characters never; combining marks not in piles (security TW10).
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

FORBIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
MARKS_IN_A_ROW = 2
EARLIEST = date(1900, 1, 1)  # what a document of a living person may carry
NATIONAL_ID = re.compile(r"[0-9]{12}")


def is_forbidden(letter: str) -> bool:
    """Whether this character is kept nowhere; of those a line's end alone may stand in a text of several lines."""
    return unicodedata.category(letter) in FORBIDDEN


def kept(text: str) -> str:
    """What of a text may be kept, line ends included; a text that loses nothing is good."""
    found, row = [], 0
    for letter in text:
        row = row + 1 if unicodedata.combining(letter) else 0
        if row <= MARKS_IN_A_ROW and (letter == "\n" or not is_forbidden(letter)):
            found.append(letter)
    return "".join(found)


def shown(name: str) -> str:
    """The name of an unknown field as it may be echoed."""
    return "".join(letter for letter in name[:40] if letter.isprintable())
