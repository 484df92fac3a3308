"""What a code is made of, and the words that carry it (rules 205, 203; cases TO06, TO19, TO21)."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest

from backend.accounts.codes import codes
from backend.accounts.codes.texts import SEGMENT, code_text
from backend.crypto import KeyRing, new_secret_key
from backend.environment import load
from backend.kit import Kit
from backend.limits import Limits


def test_to06_whatever_a_code_is_bound_to_makes_another_code() -> None:
    kit = Kit.of(KeyRing.parse(new_secret_key()), Limits())
    base: dict[str, Any] = {
        "id": uuid4(),
        "account_id": uuid4(),
        "purpose": "login",
        "phone_blind": b"a",
        "key_id": kit.keys.newest,
    }
    flow = SimpleNamespace(id=uuid4(), jkt="one")

    def of(changes: dict[str, Any], jkt: str = "one") -> str:
        return codes.text_of(kit, SimpleNamespace(**(base | changes)), SimpleNamespace(id=flow.id, jkt=jkt))  # type: ignore[arg-type]

    mine = of({})
    assert of({}) == mine
    others = [
        [of({name: value()}) for _ in range(3)] for name, value in {"id": uuid4, "account_id": uuid4}.items()
    ]
    others += [
        [of({"purpose": p}) for p in "abc"],
        [of({"phone_blind": b}) for b in (b"b", b"c", b"d")],
        [of({}, jkt=j) for j in "xyz"],
    ]
    assert all(set(made) != {mine} for made in others)


@pytest.mark.parametrize(
    "environ", [{}, {"NGOMON_SMS_APP_HASH": "FA+9qCX9VSu", "NGOMON_SMS_WEB_DOMAIN": "cong.example"}]
)
def test_to19_the_text_says_what_for_and_how_long_and_holds_no_link(environ: dict[str, str]) -> None:
    made = code_text("012345", load(environ), Limits())
    assert made.isascii()
    assert len(made) <= SEGMENT
    assert "dang nhap" in made
    assert "5 phut" in made
    assert "khong bao gio hoi ma" in made
    assert "://" not in made
    assert "www." not in made
    if environ:
        assert made.endswith("\nFA+9qCX9VSu\n@cong.example #012345")


def test_to21_codes_are_uniform_six_digits_and_no_stream_repeats() -> None:
    """Chi-square over the digits of 6,000 codes; the secret is keyed, so a forked process draws nothing that could repeat."""
    kit = Kit.of(KeyRing.parse(new_secret_key()), Limits())
    flow: Any = SimpleNamespace(id=uuid4(), jkt="key")
    base: dict[str, Any] = {
        "account_id": None,
        "purpose": "login",
        "phone_blind": b"a",
        "key_id": kit.keys.newest,
    }
    made: list[str] = []
    for _ in range(6_000):
        row: Any = SimpleNamespace(id=uuid4(), **base)
        made.append(codes.text_of(kit, row, flow))
    assert all(len(code) == 6 and code.isdecimal() for code in made)
    for place in range(6):
        counts = Counter(code[place] for code in made)
        chi = sum((counts[str(digit)] - 600) ** 2 / 600 for digit in range(10))
        assert chi < 33.7, f"place {place}: p < 0.0001"  # nine degrees of freedom
    assert len(set(made)) > 5_900


def test_with_the_count_of_guesses_switched_off_a_code_still_works() -> None:
    limits = load({"NGOMON_OTP_ATTEMPTS": "0"}).limits
    assert codes.guesses(limits, "login") >= 10**6
    assert codes.guesses(Limits(), "login") == 5
    assert codes.windows(limits, "login")[0].count == 1
