"""What an e-ID only states of somebody whom it was sure of before: at level 1 nothing of it is followed (TL08, TL11)."""

from __future__ import annotations

from tests.attacks.conftest import Hostile
from tests.attacks.test_eid_odd import enter, shown, somebody
from tests.phone import Phone


async def numbers(phone: Phone) -> list[dict[str, str]]:
    found: list[dict[str, str]] = (await phone.call("GET", "/v1/me")).json()["identifiers"]
    return found


async def test_tl11_an_answer_of_level_1_gives_a_known_person_no_other_number_and_no_other_name(
    hostile: Hostile,
) -> None:
    """Level 1 proves no number: whoever states an officer's would have the mailbox and the card of the directory."""
    who, other = somebody(), somebody()["national_id"]
    phone = await enter(hostile, **who, full_name="Nguyễn Văn Giả")
    before, page = await numbers(phone), await shown(phone)
    stated = who | {
        "national_id": other,
        "full_name": "Lê Thị Khác",
        "birth_date": "1980-01-01",
        "gender": "female",
    }
    weak = await enter(hostile, **stated, assurance_level=1)
    assert await numbers(weak) == before and await shown(weak) == page
    assert (await weak.call("GET", "/v1/me")).json()["assurance_level"] == 1, "that it is weak is followed"
    sure = await enter(hostile, **stated)
    assert await numbers(sure) != before
    assert (await shown(sure))["full_name"] == "Lê Thị Khác"


async def test_tl08_whom_nobody_was_ever_sure_of_is_who_they_say(hostile: Hostile) -> None:
    who = somebody()
    await enter(hostile, **who, assurance_level=1)
    phone = await enter(hostile, **who, full_name="Lê Thị Khác", assurance_level=1)
    assert (await shown(phone))["full_name"] == "Lê Thị Khác"
