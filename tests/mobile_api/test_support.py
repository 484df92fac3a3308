"""Help over HTTP: cases, whether a code is genuine, and who may know what (rule 1101, case TH01)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote
from uuid import UUID

import httpx2
import pytest
import pytest_asyncio
from sqlalchemy import delete, update

from backend.accounts.identity import numbers
from backend.support import cases, desks
from backend.support.cases import Clerk
from backend.support.models import Case, Desk
from backend.throttle import Budget
from tests.citizen import fields
from tests.phone import Phone
from tests.service import Service

DESK = {"name": "Đội hỗ trợ công nghệ thông tin", "mailbox": "hotro@hue.example", "phone": "0234 3000 000"}
QUESTION = {"subject": "Không ký số được", "text": "Trang báo lỗi 500\nkhi ký số."}


@pytest_asyncio.fixture(loop_scope="session")
async def helped(service: Service) -> AsyncIterator[Service]:
    """A service with one desk, HUE, whose staff is nobody yet."""
    async with service.db.write() as tx:
        await tx.execute(delete(Budget))
        for desk in await desks.listed(tx):
            await desks.remove(tx, service.kit, desk.code, now=service.clock.now())
        await desks.add(tx, service.kit, "HUE", **DESK, now=service.clock.now())
    yield service


async def asked(service: Service, phone: Phone) -> dict[str, object]:
    answer = await phone.call("POST", "/v1/support-cases", QUESTION)
    assert answer.status_code == 201, answer.text
    made: dict[str, object] = answer.json()
    return made


async def check(service: Service, code: str, phone: Phone | None = None) -> httpx2.Response:
    path = f"/v1/support-codes/{code}"
    return await (phone.call("GET", path) if phone else service.http.get(path))


async def test_a_case_gets_a_code_and_the_desk_that_stands_behind_it(helped: Service) -> None:
    phone = await helped.sign_in()
    made = await asked(helped, phone)
    assert set(made) == {"id", "code", "status", "desk"}
    assert made["status"] == "open" and made["desk"] == {"code": "HUE", **DESK}
    (mine,) = (await phone.call("GET", "/v1/support-cases")).json()["items"]
    assert mine["code"] == made["code"] and mine["subject"] == QUESTION["subject"]
    assert [one["text"] for one in mine["messages"]] == [QUESTION["text"]]
    other = await helped.sign_in()
    assert (await other.call("GET", "/v1/support-cases")).json()["items"] == []


async def test_a_desk_may_be_chosen_and_must_exist(helped: Service) -> None:
    async with helped.db.write() as tx:
        await desks.add(tx, helped.kit, "KBNN", **DESK, now=helped.clock.now())
    phone = await helped.sign_in()
    chosen = await phone.call("POST", "/v1/support-cases", QUESTION | {"desk": "KBNN"})
    assert chosen.json()["desk"]["code"] == "KBNN"
    missing = await phone.call("POST", "/v1/support-cases", QUESTION | {"desk": "NO"})
    assert (missing.status_code, missing.json()["code"]) == (404, "desk_not_found")


async def test_without_any_desk_the_hotline_is_named(helped: Service) -> None:
    async with helped.db.write() as tx:
        await tx.execute(update(Desk).values(removed_at=helped.clock.now()))
    answer = await (await helped.sign_in()).call("POST", "/v1/support-cases", QUESTION)
    assert (answer.status_code, answer.json()["code"]) == (503, "no_desk")
    assert "19001075" in answer.json()["title"]


async def test_the_same_key_with_the_same_body_opens_one_case(helped: Service) -> None:
    phone = await helped.sign_in()
    key = {"Idempotency-Key": "một lần".encode().hex()}
    calls = (phone.call("POST", "/v1/support-cases", QUESTION, **key) for _ in range(6))
    first, *others = await asyncio.gather(*calls)
    assert first.status_code == 201 and {one.content for one in others} == {first.content}
    other = await phone.call("POST", "/v1/support-cases", QUESTION | {"subject": "Khác"}, **key)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len((await phone.call("GET", "/v1/support-cases")).json()["items"]) == 1


async def test_ten_cases_an_hour_are_enough(helped: Service) -> None:
    phone = await helped.sign_in()
    for _ in range(10):
        await asked(helped, phone)
    late = await phone.call("POST", "/v1/support-cases", QUESTION)
    assert (late.status_code, late.json()["code"]) == (429, "too_many")
    assert 0 < int(late.headers["retry-after"]) <= 3600


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (QUESTION | {"subject": ""}, "subject"),
        (QUESTION | {"subject": "a\nb"}, "subject"),
        (QUESTION | {"text": " "}, "text"),
        (QUESTION | {"text": "x" * 4001}, "text"),
        (QUESTION | {"text": "a\u202eb"}, "text"),
    ],
)
async def test_bad_texts_are_refused_by_field(helped: Service, body: dict[str, str], field: str) -> None:
    answer = await (await helped.sign_in()).call("POST", "/v1/support-cases", body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]


async def test_all_that_is_wrong_with_a_case_is_said_at_once(helped: Service) -> None:
    phone = await helped.sign_in()
    answer = await phone.call("POST", "/v1/support-cases", {"subject": "", "text": " "})
    assert fields(answer) == {("subject", "required"), ("text", "required")}


async def test_anybody_learns_whether_a_code_is_genuine_and_nothing_of_the_case(helped: Service) -> None:
    phone = await helped.sign_in()
    made = await asked(helped, phone)
    answer = await check(helped, str(made["code"]))
    assert answer.status_code == 200
    told = answer.json()
    assert set(told) == {"genuine", "desk", "mailbox", "phone", "valid_until", "desk_wrote"}
    assert told["genuine"] is True
    assert (told["desk"], told["mailbox"], told["phone"]) == tuple(DESK.values())


async def test_th01_a_code_for_another_person_says_so_to_whoever_is_signed_in(helped: Service) -> None:
    mine, other = await helped.sign_in(), await helped.sign_in()
    code = str((await asked(helped, mine))["code"])
    assert (await check(helped, code, mine)).json()["for_you"] is True
    assert (await check(helped, code, other)).json()["for_you"] is False
    assert "for_you" not in (await check(helped, code)).json()


async def test_a_code_is_the_same_however_it_is_typed(helped: Service) -> None:
    """Who reads it off a telephone types small letters, blanks, another dash, or none."""
    code = str((await asked(helped, await helped.sign_in()))["code"])
    typed = [
        code.lower(),
        code.replace("-", ""),
        code.replace("-", " ").lower(),
        code.replace("-", "–"),
        f" {code}\n",
    ]
    for one in typed:
        assert (await check(helped, quote(one))).json()["genuine"] is True, one
    assert (await check(helped, quote(code.replace("-", "/")))).json() == {"genuine": False}


async def test_th01_a_guessed_an_old_and_a_malformed_code_are_one_answer(helped: Service) -> None:
    phone = await helped.sign_in()
    code = str((await asked(helped, phone))["code"])
    helped.pass_time(hours=24, seconds=1)
    wrong = [
        code,
        "SD211208-123456",
        "%00",
        "x",
        "a%2Fb",
        "%FF",
        code[:-1],
        "x" * 500,
    ]
    answers = [await check(helped, one) for one in wrong]
    assert {answer.content for answer in answers} == {b'{"genuine":false}'}
    assert {answer.status_code for answer in answers} == {200}
    phone = await helped.sign_in()
    assert (await check(helped, code, phone)).content == b'{"genuine":false}'


async def test_th01_a_code_lives_a_day_from_the_desks_last_word(helped: Service) -> None:
    phone, person = await helped.sign_in(), helped.person()
    clerk = await helped.sign_in(person)
    made = await asked(helped, phone)
    async with helped.db.write() as tx:
        await desks.hire(tx, helped.kit, "HUE", person.national_id, now=helped.clock.now())
    by, case_id = await _account_of(clerk), UUID(str(made["id"]))
    helped.pass_time(hours=23)
    async with helped.db.write() as tx:
        who = Clerk(by, await numbers.blinds_of(tx, helped.kit, by))
        found = await cases.answer(
            tx, helped.kit, case_id, "Đã sửa xong.", clerk=who, form="[{unit}#DVC]", now=helped.clock.now()
        )
        assert isinstance(found, Case)
    helped.pass_time(hours=23)
    assert (await check(helped, str(made["code"]))).json()["genuine"] is True
    helped.pass_time(hours=2)
    assert (await check(helped, str(made["code"]))).json() == {"genuine": False}


async def test_a_desk_that_was_removed_stands_behind_nothing(helped: Service) -> None:
    code = str((await asked(helped, await helped.sign_in()))["code"])
    async with helped.db.write() as tx:
        await desks.remove(tx, helped.kit, "HUE", now=helped.clock.now())
    assert (await check(helped, code)).json() == {"genuine": False}


async def test_th01_an_address_may_ask_twenty_times_an_hour(helped: Service) -> None:
    for _ in range(20):
        assert (await check(helped, "SD211208-123456")).status_code == 200
    late = await check(helped, "SD211208-123456")
    assert (late.status_code, late.json()["code"]) == (429, "too_many")
    assert 0 < int(late.headers["retry-after"]) <= 3600
    helped.pass_time(hours=1)
    assert (await check(helped, "SD211208-123456")).status_code == 200


async def test_a_bad_session_is_refused_and_not_read_as_none(helped: Service) -> None:
    headers = {"Authorization": f"DPoP {'x' * 40}"}
    for path in ("/v1/notices", "/v1/support-codes/SD211208-123456"):
        assert (await helped.http.get(path, headers=headers)).status_code == 401
    assert (await helped.http.get("/v1/support-cases")).status_code == 401
    assert (await helped.http.post("/v1/support-codes/SD211208-123456", json={})).status_code in (401, 405)


async def _account_of(phone: Phone) -> UUID:
    return UUID((await phone.call("GET", "/v1/me")).json()["id"])
