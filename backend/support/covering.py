"""Covers passwords, PINs and codes that somebody writes to a desk before anything is stored (004, 2; rule 1106).

The desk's screens can neither ask for a secret nor show one. What is covered is gone: nobody can uncover it. The rule:
a value stands near a word for a secret, or behind a sign (":", "=", "là") that follows one, and looks like no word; and
six digits that are part of nothing longer are a code. Where that is in doubt a desk loses a word rather than reads a
password: the person sees what was covered and can say it again. Each token is looked at once, and no search is long.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import NamedTuple

COVER = "••••••"
NEAR = 45  # letters behind the word, or behind a value found, where a value needs no sign
FAR = 100  # letters behind the word where a sign can still name its value
BEFORE = 40  # letters before the word for a password where only what looks like nothing else is one

PASSWORDS = (
    r"mat[\s._-]{0,2}khau|mat[\s._-]{0,2}ma|pass[\s._-]?words?|pass?work|pasword|passcode|passphrase|passwd|pwd|pass?|pw"
    r"|m[./]?k(?:hau)?\d?"
)
CODES = (
    r"(?:ma|so)\s{1,2}(?:so\s{1,2})?(?:pin|otp|xac\s{1,2}(?:thuc|nhan|minh)|kich\s{1,2}hoat|b(?:ao|i)\s{1,2}mat"
    r"|dang\s{1,2}nhap|khoi\s{1,2}phuc|mo\s{1,2}khoa)"
    r"|(?<!error )(?<!case )(?<!tax )(?<!postal )(?<!qr )codes?|otp|o\.t\.p|pin|cvv"
)
SECRET = re.compile(rf"(?<![^\W_])(?:(?P<password>{PASSWORDS})|{CODES})(?![^\W_])[”’\"']?")
NEVER = re.compile(  # addresses of pages, and the tags and codes of cases and dossiers
    r"https?://\S+|\[[\w.]{1,20}#[\w.]{1,10}\]|(?<!\w)(?:www\.\S+|sd\s?\d{6}\s?[-‐‑‒–—―]?\s?\d{6}(?!\w)|h\d\d[.\w]{0,12}-\d{6}-\d{4,6}(?!\w))"
)
RARELY = re.compile(  # what is a secret only where a sign says so
    r"(?<!\w)(?:[\w.+-]{1,64}@[a-z0-9-]{1,60}(?:\.[a-z0-9-]{1,60}){1,4}"
    r"|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}|\d{4}-\d\d-\d\d|\d{1,2}[h:]\d{0,2}|\d{1,4}/\d{4}/[a-z-]{1,12}"  # days, laws
    r"|0(?:[ .-]?\d){8,12}|\d{9}(?:\d{3})?|1[89]00(?:[ .]?\d){4,6}"  # telephone, personal and tax numbers
    r"|\d{1,3}\s?(?:lan|phut|p|giay|s|gio|ngay|thang|nam|ky|so|chu|[kmg]b|g)|\d{1,7}\s?(?:mah|wh|%)"
    r"|0x[0-9a-f]{1,16}|(?:loi|error|err|http|windows|chrome|android|iphone|ios|samsung)[\s_]?[a-z]{0,3}\d{1,8})(?!\w)"
    r"|\+\d{2,3}(?:[ .-]?\d){8,10}(?!\w)"
)
LONE = re.compile(r"(?<!\w)(?<!\d[-–./:,_+])\d{6}(?!\w)(?![-–./:,_]\d|\s?(?:dong|vnd|usd)(?!\w))")
SIGN = re.compile(r"(?:[:=>→]|(?<!\w)(?:la|is|was|thanh|to))\s{0,3}[“\"'‘«(]?$")
TOKEN = re.compile(r"\S{1,200}")
GROUPS = re.compile(r"\d{1,4}(?:[ .,-]\d{1,4}){1,7}(?!\w)")
QUOTED = re.compile(r"(?<=[“\"'‘«])[^”\"'’»\n]{2,100}(?=[”\"'’»])")
FORGOTTEN = re.compile(
    r"(?:quen|mat|lay lai|dat lai|cap lai|khoi phuc|forgot|forgotten|reset|lost)(?: my| the)?\s$"
)
OPENING, CLOSING = ":=>→“\"'‘«([{-–—*", ".,;:?)]}”’\"'…»"
SYMBOLS = frozenset("@#$%^&*_+=~!<>|\\")
# a syllable as Vietnamese spells it without marks, or a thing that has passwords: rather a word than a secret
WORD = re.compile(
    r"(?:ngh|ng|nh|gh|gi|kh|ph|qu|th|tr|ch|[bcdghklmnpqrstvx])?[aeiouy]{1,3}(?:ng|nh|ch|[cmnpt])?"
    r"|vneid|vnpt|viettel|e?mail|gmail|otp|pin|sms|zalo|facebook|wifi|web|website|windows|app|account|what|wrong|not|the"
)


class _Plain(NamedTuple):
    """The text without marks and case; `strict` also without what is rarely a secret, `places` in the text itself."""

    letters: str
    strict: str
    places: list[int]
    text: str


def covered(text: str) -> str:
    """The text with every secret's value replaced by `COVER`; the same object where there is none."""
    plain = _folded(text)
    spans = [*_around_words(plain), *(found.span() for found in LONE.finditer(plain.strict))]
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
    public = NEVER.sub(_blanked, "".join(letters))
    return _Plain(public, RARELY.sub(_blanked, public), places, text)


