"""The branding of one province, read from its file (rule 1032): every mistake is named, with its remedy."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from backend.branding.colours import Colour, Colours, unreadable
from backend.words import LANGUAGES, Label

SHIPPED = Path(__file__).parent / "shipped.toml"
BYTES_MOST = 64_000


class BrandingError(ValueError):
    """The file cannot be used; one line for each thing that is wrong with it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Hotlines(msgspec.Struct, frozen=True):
    """Whom people call: the province's own number, and the national one of VNeID."""

    own: str
    vneid: str


class Brand(msgspec.Struct, frozen=True, kw_only=True):
    """What is different in each province although nothing works differently there."""

    name: str
    sms_name: str
    key: str
    workspace: str
    agency_code: str
    password_words: tuple[str, ...]
    hotlines: Hotlines
    welcome: Label
    lead: Label
    colours: Colours

    @property
    def hotlines_by_key(self) -> dict[str, str]:
        """Both numbers, as the API gives them beside a form."""
        return {"vneid": self.hotlines.vneid, self.key: self.hotlines.own}

    @property
    def places(self) -> dict[str, str]:
        """What the words of a refusal leave open, for the surface that says them."""
        return {"hotline": self.hotlines.own}


class Rule(NamedTuple):
    """What a value must look like, and what to write when it does not."""

    form: re.Pattern[str]
    remedy: str


def _line(most: int) -> Rule:
    return Rule(
        re.compile(rf"(?=\S)[^\x00-\x1f\x7f<>{{}}]{{2,{most}}}(?<=\S)"),
        f"write 2 to {most} letters in one line",
    )


_phone = Rule(re.compile(r"\+?[0-9]{3,11}"), "write 3 to 11 digits without blanks")
_colour = Rule(re.compile(r"#[0-9a-f]{6}"), "write a colour such as #5b2a86, in lower case")
RULES: Mapping[str, Rule] = {
    "name": _line(30),
    "sms_name": Rule(
        re.compile(r"[A-Za-z0-9][A-Za-z0-9 .-]{0,8}[A-Za-z0-9]"),
        "write 2 to 10 letters or digits without accents, or a message becomes two",
    ),
    "key": Rule(
        re.compile(r"(?!vneid$)[a-z][a-z0-9_]{1,19}"), "write 2 to 20 of a-z, 0-9 and _, other than vneid"
    ),
    "workspace": _line(30),
    "agency_code": Rule(re.compile(r"[A-Za-z0-9.-]{1,20}"), "write 1 to 20 of A-Z, a-z, 0-9, . and -"),
    "hotlines.own": _phone,
    "hotlines.vneid": _phone,
    **{f"{name}.{lang}": _line(80) for name in ("welcome", "lead") for lang in LANGUAGES},
    **{
        f"colours.{name}.{light}": _colour
        for name in Colours.__struct_fields__
        for light in Colour.__struct_fields__
    },
}
WORDS = "password_words"
WORD = Rule(
    re.compile(r"[a-z0-9]{2,20}"), 'write a list of words in a-z and 0-9, for example ["citadel", "river"]'
)


def read(file: str | Path) -> Brand:
    """The branding in a file; raises BrandingError."""
    try:
        raw = Path(file).read_bytes()
    except OSError as error:
        raise BrandingError([f"cannot be read ({error.strerror})"]) from error
    if len(raw) > BYTES_MOST:  # half a file is no file
        raise BrandingError([f"is longer than {BYTES_MOST} bytes: leave out what is no branding"])
    try:
        said = tomllib.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise BrandingError(["must be UTF-8"]) from error
    except (ValueError, RecursionError) as error:
        raise BrandingError([f"is not TOML: {error}"]) from error
    values = dict(_flat(said))
    problems = list(_problems(values))
    if not problems:
        brand = _brand(said)
        problems = [f"{pair}: take colours that differ more" for pair in unreadable(brand.colours)]
        if not problems:
            return brand
    raise BrandingError(problems)


@cache
def shipped() -> Brand:
    """The branding of whoever names none."""
    return read(SHIPPED)


def _problems(values: dict[str, Any]) -> Iterator[str]:
    for name, rule in RULES.items():
        value = values.get(name)
        if value is None:
            yield f"{name}: is missing; {rule.remedy}"
        elif not isinstance(value, str) or not rule.form.fullmatch(value):
            yield f"{name}: cannot be {value!r}; {rule.remedy}"
    words = values.get(WORDS)
    if words is None:
        yield f"{WORDS}: is missing; {WORD.remedy}"
    elif not isinstance(words, list) or not all(
        isinstance(one, str) and WORD.form.fullmatch(one) for one in words
    ):
        yield f"{WORDS}: cannot be {words!r}; {WORD.remedy}"
    for name in values.keys() - RULES.keys() - {WORDS}:
        yield f"{name}: is not known; leave it out, or look for the right name in backend/branding/shipped.toml"


def _flat(table: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    """Every value by its whole name, with dots."""
    for key, value in table.items():
        name = f"{above}{repr(key) if '.' in key else key}"  # a dot in quotes is no way down
        if isinstance(value, dict):
            yield from _flat(value, f"{name}.")
        else:
            yield name, value


def _brand(said: dict[str, Any]) -> Brand:
    words = {WORDS: tuple(said[WORDS]), **{name: Label(**said[name]) for name in ("welcome", "lead")}}
    colours = msgspec.convert(said["colours"], Colours)
    return Brand(**said | words | {"hotlines": Hotlines(**said["hotlines"]), "colours": colours})
