"""Every malformed answer that the simulators of the two special flavours can give, as a table (rules 408, 409).

A variant spoils one thing in one of three places: the way back through the browser (`callback`), the answer of the
token endpoint (`token`) or that of userinfo (`userinfo`). Every one of them must end in the same outward refusal,
but for those that are `broken`: no JSON is no answer, and the provider counts as out of reach.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from demo.eid_simulator_sealing import BODY_SPOILS, SPOILS, Spoil

Pairs = list[tuple[str, str]]


class Variant(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong, and where. Without a place nothing is."""

    place: str = ""
    spoil: Spoil = Spoil()
    query: Callable[[Pairs], Pairs] | None = None
    changes: dict[str, Any] = {}  # members of the answer; None takes one away
    instead: tuple[int, bytes] | None = None
    broken: bool = False
    dead_code: bool = False
    enterprise: bool = False


HONEST = Variant()


def _with(**said: str) -> Callable[[Pairs], Pairs]:
    return lambda pairs: [pair for pair in pairs if pair[0] not in said] + list(said.items())


def _without(*names: str) -> Callable[[Pairs], Pairs]:
    return lambda pairs: [pair for pair in pairs if pair[0] not in names]


def _twice(name: str) -> Callable[[Pairs], Pairs]:
    return lambda pairs: [*pairs, *(pair for pair in pairs if pair[0] == name)]


def _also(name: str, value: str) -> Callable[[Pairs], Pairs]:
    return lambda pairs: [*pairs, (name, value)]


WAYS_BACK: dict[str, Variant] = {
    "state_foreign": Variant(place="callback", query=_with(state="x" * 43)),
    "state_missing": Variant(place="callback", query=_without("state")),
    "state_empty": Variant(place="callback", query=_with(state="")),
    "state_twice": Variant(place="callback", query=_twice("state")),
    "state_cut": Variant(
        place="callback", query=lambda pairs: [(n, v[:-1] if n == "state" else v) for n, v in pairs]
    ),
    "code_missing": Variant(place="callback", query=_without("code")),
    "code_empty": Variant(place="callback", query=_with(code="")),
    "code_twice": Variant(place="callback", query=_twice("code")),
    "code_unknown": Variant(
        place="callback", query=lambda pairs: _with(code="A" * 43)(_without("encrypt_key")(pairs))
    ),
    "code_and_error": Variant(place="callback", query=_also("error", "access_denied")),
    "code_replayed": Variant(place="callback", dead_code=True),
    "issuer_foreign": Variant(place="callback", query=_with(iss="https://dinh-danh-khac.example")),
    "issuer_empty": Variant(place="callback", query=_with(iss="")),
}
SENSELESS: dict[str, tuple[int, bytes]] = {
    "answers_400": (400, b'{"error":"invalid_grant"}'),
    "answers_401": (401, b'{"error":"invalid_token"}'),
    "answers_403": (403, b'{"error":"access_denied"}'),
    "a_list": (200, b"[]"),
    "a_text": (200, b'"x"'),
    "a_number": (200, b"1"),
    "null": (200, b"null"),
    "no_members": (200, b"{}"),
    "an_error_with_200": (200, b'{"error":"invalid_grant","error_description":"x"}'),
}
BROKEN: dict[str, tuple[int, bytes]] = {  # no answer at all: a proxy's page, half a file
    "answers_404": (404, b"<html></html>"),
    "answers_415": (415, b""),
    "empty": (200, b""),
    "html": (200, b"<html></html>"),
    "form": (200, b"access_token=x&token_type=bearer"),
    "not_utf8": (200, b'{"access_token":"\xff","TechID":"\xff"}'),
    "cut": (200, b'{"access_token":"x"'),
    "deep": (200, b"[" * 20_000),
}
TOKENS: dict[str, dict[str, Any]] = {
    "access_token_missing": {"access_token": None},
    "access_token_empty": {"access_token": ""},
    "access_token_a_number": {"access_token": 1},
    "access_token_a_list": {"access_token": ["x"]},
    "access_token_unknown": {"access_token": "x"},
    "access_token_with_a_line_break": {"access_token": "x\r\nX-Evil: 1"},
    "access_token_with_a_blank": {"access_token": "x y"},
    "access_token_not_ascii": {"access_token": "đ"},
    "access_token_of_9000": {"access_token": "x" * 9000},
}
NUMBERS: dict[str, Any] = {
    "missing": None,
    "a_number": 197000101,
    "a_list": ["000197000101"],
    "an_object": {"value": "000197000101"},
    "true": True,
    "of_11": "00019700010",
    "of_13": "0001970001010",
    "with_blanks": "000 197 000 101",
    "in_other_digits": "٠٠٠١٩٧٠٠٠١٠١",
    "with_a_letter": "00019700010A",
}
NAMES: dict[str, Any] = {
    "missing": None,
    "a_number": 1,
    "a_list": ["Nguyễn Thị An"],
    "an_object": {"first": "An"},
    "true": True,
    "of_201": "x" * 201,
    "blank": "   ",
    "with_nul": "An\x00",
    "turned_round": "An\u202eB",
}
BAD_LEVELS: dict[str, Any] = {
    "missing": None,
    "0": 0,
    "4": 4,
    "minus": -1,
    "true": True,
    "a_fraction": 2.0,
    "a_list": [2],
    "an_object": {"level": 2},
    "a_word": "cao",
    "with_a_blank": " 2",
}
BIRTHS: dict[str, Any] = {
    "missing": None,
    "a_number": 19970314,
    "a_list": ["1997-03-14"],
    "month_13": "1997-13-14",
    "day_31_of_february": "31/02/1997",
    "day_first_without_strokes": "14031997",
    "a_word": "hôm qua",
    "before_1900": "1800-01-01",
}
KINDS: dict[str, Any] = {
    "0": 0,
    "3": 3,
    "a_word": "citizen",
    "true": True,
    "a_list": [1],
    "an_object": {"kind": 1},
    "a_fraction": 1.0,
}
PORTAL_SUBJECTS: dict[str, Any] = {
    "missing": None,
    "empty": "",
    "a_number": 7,
    "a_list": ["x"],
    "true": True,
    "of_256": "x" * 256,
    "with_nul": "a\x00",
}
TAX_CODES: dict[str, Any] = {
    "missing": None,
    "a_number": 17,
    "a_list": ["0000000017"],
    "of_9": "000000017",
    "with_two_more": "0000000017-01",
    "a_word": "MST",
}


