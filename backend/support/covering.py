"""Covers the passwords, PINs and codes that somebody writes to a desk, before anything is stored (source 004, 2).

The desk's screens can neither ask for a secret nor show one. What is covered is gone: nobody can uncover it. A
sentence that merely speaks of a password keeps every letter, so a value is what stands behind a sign ("là", ":", "="),
or behind a blank and looks like no word. Every search is bounded: the time grows with the length of the text alone.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

COVER = "••••••"

WORD = (  # the words for a password, without marks; the first group tells them from those for a code
    r"(?P<word>mat\s{0,2}khau|mat\s{0,2}ma|pass\s?words?|passwords?|pasword|passcode|passphrase|passwd|pwd|pass|mk)"
)
CODE = (
    r"(?:ma|so)\s{1,2}(?:so\s{1,2})?(?:pin|otp|xac\s{1,2}(?:thuc|nhan|minh)|kich\s{1,2}hoat|bao\s{1,2}mat|dang\s{1,2}nhap)"
    r"|(?:one[\s-]time\s|verification\s|security\s)?(?<!error )(?<!case )(?<!request )(?<!support )(?<!tax )"
    r"(?<!agency )(?<!postal )(?<!zip )(?<!status )(?<!qr )codes?|otp|o\.t\.p|pin|cvv"
)
SECRET = re.compile(rf"(?<!\w)(?:{WORD}|{CODE})(?!\w)[”’\"']?")
OWNER = r"(?:cua\s)?(?:toi|em|minh|anh|chi|chau|con|co|chu|bac|ong|ba|chung|no)"
ATTRIBUTE = rf"(?:{OWNER}|cu|moi|hien tai|hien nay|dang dung|dang nhap|mac dinh|ban dau|old|new|current"
ATTRIBUTE += r"|usb|token|sim|chung thu|chung thu so|ky so)"
ACCOUNT = (
    r"(?:(?:cua\s)?(?:tai khoan|vneid|e?mail|thu|thu cong vu|cong vu|wifi|may)"
    r"|(?:for|of|to) (?:the |my )?(?:account|vneid|e?mail)|account|login|vua nhan|nhan duoc|so|thi"
    r"|\d{9,13}|[\w.+-]{1,64}@[\w.-]{1,60})"
)
CLEAR = re.compile(  # a sign, after at most four words that say whose secret it is
    rf"(?:[ \t]{{1,3}}(?:{ATTRIBUTE}|{ACCOUNT})(?!\w)){{0,4}}"
    r"(?P<sign>\s{0,3}(?:[:=]{1,3}>?|->|→)|\s{1,3}(?:la|is|was)(?!\w)[ \t]{0,2}[:=]?)\s{0,3}(?:so\s|la\s)?"
)
FAINT = re.compile(  # no more than a blank, or a word that a value may follow
    rf"(?:[ \t]{{1,3}}{ATTRIBUTE}(?!\w)){{0,3}}[ \t]{{0,3}}(?:[-–—(,][ \t]{{0,2}})?"
    r"(?:(?:thanh|sang|bang|dung|gom|nhu sau)(?!\w)[ \t]{0,3}:?[ \t]{0,2})?"
)
LOOSE = re.compile(  # the same sentence goes on and names the value later
    r"(?:(?!(?<!\w)(?:loi|error|ho so|dien thoai|trang|dia chi)(?!\w))[^\n.,;:=?!]){0,60}?"
    r"(?:\s?[:=]|\s(?:la|is|thanh|to)\s(?:[:=])?)\s?"
)
QUOTES = {"“": "”", '"': '"', "'": "'", "‘": "’", "«": "»"}
TOKEN = re.compile(r"\S{1,200}")
REST = re.compile(r"\S*")
NEXT = re.compile(r"[ \t]{0,2}(?:[,;/|][ \t]{0,2})?(?:(?:hoac|hay|va|or|and)[ \t]{1,2})?")
DIGITS = re.compile(r"\d{4,8}(?!\w)(?!%)|\d{2,4}[ .-]\d{2,4}(?!\w)|\d(?:[ .-]\d){3,7}(?!\w)")
BATTERY = re.compile(r"\s?(?:mah|wh|%)")
LONE = re.compile(r"(?<!\w)\d{6}(?!\w)")
PUBLIC = re.compile(  # the case's own code, as it is typed, and addresses of pages: never a secret
    r"(?<!\w)(?:sd\s?\d{6}\s?[-‐‑‒–—―]?\s?\d{6}(?!\w)|https?://\S+|www\.\S+)"
)
BEFORE_NUMBER = re.compile(r"(?:\d[-–./:,+_]|[+(]\d{1,4}\)?[ .]?|(?<!\w)0\d{1,4}[ ])$")
AFTER_NUMBER = re.compile(r"[-–./:,_]\d|\s?(?:dong|vnd|d|usd|%)(?!\w)")
SPLIT_PHONE = re.compile(r"[ ]\d{3,4}(?!\w)")
SHAPES = re.compile(  # what stands behind a blank and is a number of something else, or an address
    r"\d{1,2}[-/.]\d{1,2}(?:[-/.]\d{2,4})?|\d{4}-\d\d-\d\d|\d{1,2}(?:h|:)\d{0,2}|(?:\+84|0)\d{9}"
    r"|[\w.+-]{1,64}@[a-z0-9-]{1,60}(?:\.[a-z0-9-]{1,60}){1,4}"
    r"|\d{1,3}(?:lan|l|p|ph|phut|h|g|s|k|kb|mb|gb|ky|so|chu|ngay|thang|nam|gio|giay|tr)\w{0,3}"
)
SYMBOLS = frozenset("@#$%^&*_+=~!<>|\\")
# a syllable as Vietnamese spells it without marks: rather a word than a secret
SYLLABLE = re.compile(
    r"(?:ngh|ng|nh|gh|gi|kh|ph|qu|th|tr|ch|[bcdghklmnpqrstvx])?[aeiouy]{1,3}(?:ng|nh|ch|[cmnpt])?"
)
PLAIN_WORDS = re.compile(
    r"wrong|correct|right|not|the|too|lost|required|invalid|incorrect|expired|reset|and|still|being|weak"
    r"|changed|never|always|also|rejected|accepted|same|unknown|please|help|blocked|locked|error|email"
    r"|mail|vneid|otp|sms|facebook|gmail|zalo|google|wifi|web|website|app|account|forgotten|refused|what"
    r"|which|where|when|how|why|who|that|this|there|missing|empty|blank|hidden|needed|asked|shown|gone|old"
    r"|new|broken|unsafe|safe|secret|secure|strong|short|long|complex|simple|different|working|asking|been"
    r"|sent|unavailable|disabled|stolen|known"
)
FORGOTTEN = re.compile(
    r"(?:quen|mat|lay lai|dat lai|cap lai|khoi phuc|forgot|forgotten|reset|lost)(?: my| the)?\s$"
)


class _Plain(NamedTuple):
    """The text without marks, case and what is public, and where each of its letters stands in the text itself."""

    letters: str
    places: list[int]
    text: str

    def original(self, start: int, end: int) -> str:
        return self.text[self.places[start] : self.places[end - 1] + 1] if end > start else ""


def covered(text: str) -> str:
    """The text with every secret's value replaced by `COVER`; the same object where there is none."""
    plain = _folded(text)
    spans = _behind_words(plain) + _lone(plain)
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
        if letter.isascii():
            letters.append(letter.lower())
            places.append(place)
            continue
        for part in unicodedata.normalize("NFKD", letter.casefold().replace("đ", "d")):
            if not unicodedata.combining(part):
                letters.append(part)
                places.append(place)
    public = PUBLIC.sub(lambda found: "-" * len(found.group()), "".join(letters))
    return _Plain(public, places, text)


