"""Covers the passwords, PINs and codes that somebody writes to a desk, before anything is stored (source 004, 2).

The desk's screens can neither ask for a secret nor show one. What is covered is gone: nobody can uncover it. The rule:
a value stands near a word for a secret, or behind a sign (":", "=", "là") that follows one, and looks like no word; and
six digits that are part of nothing longer are a code. Where that is in doubt a desk loses a word rather than reads a
password: the person sees what was covered and can say it again. Every search is bounded.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

COVER = "••••••"
NEAR = 30  # letters behind the word, or behind a value found, where a value needs no sign
FAR = 100  # letters behind the word where a sign can still name its value

PASSWORDS = r"mat\s{0,2}khau|mat\s{0,2}ma|pass\s?words?|pasword|passcode|passphrase|passwd|pwd|pass|mk"
CODES = (
    r"(?:ma|so)\s{1,2}(?:so\s{1,2})?(?:pin|otp|xac\s{1,2}(?:thuc|nhan|minh)|kich\s{1,2}hoat|bao\s{1,2}mat)"
    r"|(?<!error )(?<!case )(?<!tax )(?<!postal )(?<!qr )codes?|otp|o\.t\.p|pin|cvv"
)
SECRET = re.compile(rf"(?<!\w)(?:(?P<password>{PASSWORDS})|{CODES})(?!\w)[”’\"']?")
PUBLIC = re.compile(  # what is a secret nowhere, however it is written
    r"(?<!\w)(?:sd\s?\d{6}\s?[-‐‑‒–—―]?\s?\d{6}(?!\w)"  # the case's own code
    r"|h\d\d[.\w]{0,12}-\d{6}-\d{4,6}(?!\w)"  # a dossier's
    r"|https?://\S+|www\.\S+|[\w.+-]{1,64}@[a-z0-9-]{1,60}(?:\.[a-z0-9-]{1,60}){1,4}"
    r"|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}(?!\w)|\d{4}-\d\d-\d\d(?!\w)|\d{1,2}[h:]\d{0,2}(?!\w)"  # days and hours
    r"|0(?:[ .-]?\d){8,12}(?!\w)|\d{9}(?:\d{3})?(?!\w)"  # telephone, personal and tax numbers
    r"|\d{1,7}\s?(?:mah|wh|%|dong|vnd|d|usd|lan|phut|p|giay|s|gio|ngay|thang|nam|ky|so|chu|[kmg]b|g)(?!\w))"
    r"|\+\d{2,3}(?:[ .-]?\d){8,10}(?!\w)"
)
LONE = re.compile(r"(?<!\w)(?<!\d[-–./:,_+])\d{6}(?!\w)(?![-–./:,_]\d)")
SIGN = re.compile(r"(?:[:=>→]|(?<!\w)(?:la|is|was|thanh|to))\s{0,3}[“\"'‘«(]?$")
TOKEN = re.compile(r"\S{1,200}")
GROUPS = re.compile(r"\d{2,4}[ .-]\d{2,4}(?!\w)|\d(?:[ .-]\d){3,7}(?!\w)")
QUOTED = re.compile(r"(?<=[“\"'‘«])[^”\"'’»\n]{2,100}(?=[”\"'’»])")
OPENING, CLOSING = ":=>→“\"'‘«([{-–—", ".,;:?)]}”’\"'…»"
SYMBOLS = frozenset("@#$%^&*_+=~!<>|\\")
# a syllable as Vietnamese spells it without marks, or a thing that has passwords: rather a word than a secret
WORD = re.compile(
    r"(?:ngh|ng|nh|gh|gi|kh|ph|qu|th|tr|ch|[bcdghklmnpqrstvx])?[aeiouy]{1,3}(?:ng|nh|ch|[cmnpt])?"
    r"|vneid|e?mail|gmail|otp|pin|sms|zalo|facebook|wifi|web|website|app|account|what|wrong|not|the|too|please"
)


class _Plain(NamedTuple):
    """The text without marks, case and what is public, and where each of its letters stands in the text itself."""

    letters: str
    places: list[int]
    text: str

    def original(self, start: int, end: int) -> str:
        return self.text[self.places[start] : self.places[end - 1] + 1]


def covered(text: str) -> str:
    """The text with every secret's value replaced by `COVER`; the same object where there is none."""
    plain = _folded(text)
    spans = [*_behind_words(plain), *(found.span() for found in LONE.finditer(plain.letters))]
    out, done = [], 0
    for start, end in sorted(spans):
        first, last = plain.places[start], plain.places[end - 1] + 1
        while last < len(text) and unicodedata.combining(text[last]):
            last += 1
        if first >= done:
            out += [text[done:first], COVER]
        done = max(done, last)
    return "".join(out) + text[done:] if spans else text


def _folded(text: str) -> _Plain:
    letters: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(text):
        plain = letter.lower() if letter.isascii() else letter.casefold().replace("đ", "d")
        for part in plain if letter.isascii() else unicodedata.normalize("NFKD", plain):
            if not unicodedata.combining(part):
                letters.append(part)
                places.append(place)
    public = PUBLIC.sub(lambda found: "-" * len(found.group()), "".join(letters))
    return _Plain(public, places, text)


def _behind_words(plain: _Plain) -> Iterator[tuple[int, int]]:
    """The values behind the words for a secret."""
    for word in SECRET.finditer(plain.letters):
        anchor = at = word.end()
        while (token := TOKEN.search(plain.letters, at, word.end() + FAR)) is not None:
            value = _value(plain, word, token.start(), near=token.start() - anchor < NEAR)
            if value is not None:
                yield value
                anchor = value[1]
            at = max(token.end(), anchor)


def _value(plain: _Plain, word: re.Match[str], at: int, *, near: bool) -> tuple[int, int] | None:
    """The value that begins at a token, if one does."""
    while plain.letters[at : at + 1] and plain.letters[at] in OPENING:
        at += 1
    named = SIGN.search(plain.letters, max(word.end(), at - 8), at) is not None
    if not near and not named:
        return None
    is_code = word["password"] is None
    whole = (GROUPS.match(plain.letters, at) if is_code else None) or (
        QUOTED.match(plain.letters, at) if named else None
    )
    if whole is not None and any(map(str.isdigit, whole.group())):
        return whole.span()
    token = TOKEN.match(plain.letters, at)
    end = token.end() if token else at
    while end > at and plain.letters[end - 1] in CLOSING:
        end -= 1
    if end == at:
        return None
    found = _is_code(plain.letters[at:end]) if is_code else _is_password(plain, at, end, named=named and near)
    return (at, end) if found else None


def _is_code(token: str) -> bool:
    """Four to eight digits, or letters with at least three digits among them."""
    digits = sum(map(str.isdigit, token))
    return 4 <= len(token) <= 12 and token.isalnum() and digits >= (3 if digits < len(token) else 4)


def _is_password(plain: _Plain, start: int, end: int, *, named: bool) -> bool:
    """A token that no sentence has; behind a sign also a word, when it is none of the language's."""
    token = plain.letters[start:end]
    digits, letters = sum(map(str.isdigit, token)), sum(map(str.isalpha, token))
    signs = any(sign in SYMBOLS for sign in token.rstrip("!")) or (digits > 0 and token.endswith("!"))
    if (digits > 0 and letters > 0) or (letters + digits > 1 and signs) or digits >= (3 if named else 5):
        return True
    original = plain.original(start, end)
    return named and letters > 2 and original.isascii() and WORD.fullmatch(token) is None