def _claims(claim: str, wrong: dict[str, Any], **more: Any) -> dict[str, Variant]:
    """One variant for each wrong value; `more` are further members, or `enterprise=True`."""
    enterprise = more.pop("enterprise", False)
    return {
        f"{claim}_{name}": Variant(place="userinfo", changes={claim: value} | more, enterprise=enterprise)
        for name, value in wrong.items()
    }


def _bodies() -> dict[str, Variant]:
    found = {f"token_{name}": Variant(place="token", instead=said) for name, said in SENSELESS.items()}
    found |= {f"userinfo_{name}": Variant(place="userinfo", instead=said) for name, said in SENSELESS.items()}
    for place in ("token", "userinfo"):
        found |= {
            f"{place}_{name}": Variant(place=place, instead=said, broken=True)
            for name, said in BROKEN.items()
        }
    return found | {
        f"token_{name}": Variant(place="token", changes=changes) for name, changes in TOKENS.items()
    }


PORTAL: dict[str, Variant] = {
    **WAYS_BACK,
    **_bodies(),
    **_claims("TechID", PORTAL_SUBJECTS),
    **_claims("LoaiTaiKhoan", KINDS | {"missing": None, "empty": "", "2_of_a_citizen": 2}),
    **_claims("SoDinhDanh", NUMBERS, SoCMND=None),
    **_claims("SoCMND", {"of_8": "00000019", "a_number": 191, "a_list": ["000000191"]}, SoDinhDanh=None),
    **_claims("HoVaTen", NAMES),
    **_claims("loAs", BAD_LEVELS | {"LoA0": "LoA0", "LoA4": "LoA4", "in_other_letters": "loa2"}),
    **_claims("MaSoThue", TAX_CODES, MaSoDoanhNghiep=None, enterprise=True),
    **_claims("TenDoanhNghiep", NAMES, enterprise=True),
    **_claims("LoaiTaiKhoan", {"1_of_an_enterprise": 1}, enterprise=True),
}
DIRECT: dict[str, Variant] = {
    **WAYS_BACK,
    **_bodies(),
    **{f"code_{name}": Variant(place="callback", spoil=spoil) for name, spoil in SPOILS.items()},
    **{f"token_{name}": Variant(place="token", spoil=spoil) for name, spoil in (SPOILS | BODY_SPOILS).items()},
    **{f"userinfo_{name}": Variant(place="userinfo", spoil=spoil) for name, spoil in (SPOILS | BODY_SPOILS).items()},
    **_claims("citizenPid", NUMBERS),
    **_claims("fullName", NAMES),
    **_claims("birthDate", BIRTHS),
    **_claims("accountType", KINDS | {"2": 2}),
    **_claims("accountLevel", BAD_LEVELS | {"3": 3, "LoA2": "LoA2"}),
}  # fmt: skip
