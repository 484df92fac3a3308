"""Whom an e-ID names, read by a map that says which claim holds what (rules 401, 405).

A map is TOML. A name may have several places, of which the first that holds something counts; beside the places
it may hold the tables `fixed` (what the provider is taken to say, whatever it says), `otherwise` (the same where no
claim says it), `step_up` (what a step-up asks for), `kinds` and `levels` (how it spells them) and the list `required`.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import structlog

from backend.names import clean_name, read_birth_date

FOLDER = Path(__file__).parent / "claims"
SHIPPED = frozenset(file.stem for file in FOLDER.glob("*.toml"))
LONGEST_NAME = 200
MOST_SAID = 20  # letters in which a gender is said

PERSONAL_NUMBER = re.compile(r"[0-9]{12}")
OLD_NUMBER = re.compile(r"[0-9]{9}")  # the CMND that the twelve digits replaced
TAX_CODE = re.compile(r"([0-9]{10})(?:-?([0-9]{3}))?")
LEVELS = {"1": 1, "2": 2}

ALWAYS = ("subject", "national_id", "full_name", "assurance_level", "birth_date", "gender")
IF_MAPPED = ("old_id_number", "kind", "organization_name", "tax_code")  # by a map of a provider that has them

ClaimMap = Mapping[str, Any]
log = structlog.get_logger("eid")


class Person(msgspec.Struct, frozen=True):
    """Whom the e-ID vouches for. `level` is the identity level that it gives.

    `national_id` is "" when the e-ID knows only the old number (`old_id_number`), or for an enterprise
    (`tax_code`), whose `full_name` is the organisation's name.
    """

    issuer: str
    subject: str
    national_id: str
    full_name: str
    birth_date: str | None
    gender: str | None
    level: int
    kind: str = "citizen"
    old_id_number: str | None = None
    tax_code: str | None = None
    shown_at: float | None = (
        None  # when the person last showed up at the e-ID, in Unix time, where it says so
    )

    def shown_up(self, now: datetime) -> datetime:
        """How old this sign-in is: an e-ID whose own session answered proves nothing of today."""
        if self.shown_at is None or self.shown_at >= now.timestamp():
            return now
        return datetime.fromtimestamp(self.shown_at, now.tzinfo)


def claims_map(name: str) -> ClaimMap:
    """Read a shipped map by its name (VNeID's when none is named), or a file."""
    shipped = name or "vneid"
    path = FOLDER / f"{shipped}.toml" if shipped in SHIPPED else Path(name)
    return tomllib.loads(path.read_text(encoding="utf-8"))


def person_of(claims: dict[str, Any], places: ClaimMap, *, issuer: str) -> Person:
    """Read the person by the map; raises ValueError naming the claim that cannot be used.

    An odd value of a claim that nobody needs refuses nobody: it is dropped, and the log says of which claim.
    """
    read = partial(claim_of, claims, places)
    optional = partial(_optional, claims, places)
    kind = _spelt(read("kind"), places.get("kinds", {"": "citizen"}), "kind")
    is_citizen = kind == "citizen"
    for name in places.get("required", ()):
        if is_citizen and read(name) is None:
            raise ValueError(name)
    national_id, old_id_number = (
        _numbers(read("national_id"), read("old_id_number")) if is_citizen else ("", None)
    )
    return Person(
        issuer=issuer,
        subject=_text(read("subject"), 255),
        national_id=national_id,
        full_name=_name(read("full_name" if is_citizen else "organization_name")),
        birth_date=optional("birth_date", _day) if is_citizen else None,
        gender=optional("gender", _gender) if is_citizen else None,
        level=_spelt(_level(claims, places), places.get("levels", LEVELS), "assurance_level"),
        kind=kind,
        old_id_number=old_id_number,
        tax_code=None if is_citizen else _tax_code(read("tax_code")),
    )


def is_incomplete(claims: dict[str, Any], places: ClaimMap) -> bool:
    """Whether something is missing that the product uses and the map has a place for: userinfo may know it.

    What a map gives no place (`[]`) is not missing, or every sign-in would cost one more request for nothing.
    """
    wanted = [*ALWAYS, *(name for name in IF_MAPPED if name in places)]
    return any(places.get(name, name) and claim_of(claims, places, name) is None for name in wanted)


def claim_of(claims: dict[str, Any], places: ClaimMap, name: str) -> Any:
    """The value of one attribute: what is fixed, else the first of its places that holds something."""
    fixed = places.get("fixed", {})
    if name in fixed:
        return fixed[name]
    where = places.get(name, name)
    for place in [where] if isinstance(where, str) else where:
        if claims.get(place) not in (None, ""):
            return claims[place]
    return None


def _level(claims: dict[str, Any], places: ClaimMap) -> Any:
    """What a claim says of the level, or what the map takes it for where none does (rule 407)."""
    said = claim_of(claims, places, "assurance_level")
    return places.get("otherwise", {}).get("assurance_level") if said is None else said


def _optional(
    claims: dict[str, Any], places: ClaimMap, name: str, reader: Callable[[object], str]
) -> str | None:
    """What a claim says, as far as it can be read; one that the map requires has to be."""
    if (value := claim_of(claims, places, name)) is None:
        return None
    try:
        return reader(value)
    except ValueError:
        if name in places.get("required", ()):
            raise ValueError(name) from None  # a parser's own words quote the value, and this goes to the log
    log.info("claim_dropped", claim=name)
    return None


def _text(value: object, most: int) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= most or not value.isprintable():
        raise ValueError("text")
    return value


def _name(value: object) -> str:
    """A name with its blanks made common: what a form or a font brought along refuses nobody."""
    if not isinstance(value, str):
        raise ValueError("text")  # noqa: TRY004 - every unusable claim is one kind of trouble
    return _text(clean_name(value[: 4 * LONGEST_NAME]), LONGEST_NAME)


def _numbers(number: object, old: object) -> tuple[str, str | None]:
    """The personal number and the old one; the old one stands alone where the map names its place for both."""
    earlier = _old_number(old)
    if isinstance(number, str) and PERSONAL_NUMBER.fullmatch(number):
        return number, earlier
    if earlier is not None and number == old:
        return "", earlier
    raise ValueError("national_id")


def _old_number(value: object) -> str | None:
    """A CMND, given as it is or among a list of papers (`[{type, idNumber}]`); nothing when there is none."""
    if isinstance(value, list):
        given = [paper.get("idNumber") for paper in value if isinstance(paper, dict)]
        return next((_old_number(number) for number in given if _is_old(number)), None)
    return value if isinstance(value, str) and _is_old(value) else None


def _is_old(value: object) -> bool:
    return isinstance(value, str) and OLD_NUMBER.fullmatch(value) is not None


def _tax_code(value: object) -> str:
    """Ten digits, and three more for a branch, spelt with the hyphen."""
    found = TAX_CODE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError("tax_code")
    return "-".join(part for part in found.groups() if part)


def _day(value: object) -> str:
    """A birth date, as much of it as the provider knows (OpenID Connect Core §5.1)."""
    if not isinstance(value, str):
        raise ValueError("birth_date")  # noqa: TRY004 - every unusable claim is one kind of trouble
    return read_birth_date(value)


def _gender(value: object) -> str:
    known = {
        "male": "male",
        "nam": "male",
        "1": "male",
        "female": "female",
        "nữ": "female",
        "0": "female",
        "2": "female",
    }
    if (spelt := clean_name(str(value)[:MOST_SAID]).lower()) not in known:
        raise ValueError("gender")
    return known[spelt]


def _spelt(value: object, known: Mapping[str, Any], name: str) -> Any:
    """What a number or text stands for; absent is spelt as an empty text."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | str)):
        raise ValueError(name)
    if (spelling := "" if value is None else str(value)) not in known:
        raise ValueError(name)
    return known[spelling]