def _behind_words(plain: _Plain) -> list[tuple[int, int]]:
    """The values behind the words for a secret."""
    spans: list[tuple[int, int]] = []
    found = SECRET.search(plain.letters)
    while found is not None:
        values = _values(plain, found)
        spans += values
        found = SECRET.search(plain.letters, values[-1][1] if values else found.end())
    return spans


def _values(plain: _Plain, found: re.Match[str]) -> list[tuple[int, int]]:
    """What follows one word for a secret, and further values named with it ("… hoặc …")."""
    value = _first(plain, found)
    spans = []
    while value is not None:
        spans.append(value)
        more = NEXT.match(plain.letters, value[1])
        at = more.end() if more else value[1]
        value = _strong(plain, at) if found["word"] is not None and at > value[1] else None
    return spans


def _first(plain: _Plain, found: re.Match[str]) -> tuple[int, int] | None:
    is_code = found["word"] is None
    clear = CLEAR.match(plain.letters, found.end())
    if clear is not None:
        at = clear.end()
        return _code(plain, at) if is_code else _password(plain, found, at, is_clear=True)
    faint, loose = FAINT.match(plain.letters, found.end()), LOOSE.match(plain.letters, found.end())
    value = None
    if faint is not None and faint.end() > found.end():
        value = _code(plain, faint.end()) if is_code else _password(plain, found, faint.end(), is_clear=False)
    if value is None and loose is not None:
        value = _code(plain, loose.end()) if is_code else _strong(plain, loose.end(), is_mixed=True)
    return value


