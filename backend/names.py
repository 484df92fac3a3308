"""How the names of people are kept, compared, searched and masked, and their birth dates read and compared.

Of some people only a part of the birth date is known. It is kept as OpenID Connect Core §5.1 and ISO 8601 write it:
`1950`, `1950-03`, `0000-03-14`, or whole.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime

TONES = frozenset("\u0300\u0301\u0303\u0309\u0323")  # huyền, sắc, ngã, hỏi, nặng
VOWELS = frozenset("aeiouy")
ONE_D = str.maketrans(
    "ðɖ", "đđ"
)  # Ð of Icelandic and Ɖ of Ewe look like Đ, and old keyboards write them for it
NO_APOSTROPHES = dict.fromkeys(map(ord, "'\u2019\u2018\u02bc`\u00b4"))
LETTERS = frozenset(
    "abcdefghijklmnopqrstuvwxyzđøłæœþħŋ"
)  # below their marks; ours, and those of neighbours' names
BETWEEN = frozenset("0123456789.,-–()/")  # what stands beside letters in a name, and is none
UNSEEN = {  # what has no width: a blank where it is called one, else nothing
    **dict.fromkeys(map(ord, "\u200b\ufeff\u180e"), " "),
    **dict.fromkeys(map(ord, "\u00ad\u200c\u200d\u200e\u200f\u2060")),
}
EARLIEST_YEAR = 1900  # a birth year before it is a date that was read in the wrong order
BIRTH_DATES = tuple(
    re.compile(spelling, re.ASCII)
    for spelling in (
        r"(?P<year>\d{4})",
        r"(?P<year>\d{4})-(?P<month>\d{2})(?:-(?P<day>\d{2}))?",
        r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
        r"(?:(?P<day>\d{1,2})[/.-])?(?P<month>\d{1,2})[/.-](?P<year>\d{4})",
    )
)
LEAP_YEAR = 2000


def clean_name(text: str) -> str:
    """NFC, single blanks of the common kind, none at the ends, nothing without width."""
    return " ".join(unicodedata.normalize("NFC", text.translate(UNSEEN)).split())


def same_name(one: str, other: str) -> bool:
    """Equal as people write them (rule 131).

    Case, kind of blank, which Đ and on which vowel the tone stands (hoà, hòa) make no difference; a tone, the mark
    of a vowel, Đ for D and the order of the words do.
    """
    return _as_written(one) == _as_written(other)


def read_birth_date(text: str) -> str:
    """A birth date in the one form, as much of it as is known; raises ValueError, which never quotes it.

    Read are ISO 8601, `1950-00-00`, `yyyymmdd`, the day first as people write it here (`1/2/1990`, `1.2.1990`),
    and what programs make of a day (`1990-02-01 00:00:00`).
    """
    typed = text.strip()
    spelt = next((found for spelling in BIRTH_DATES if (found := spelling.fullmatch(typed))), None)
    try:
        if spelt is None:
            moment = datetime.fromisoformat(typed)
            parts = [moment.year, moment.month, moment.day]
        else:
            parts = [int(spelt.groupdict().get(part) or 0) for part in ("year", "month", "day")]
        year, month, day = parts
        if (day and not month) or (month and not day and not year) or not any(parts):
            raise ValueError(typed)  # noqa: TRY301 - a day of no month, a month of no year, nothing at all
        date(year or LEAP_YEAR, month or 1, day or 1)
        if 0 < year < EARLIEST_YEAR:
            raise ValueError(typed)  # noqa: TRY301 - one answer for every unusable date
    except ValueError:
        raise ValueError("not a birth date") from None
    return f"{year:04}" + (f"-{month:02}" if month else "") + (f"-{day:02}" if day else "")


def read_born(text: str, today: date) -> str:
    """As `read_birth_date`, of somebody who is there today: a day to come, or its year, is refused."""
    found = read_birth_date(text)
    if _parts(found) > [today.year, today.month, today.day]:
        raise ValueError("not a birth date")
    return found


def same_birth_date(one: str, other: str) -> bool:
    """Equal as far as both are known; two that have no part in common are not the same."""
    try:
        pairs = zip(_parts(read_birth_date(one)), _parts(read_birth_date(other)), strict=True)
    except ValueError:
        return False
    known = [(left, right) for left, right in pairs if left and right]
    return bool(known) and all(left == right for left, right in known)


def proves_birth_date(typed: str, known: str) -> bool:
    """Whether somebody who typed this knows the birth date: every part that is on file has to be there."""
    try:
        pairs = zip(_parts(read_birth_date(typed)), _parts(read_birth_date(known)), strict=True)
    except ValueError:
        return False
    return all(right in {0, left} for left, right in pairs)


def fuller_birth_date(told: str | None, known: str | None) -> str | None:
    """What is known after somebody told it: less of the same date takes nothing away."""
    if not told or not known:
        return told or known
    kept = same_birth_date(told, known) and _parts(known).count(0) < _parts(told).count(0)
    return known if kept else told


def is_whole_birth_date(text: str) -> bool:
    """Whether day, month and year are known."""
    return all(_parts(text))


def is_of_another_alphabet(name: str) -> bool:
    """Whether a sign of it is no letter of a Latin name: `Ngu\u0443en` looks like a name that it is not (case TW10).

    Judged by the letter below its marks; what a name has between its words and parts is none.
    """
    plain = clean_name(name).translate(NO_APOSTROPHES).casefold().translate(ONE_D)
    below = [one for one in unicodedata.normalize("NFD", plain) if not unicodedata.combining(one)]
    return not LETTERS.union(BETWEEN, " ").issuperset(below)


def folded(text: str) -> str:
    """Without marks and case, đ as d: what a search compares."""
    decomposed = unicodedata.normalize("NFD", clean_name(text).casefold().translate(ONE_D).replace("đ", "d"))
    return " ".join("".join(mark for mark in decomposed if not unicodedata.combining(mark)).split())


def folded_place(text: str) -> str:
    """The same of a unit's name, in which some write H'Bia, some H’Bia and some Hbia."""
    return folded(text.translate(NO_APOSTROPHES))


def masked(value: str) -> str:
    """The one mask: first three and last three characters (rule 201; two masks together leak the number)."""
    return value[:3] + "*" * (len(value) - 6) + value[-3:] if len(value) > 6 else "*" * len(value)


def last_digits(number: str) -> str:
    """The last three of a personal number, to tell two people of one name apart: a part of the one mask."""
    return number[-3:] if len(number) > 6 else ""


def masked_phone(e164: str) -> str:
    """A number as people know it, masked: 082****088."""
    return masked("0" + e164.removeprefix("+84") if e164.startswith("+84") else e164)


def agency_notations(code: str) -> tuple[str, ...]:
    """Every way of writing one agency's code: root first `G22.17`, leaf first `000.00.17.G22` (rule 620)."""
    groups = code.split(".")
    root_first = groups if groups[0][:1].isalpha() else [one for one in reversed(groups) if one.strip("0")]
    leaf_first = [root_first[::-1]] if root_first else []
    while leaf_first and len(leaf_first[-1]) < 4:
        filler = "000" if len(leaf_first[-1]) == 3 else "00"
        leaf_first.append([filler, *leaf_first[-1]])
    return tuple(dict.fromkeys([code, ".".join(root_first), *map(".".join, leaf_first)]))


def _as_written(name: str) -> str:
    """What all spellings of one name have in common: the tone goes to the end of its row of vowels."""
    found: list[str] = []
    tones: list[str] = []
    on_vowel = False
    for letter in unicodedata.normalize("NFD", clean_name(name).casefold().translate(ONE_D)):
        if letter in TONES and on_vowel:
            tones.append(letter)
            continue
        if not unicodedata.combining(letter):
            if letter not in VOWELS:
                found += tones
                tones = []
            on_vowel = letter in VOWELS
        found.append(letter)
    return "".join(found + tones)


def _parts(birth_date: str) -> list[int]:
    """Year, month and day; what is not known is zero."""
    parts = [int(part) for part in birth_date.split("-")]
    return parts + [0] * (3 - len(parts))


def written_date(text: str) -> str:
    """A date as people here write it, as far as it is known: of `1990-02-01`, `1990-02` or `1990`."""
    return "/".join(reversed(text.split("-")))
