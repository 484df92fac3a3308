"""What people type: which letters of it may be kept, and the few forms that several places ask for.

Control, format, surrogate and unassigned characters never; combining marks not in piles (case TW10).
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

FORBIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
LOST = "\ufffd"  # stands where bytes were no letters: what was meant is gone
MARKS_IN_A_ROW = 2
EARLIEST = date(1900, 1, 1)  # what a document of a living person may carry
TYPED_BIRTH_DATE = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?")  # 1950-03-14, or as much as is known
NATIONAL_ID = re.compile(r"[0-9]{12}")
EMAIL = re.compile(  # in lower case; at most 64 letters before the @ and 254 in all, no dot beside another (RFC 5321)
    r"(?=.{1,254}\Z)(?=[^@]{1,64}@)[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}"
)


class BadText(ValueError):
    """Text that cannot be accepted; `code` says why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


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


def clean(text: str, *, longest: int, lines: bool = False) -> str:
    """The text as it may be stored, or BadText; `lines` allows line breaks."""
    if len(text) > longest * 4:
        raise BadText("too_long", "Nội dung quá dài")
    tidy = unicodedata.normalize("NFC", text.replace("\r\n", "\n")).strip()
    if kept(tidy) != tidy or LOST in tidy or ("\n" in tidy and not lines):
        raise BadText("bad_characters", "Có ký tự không được phép")
    if len(tidy) > longest:
        raise BadText("too_long", "Nội dung quá dài")
    return tidy


def shown(name: str) -> str:
    """The name of an unknown field as it may be echoed."""
    return "".join(letter for letter in name[:40] if letter.isprintable())