def _code(plain: _Plain, at: int) -> tuple[int, int] | None:
    """A code or PIN: four digits or more, whatever blanks are between them; a battery's charge is none."""
    if plain.letters[at : at + 1] in QUOTES:
        at += 1
    found = DIGITS.match(plain.letters, at)
    if found is not None:
        other = BATTERY.match(plain.letters, found.end()) or AFTER_NUMBER.match(plain.letters, found.end())
        return None if other else found.span()
    token = TOKEN.match(plain.letters, at)
    if token is None:
        return None
    start, end = _trimmed(plain, *token.span())
    return (start, end) if _is_code(plain.letters[start:end]) else None


def _is_code(token: str) -> bool:
    """Letters and at least three digits, and nothing else: a code that is no number."""
    return (
        len(token) <= 12
        and token.isalnum()
        and sum(map(str.isdigit, token)) >= 3
        and not SHAPES.fullmatch(token)
    )


def _password(plain: _Plain, found: re.Match[str], at: int, *, is_clear: bool) -> tuple[int, int] | None:
    close = QUOTES.get(plain.letters[at : at + 1])
    if close is not None:
        end = plain.letters.find(close, at + 1, at + 130)
        if end > at + 1 and "\n" not in plain.letters[at:end]:
            inside = plain.letters[at + 1 : end]
            secret = _strong(plain, at + 1) is not None
            if is_clear and not secret:
                secret = any(map(str.isdigit, inside)) or _named(plain, at + 1, end) is not None
            return (at + 1, end) if secret else None
    token = TOKEN.match(plain.letters, at)
    if token is None:
        return None
    if not is_clear:
        return _strong(plain, at)
    before = FORGOTTEN.search(plain.letters, max(0, found.start() - 20), found.start())
    if before and re.fullmatch(r"[\d.+]{9,15}", token.group().rstrip(".,;")):
        return None  # whose password was forgotten, not which
    return _strong(plain, at, is_clear=True) or _named(plain, at, token.end())


def _strong(
    plain: _Plain, at: int, *, is_clear: bool = False, is_mixed: bool = False
) -> tuple[int, int] | None:
    """A token that no sentence has, or words with capitals that end in one ("Sông Hương 2026!")."""
    start = at
    for _ in range(5):
        token = TOKEN.match(plain.letters, at)
        if token is None:
            return None
        begin, end = _trimmed(plain, *token.span())
        if _is_strong(plain.letters[begin:end], is_clear=is_clear and at == start, is_mixed=is_mixed):
            return start, end
        after = plain.letters[token.end() : token.end() + 1]
        if not plain.original(*token.span())[:1].isupper() or end != token.end() or after != " ":
            return None
        at = token.end() + 1
    return None


def _is_strong(token: str, *, is_clear: bool, is_mixed: bool) -> bool:
    """Whether no word looks like it; after a sign (`is_clear`) less is enough, `is_mixed` wants more than digits."""
    digits, letters = sum(map(str.isdigit, token)), sum(map(str.isalpha, token))
    if not is_clear and SHAPES.fullmatch(token.rstrip("!")):
        return False
    inner = any(sign in SYMBOLS for sign in token.rstrip("!"))
    mixed = (digits > 0 and letters > 0) or (letters > 1 and inner)
    return mixed or (not is_mixed and digits >= (3 if is_clear else 4))


def _named(plain: _Plain, at: int, end: int) -> tuple[int, int] | None:
    """After a sign also a word is the value, when it is none of the language's."""
    start, end = _trimmed(plain, at, end)
    word, original = plain.letters[start:end], plain.original(start, end)
    if len(word) < 3 or not any(map(str.isalnum, word)) or " " in word:
        return None
    if not original.isascii() or PLAIN_WORDS.fullmatch(word) or SYLLABLE.fullmatch(word):
        return None
    return start, end


def _trimmed(plain: _Plain, start: int, end: int) -> tuple[int, int]:
    """Without the sentence's own punctuation behind it; an overlong token to its very end."""
    if end - start == 200:
        rest = REST.match(plain.letters, end)
        end = rest.end() if rest else end
    while end > start + 1 and plain.letters[end - 1] in ".,;:?)]}”’\"'…»":
        end -= 1
    return start, end


def _lone(plain: _Plain) -> list[tuple[int, int]]:
    """Six digits that are part of nothing longer: what a text message brings."""
    spans = []
    for found in LONE.finditer(plain.letters):
        start, end = found.span()
        split = found.group().startswith("0") and SPLIT_PHONE.match(plain.letters, end)
        longer = BEFORE_NUMBER.search(plain.letters[max(0, start - 8) : start])
        if not (split or longer or AFTER_NUMBER.match(plain.letters, end)):
            spans.append((start, end))
    return spans
