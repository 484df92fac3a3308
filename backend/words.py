"""What people read, in Vietnamese or in English.

The Vietnamese sentence in the code is the message's own name; `locale/en.po` holds the English
one and is read as it is, without a compiled copy that could grow old.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Self

from babel import Locale
from babel.messages.pofile import read_po

VIETNAMESE, ENGLISH = "vi", "en"
LANGUAGES = (VIETNAMESE, ENGLISH)
FORMS = ("one", "other")  # in the order of the catalogue
LOCALE = Path(__file__).parent / "locale"


class Spoken:
    """What every language writes in its own way: a count beyond a thousand."""

    __slots__ = ()

    def said(self, lang: str) -> str:
        """As it is written in that language."""
        raise NotImplementedError


class Label(str):
    """Words that data brings along in both languages: what a province calls its posts stands in no code."""

    __slots__ = ("en",)
    en: str

    def __new__(cls, vi: str, en: str) -> Self:
        """The Vietnamese text, which knows its English one."""
        made = super().__new__(cls, vi)
        made.en = en
        return made


def say(msgid: str, lang: str, /, **values: object) -> str:
    """The message in `lang` with its `{name}` places filled; one that nobody translated stays Vietnamese.

    A value called `n`, else one called `count`, chooses between singular and plural, which Vietnamese does not have.
    """
    if isinstance(msgid, Label):
        return str(msgid) if lang == VIETNAMESE else msgid.en
    text = msgid if lang == VIETNAMESE else _chosen(english().get(msgid, msgid), _count(values))
    return text.format_map({name: written(value, lang) for name, value in values.items()}) if values else text


def written(value: object, lang: str) -> object:
    """A value that is written in one way here and in another there says itself."""
    return value.said(lang) if isinstance(value, Spoken) else value


def gettext(lang: str) -> Callable[..., str]:
    """The `_` of one page: `say` with its language settled."""
    return partial(_say_in, lang)


def mark(msgid: str) -> str:
    """Name a message where it is written down but not yet spoken; imported as `_` beside data."""
    return msgid


def language(accept_language: str | None, cookie: str | None = None, query: str | None = None) -> str:
    """The language to answer in: asked for here, else chosen earlier, else the client's, else Vietnamese."""
    for chosen in (query, cookie):
        if chosen in LANGUAGES:
            return chosen
    return _preferred(accept_language or "")


@cache
def plural() -> Callable[[float], str]:
    """Which form a count has in English."""
    return Locale(ENGLISH).plural_form


@cache
def english() -> dict[str, str | tuple[str, ...]]:
    """The English catalogue by Vietnamese message; a message with a plural has two forms."""
    with (LOCALE / "en.po").open("rb") as file:
        catalogue = read_po(file, locale=ENGLISH, abort_invalid=True)
    spoken = ((_name(entry.id), _forms(entry.string or "")) for entry in catalogue if entry.id)
    return {name: forms for name, forms in spoken if forms and all(forms)}


def _say_in(lang: str, msgid: str, /, **values: object) -> str:
    return say(msgid, lang, **values)


def _count(values: dict[str, object]) -> object:
    """What is counted; what was kept for later was kept as text."""
    said = values.get("n", values.get("count"))
    return int(said) if isinstance(said, str) and said.isdecimal() else said


def _chosen(forms: str | tuple[str, ...], count: object) -> str:
    """The form of a count by the rules of CLDR, which Babel brings along."""
    if isinstance(forms, str):
        return forms
    form = plural()(count) if isinstance(count, int | float) else FORMS[-1]
    return forms[FORMS.index(form)]


def _name(msgid: str | list[str] | tuple[str, ...]) -> str:
    return msgid if isinstance(msgid, str) else msgid[0]


def _forms(text: str | list[str] | tuple[str, ...]) -> str | tuple[str, ...]:
    return text if isinstance(text, str) else tuple(text)


def _preferred(header: str) -> str:
    """The best of our languages by `Accept-Language` (RFC 9110 §12.5.4); odd headers mean Vietnamese."""
    best, weight = VIETNAMESE, 0.0
    for part in header[:500].split(","):
        tag, _, parameter = part.strip().partition(";")
        primary = tag.split("-")[0].strip().lower()
        quality = _quality(parameter)
        if primary in LANGUAGES and quality > weight:
            best, weight = primary, quality
    return best


def _quality(parameter: str) -> float:
    name, _, number = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(number)
    except ValueError:
        return 0.0
