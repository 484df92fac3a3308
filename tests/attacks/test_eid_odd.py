"""An honest provider that knows only a part, or writes oddly: whoever it vouches for is in (case B10)."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from tests.attacks.attempts import attempt
from tests.attacks.conftest import Hostile
from tests.phone import Phone


async def enter(hostile: Hostile, **claims: Any) -> Phone:
    """Signed in, with a phone of one's own where none was yet."""
    phone, login, answer = await attempt(hostile, **claims)
    assert answer.status_code == 200, answer.text
    if answer.json()["step"] == "phone":
        number = hostile.service.mobile_number()
        await phone.open(f"/v1/logins/{login}/phone", {"phone": number})
        answer = await phone.open(f"/v1/logins/{login}/otp", {"code": hostile.service.code_for(number)})
    phone.keep(answer.json())
    return phone


async def shown(phone: Phone) -> dict[str, Any]:
    page = (await phone.call("GET", "/v1/me/identity")).json()
    return {one["name"]: one["value"] for one in page["attributes"]}


def somebody() -> dict[str, str]:
    return {"sub": secrets.token_hex(8), "national_id": f"0000{secrets.randbelow(10**8):08}"}


@pytest.mark.parametrize(
    ("claims", "kept"),
    [
        ({"birth_date": "1950"}, {"birth_date": "1950"}),
        ({"birth_date": "1950-00-00"}, {"birth_date": "1950"}),
        ({"birth_date": "0000-03-14"}, {"birth_date": "0000-03-14"}),
        ({"birth_date": "1990-13-45"}, {"birth_date": None}),
        ({"birth_date": 1950, "gender": ["f"]}, {"birth_date": None, "gender": None}),
        ({"full_name": "Nguyễn\u00a0Thị An"}, {"full_name": "Nguyễn Thị An"}),
        ({"full_name": "Nguyễn Thị\u200b An"}, {"full_name": "Nguyễn Thị An"}),
        (
            {"phone_number": 7, "email": "no", "email_verified": "?", "address": []},
            {"birth_date": "1990-02-03"},
        ),
    ],
)
async def test_b10_what_a_provider_knows_in_part_or_writes_oddly_keeps_nobody_out(
    hostile: Hostile, claims: dict[str, Any], kept: dict[str, str | None]
) -> None:
    who = somebody()
    phone = await enter(hostile, **who, **claims)
    values = await shown(phone)
    assert {name: values[name] for name in kept} == kept
    again = await enter(hostile, **who, **claims)
    assert await shown(again) == values


@pytest.mark.parametrize(
    "oddly",
    [
        {"birth_date": "1950"},
        {"birth_date": "1950-00-00"},
        {"full_name": "Nguyễn\u00a0Thị An"},
        {"full_name": "Nguyễn Thị\u200b An"},
        {"full_name": "Nguye\u0302\u0303n  Thi\u0323 An "},
    ],
)
async def test_b10_a_known_person_of_whom_the_provider_begins_to_write_oddly_is_the_same(
    hostile: Hostile, oddly: dict[str, str]
) -> None:
    """The other subject is one of another client of the provider: the number finds the account, the name agrees."""
    who = somebody() | {"full_name": "Nguyễn Thị An", "birth_date": "1950-03-14", "gender": "female"}
    phone = await enter(hostile, **who)
    me, values = (await phone.call("GET", "/v1/me")).json(), await shown(phone)
    for subject in (who["sub"], secrets.token_hex(8)):
        again = await enter(hostile, **who | oddly | {"sub": subject})
        assert (await again.call("GET", "/v1/me")).json()["id"] == me["id"]
        assert await shown(again) == values


async def test_less_of_the_same_birth_date_takes_nothing_away(hostile: Hostile) -> None:
    who = somebody()
    for said, kept in (
        ("1950", "1950"),
        ("1950-03-14", "1950-03-14"),
        ("1950", "1950-03-14"),
        ("1951", "1951"),
    ):
        assert (await shown(await enter(hostile, **who, birth_date=said)))["birth_date"] == kept