def _blanked(found: re.Match[str]) -> str:
    return "-" * len(found.group())


def _around_words(plain: _Plain) -> Iterator[tuple[int, int]]:
    """The values near the words for a secret; a token belongs to the words before it, else to the next."""
    words = list(SECRET.finditer(plain.letters))
    known: dict[
        bool, tuple[re.Match[str], int]
    ] = {}  # the last word of each kind, and where its last value ends
    done = 0
    for word, following in zip([None, *words], [*words, None], strict=True):
        if word is not None and word.start() >= done:
            known[word["password"] is None] = (word, word.end())
            done = word.end()
        end = following.start() if following is not None else len(plain.letters)
        for token in TOKEN.finditer(plain.letters, done, end):
            at = token.start()
            if at < done:
                continue
            values = [_behind(plain, last, anchor, at) for last, anchor in known.values()]
            if following is not None and following["password"] is not None and end - at <= BEFORE:
                values.append(_unlike_all_else(plain, at))
            for value in filter(None, values):
                yield value
                known = {kind: (last, value[1]) for kind, (last, _) in known.items()}
                done = value[1]
                break


def _behind(plain: _Plain, word: re.Match[str], anchor: int, at: int) -> tuple[int, int] | None:
    """The value behind a word that begins at this token, if one does."""
    start, near, is_code = _opened(plain.letters, at), at - anchor < NEAR, word["password"] is None
    named = SIGN.search(plain.letters, max(word.end(), start - 8), start) is not None
    if at >= word.end() + FAR:
        return None
    if not (near or named):
        return None if is_code else _unlike_all_else(plain, at)
    is_next = not is_code and not plain.letters[word.end() : start].strip()
    whose = FORGOTTEN.search(plain.letters, max(0, word.start() - 20), word.start())
    sure = (
        near and (named or is_next) and whose is None
    )  # else it may be a number or address of something else
    letters = plain.letters if sure else plain.strict
    start = _opened(letters, at)
    whole = GROUPS.match(letters, start) if is_code else (QUOTED.match(letters, start) if named else None)
    if whole is not None and (_digits(whole.group()) in range(4, 9) if is_code else _digits(whole.group())):
        return whole.span()
    end = _end(letters, start)
    token = letters[start:end]
    return (
        (start, end) if (_is_code(token) if is_code else _is_password(token, named=named and near)) else None
    )


def _unlike_all_else(plain: _Plain, at: int) -> tuple[int, int] | None:
    """Letters, digits and signs in one: a password also where it stands before the word, or far behind it."""
    start = _opened(plain.strict, at)
    end = _end(plain.strict, start)
    token = plain.strict[start:end]
    is_value = _digits(token) and any(map(str.isalpha, token)) and any(sign in SYMBOLS for sign in token)
    return (start, end) if is_value else None


def _opened(letters: str, at: int) -> int:
    while at < len(letters) and letters[at] in OPENING:
        at += 1
    return at


def _end(letters: str, start: int) -> int:
    token = TOKEN.match(letters, start)
    end = token.end() if token else start
    while end > start and letters[end - 1] in CLOSING:
        end -= 1
    return end


def _digits(token: str) -> int:
    return sum(map(str.isdigit, token))


def _is_code(token: str) -> bool:
    """Four digits or more, or letters with at least three digits among them."""
    digits, bare = _digits(token), token.replace("-", "")
    return 4 <= len(bare) <= 16 and bare.isalnum() and digits >= (3 if digits < len(bare) else 4)


def _is_password(token: str, *, named: bool) -> bool:
    """A token that no sentence has; behind a sign also a word, when it is none of the language's."""
    digits, letters = _digits(token), sum(map(str.isalpha, token))
    signs = any(sign in SYMBOLS for sign in token.rstrip("!")) or (digits > 0 and token.endswith("!"))
    if (digits > 0 and letters > 0) or (letters + digits > 1 and signs) or digits >= (3 if named else 5):
        return True
    return named and letters > 2 and token.isascii() and WORD.fullmatch(token) is None
