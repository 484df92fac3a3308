"""What a sheet shows of a number: a day, digits with the zeros of the format, or something that is no code.

The formats are those of ECMA-376 part 1, §18.8.30 and §18.8.31.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from backend.imports.cells import Cell, Day, Fault, Number

DATES = frozenset({*range(14, 18), 22, *range(27, 32), 34, 35, 36, *range(50, 59)})
SHOWN = {16: "d-mmm", 17: "mmm-yy"}  # the built-in ones that do not show the whole day
TIMES = frozenset({18, 19, 20, 21, 32, 33, 45, 46, 47})
PLAIN = {0: "General", 1: "0", 49: "@"}
LITERAL = re.compile(r'"([^"]*)"|\\(.)|_.|\*.|\[[^\]]*\]', re.DOTALL)
MONTH = re.compile(r"(?<![hs:])m(?![:s])")  # beside hours and seconds an m is a minute
DATE_SIGNS = re.compile(r"[dyDY]|(?<![hHsS:])[mM](?![:sS])")
DIGITS_MOST = 15  # of a longer number the sheet itself keeps no more
LARGEST, LONGEST = 400, 100  # a sheet's numbers end at 1.8E+308: to compute with more would take for ever


def shown(raw: str, format_id: int, code: str | None, *, since_1904: bool) -> Cell:
    """The cell as people see it."""
    try:
        number = Decimal(raw)
    except InvalidOperation:
        return Fault("broken_cell", shown=raw)
    if not number.is_finite() or abs(number.adjusted()) > LARGEST or len(raw) > LONGEST:
        return Fault("broken_cell", shown=raw[:LONGEST])
    code = PLAIN.get(format_id) if code is None else code
    if format_id in DATES or (code is not None and _is_date(code)):
        return _day(number, code or SHOWN.get(format_id, "dmy"), since_1904=since_1904)
    whole = number == number.to_integral_value() and abs(number) < 10**DIGITS_MOST
    if code is None or format_id in TIMES or not whole or number < 0:
        return Fault("number_in_text", shown=raw)
    digits = str(int(number))
    if code.lower() in {"general", "@", "0", ""}:
        return Number(digits)
    padded = _padded(digits, code)
    return Fault("number_in_text", shown=digits) if padded is None else Number(padded, padded=True)


def _day(number: Decimal, code: str, *, since_1904: bool) -> Cell:
    """The day of a serial number, as much as is shown; the sheets' 1900 has a 29 February that was not."""
    days = int(number)
    first = date(1904, 1, 1) if since_1904 else date(1899, 12, 31 if days < 60 else 30)
    if not 0 < days <= (date.max - first).days:
        return Fault("broken_cell", shown=str(number))
    return Day(_seen((first + timedelta(days=days)).isoformat(), code))


def _seen(day: str, code: str) -> str:
    """The parts of a day that a format shows: whoever sees 02/1990 knows no day of it."""
    signs = LITERAL.sub("", code.split(";", maxsplit=1)[0]).lower()
    if "y" not in signs:
        return f"-{day[4:]}"
    if "d" in signs:
        return day
    return day[:7] if MONTH.search(signs) else day[:4]


@lru_cache(maxsize=256)
def _is_date(code: str) -> bool:
    plain = LITERAL.sub("", code.split(";", maxsplit=1)[0])
    return "general" not in plain.lower() and DATE_SIGNS.search(plain) is not None


def _padded(digits: str, code: str) -> str | None:
    """The digits in the places of a format of zeros and fixed letters; nothing for every other format."""
    places = _places(code)
    if places is None:
        return None
    slots = [at for at, (sign, is_slot) in enumerate(places) if is_slot and sign in "0#"]
    left = list(digits)
    filled: dict[int, str] = {}
    for at in reversed(slots):
        digit = left.pop() if left else ""
        filled[at] = digit or ("0" if places[at][0] == "0" else "")
    filled[slots[0]] = "".join(left) + filled[slots[0]]
    return "".join(filled.get(at, sign) for at, (sign, _) in enumerate(places)).strip()


@lru_cache(maxsize=256)
def _places(code: str) -> list[tuple[str, bool]] | None:
    """The signs of a format's first part, each with whether a digit comes there."""
    found: list[tuple[str, bool]] = []
    at, part = 0, code
    while at < len(part):
        literal = LITERAL.match(part, at)
        if literal:
            found += [(letter, False) for letter in literal[1] or literal[2] or ""]
            at = literal.end()
            continue
        sign = part[at]
        if sign == ";":
            break
        if sign not in "0# -()":
            return None
        found.append((sign, sign in "0#"))
        at += 1
    return found if any(is_slot for _, is_slot in found) else None
