"""An SMS centre that takes a message and goes silent, says no, drips or is not there (case TO13).

One act of a person is one message at most; whoever waits at a button is told what is known.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator

import httpx2
import pytest
import pytest_asyncio
import structlog

from backend.accounts.codes import messages
from ngomon import logs
from tests.checker import check
from tests.citizen import Citizen
from tests.conftest import DATABASES
from tests.parts.gateway import REFUSING, UNCLEAR, Gateway, gateway
from tests.phone import Phone
from tests.service import Service, running

PATIENCE = "0.8"  # seconds; what is silent shall not hold the tests up, and a busy machine is not silent
NO_CONNECTION = "no connection"


@pytest_asyncio.fixture(scope="module", params=DATABASES, loop_scope="session")
async def _town(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Service, Gateway]]:
    """The product with the gateway as its SMS centre; what the gateway takes can be read in the inbox."""
    url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('sms') / 'ngomon.db'}"
    if request.param == "postgres":
        url = await request.getfixturevalue("_postgres").a_new_database("sms_trouble")
    async with (
        gateway() as centre,
        running(url, NGOMON_SMS_URL=centre.url, NGOMON_LIMIT_SMS_TIMEOUT=PATIENCE) as town,
    ):
        centre.heard = town.inbox.add_sms
        yield town, centre


@pytest_asyncio.fixture(loop_scope="session")
async def town(_town: tuple[Service, Gateway]) -> AsyncIterator[Service]:
    yield _town[0]
    await check(_town[0].db, _town[0].kit)


@pytest_asyncio.fixture(loop_scope="session")
async def centre(_town: tuple[Service, Gateway], monkeypatch: pytest.MonkeyPatch) -> Gateway:
    """The gateway, in order; messages that leave later are tried again sooner than in life."""
    monkeypatch.setattr(messages, "PAUSES", (0.05,))
    await _town[1].reset()
    return _town[1]


async def trouble(centre: Gateway, mood: str) -> None:
    """From now on, until `centre.reset()`."""
    centre.behave(mood)
    if mood == NO_CONNECTION:
        await centre.shut()


async def give_phone(town: Service, phone: Phone, login: str, number: str) -> httpx2.Response:
    return await phone.open(f"/v1/logins/{login}/phone", {"phone": number})


async def settled() -> None:
    """Until whatever would be tried again has been."""
    await asyncio.sleep(float(PATIENCE) + 0.5)


@pytest.mark.parametrize("mood", UNCLEAR)
async def test_to13_what_may_have_left_is_said_to_be_uncertain_and_is_not_sent_again(
    town: Service, centre: Gateway, mood: str
) -> None:
    phone, number = town.phone(), town.mobile_number()
    login = await town.to_phone_step(phone, town.person())
    centre.behave(mood)
    answer = await give_phone(town, phone, login, number)
    assert answer.status_code == 200, answer.text
    assert answer.json()["step"] == "otp" and answer.json()["delivery"] == "uncertain"
    assert answer.json()["sent_to"] == f"055****{number[-3:]}"
    soon = await phone.open(f"/v1/logins/{login}/otp/resend", {})
    assert soon.json()["code"] == "otp_too_soon", "it is counted"
    assert (centre.asked, len(centre.to(number))) == (1, 1)
    done = await phone.open(f"/v1/logins/{login}/otp", {"code": town.code_for(number)})
    assert done.status_code == 200 and done.json()["step"] == "done"


async def test_to13_sending_again_is_the_persons_own_wish_and_one_message_more(
    town: Service, centre: Gateway
) -> None:
    phone, number = town.phone(), town.mobile_number()
    login = await town.to_phone_step(phone, town.person())
    centre.behave("silent", "hangs up", "answers")
    first = await give_phone(town, phone, login, number)
    code = town.code_for(number)
    town.pass_time(seconds=61)
    second = await phone.open(f"/v1/logins/{login}/otp/resend", {})
    town.pass_time(seconds=61)
    third = await phone.open(f"/v1/logins/{login}/otp/resend", {})
    said = [one.json().get("delivery") for one in (first, second, third)]
    assert said == ["uncertain", "uncertain", None] and "delivery" not in third.json()
    assert len(centre.to(number)) == 3 and all(code in text for text in centre.to(number))


@pytest.mark.parametrize("mood", [*REFUSING, NO_CONNECTION])
async def test_to13_what_has_certainly_not_left_costs_nothing_and_can_be_asked_for_again(
    town: Service, centre: Gateway, mood: str
) -> None:
    phone, number = town.phone(), town.mobile_number()
    login = await town.to_phone_step(phone, town.person())
    await trouble(centre, mood)
    for _ in range(7):
        answer = await give_phone(town, phone, login, number)
        assert answer.status_code == 503 and answer.json()["code"] == "sms_unavailable"
        assert answer.headers["retry-after"]
    assert centre.taken == []
    await centre.reset()
    answer = await give_phone(town, phone, login, number)
    assert answer.status_code == 200 and "delivery" not in answer.json()
    assert (centre.asked, len(centre.to(number))) == (1, 1)


async def test_to13_every_way_in_that_names_the_number_tells_it(town: Service, centre: Gateway) -> None:
    citizen = await Citizen.new(town).register()
    new, other = town.mobile_number(), town.mobile_number()
    centre.behave("silent")
    adding = await citizen.phone.call("POST", "/v1/me/auth-methods", {"type": "phone", "phone": other})
    town.pass_time(seconds=61)
    changing = await citizen.phone.call("POST", "/v1/phone-changes", {"phone": new})
    town.pass_time(seconds=61)
    knocked = await citizen.knock(town.phone())
    for answer in (adding, changing, knocked):
        assert answer.status_code == 201 and answer.json()["delivery"] == "uncertain", answer.text
    assert knocked.json()["methods"]
    assert [len(centre.to(one)) for one in (other, new, citizen.number)] == [1, 1, 1]


@pytest.mark.parametrize("mood", UNCLEAR)
async def test_to13_a_flow_that_hides_where_the_code_went_sends_it_once_and_says_nothing(
    town: Service, centre: Gateway, mood: str
) -> None:
    citizen, other = Citizen.new(town), Citizen.new(town)
    well = await other.begin()
    centre.behave(mood, "answers")
    begun = await citizen.begin()
    seen = [one.json() | {"id": "", "sent_to": ""} for one in (begun, well)]
    assert begun.status_code == 201 and seen[0] == seen[1]
    await settled()
    assert len(centre.to(citizen.number)) == 1
    at = f"/v1/registrations/{begun.json()['id']}/otp"
    assert (await citizen.phone.open(at, {"code": await citizen.code()})).json()["step"] == "password"


@pytest.mark.parametrize("mood", REFUSING)
async def test_to13_a_refused_message_of_such_a_flow_leaves_a_little_later_and_once(
    town: Service, centre: Gateway, mood: str
) -> None:
    citizen = Citizen.new(town)
    centre.behave(mood, mood, "answers")
    begun = await citizen.begin()
    assert begun.status_code == 201
    await citizen.code()
    await settled()
    assert (centre.asked, len(centre.to(citizen.number))) == (3, 1)


@pytest.mark.parametrize("mood", ["silent", "reset", "503", NO_CONNECTION])
async def test_to13_a_recovery_sends_one_code_and_one_word_that_it_is_done(
    town: Service, centre: Gateway, mood: str
) -> None:
    citizen = await Citizen.new(town).register()
    phone = town.phone()

    async def over() -> None:
        if mood == NO_CONNECTION:
            await asyncio.sleep(0.02)
            await centre.open()
            centre.behave("answers")
        await settled()

    await trouble(centre, mood)
    centre.moods.append("answers")
    begun = await phone.open("/v1/recoveries", {"national_id": citizen.person.national_id})
    assert begun.status_code == 201 and "delivery" not in begun.json()
    await over()
    assert len(centre.to(citizen.number)) == 1
    at = f"/v1/recoveries/{begun.json()['id']}"
    await phone.open(f"{at}/otp", {"code": await citizen.code()})
    await trouble(centre, mood)
    centre.moods.append("answers")
    done = await phone.open(f"{at}/password", {"password": "Vỹ Dạ thôn 1932!"})
    assert done.status_code == 200 and done.json()["step"] == "done"
    await over()
    assert ["vua duoc dat lai" in text for text in centre.to(citizen.number)] == [True]


@pytest.mark.parametrize("mood", ["silent", "500"])
async def test_to13_the_owner_hears_once_that_somebody_registers_again(
    town: Service, centre: Gateway, mood: str
) -> None:
    citizen = await Citizen.new(town).register()
    stranger = Citizen(town, citizen.person, town.mobile_number(), town.phone())
    stranger.subscribe(stranger.number)
    centre.behave(mood, "answers")
    assert (await stranger.begin()).status_code == 201
    await settled()
    assert ["da co tai khoan" in text for text in centre.to(citizen.number)] == [True]
    assert centre.to(stranger.number) == []


@pytest.mark.parametrize("mood", [*UNCLEAR, "500", NO_CONNECTION])
async def test_to13_tc04_a_number_is_not_changed_while_nobody_knows_whether_the_old_one_was_told(
    town: Service, centre: Gateway, mood: str
) -> None:
    citizen = await Citizen.new(town).register()
    new = town.mobile_number()
    citizen.subscribe(new)
    begun = await citizen.phone.call("POST", "/v1/phone-changes", {"phone": new})
    at = f"/v1/phone-changes/{begun.json()['id']}/otp"
    code = await citizen.code(new)
    await trouble(centre, mood)
    answer = await citizen.phone.call("POST", at, {"code": code})
    assert answer.status_code == 503 and answer.json()["code"] == "sms_unavailable", answer.text
    uncertain = "chưa xác nhận" in answer.json()["detail"]
    assert uncertain == (mood in UNCLEAR) and len(centre.to(citizen.number)) == int(uncertain)
    phones = (await citizen.phone.call("GET", "/v1/me")).json()["phones"]
    assert phones == [f"055****{citizen.number[-3:]}"]
    await centre.reset()
    assert (await citizen.phone.call("POST", at, {"code": code})).json()["step"] == "done"
    assert len(centre.to(citizen.number)) == 1


async def test_to13_each_message_has_a_connection_of_its_own(town: Service, centre: Gateway) -> None:
    for _ in range(3):
        phone, number = town.phone(), town.mobile_number()
        login = await town.to_phone_step(phone, town.person())
        assert (await give_phone(town, phone, login, number)).status_code == 200
    assert centre.connections == 3


async def test_to13_no_log_of_ours_holds_a_code(
    town: Service, centre: Gateway, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    before = structlog.get_config()
    codes = []
    try:
        logs.set_up(quiet=False)
        for mood in (*UNCLEAR, "answers"):
            phone, number = town.phone(), town.mobile_number()
            login = await town.to_phone_step(phone, town.person())
            centre.behave(mood)
            await give_phone(town, phone, login, number)
            codes.append(town.code_for(number))
        for mood in REFUSING:
            citizen = Citizen.new(town)
            centre.behave(mood, "silent")
            assert (await citizen.begin()).status_code == 201
            codes.append(await citizen.code())
        await settled()
    finally:
        structlog.configure(**before)
    heard = capsys.readouterr()
    written = heard.out + heard.err + caplog.text
    assert "code_uncertain" in written and "message_uncertain" in written, "the log was listened to"
    numbers = set(
        re.findall(r"(?<![\w.])\d{6}(?!\w)", written)
    )  # not six digits of a fraction of a second or an id
    assert numbers.isdisjoint(codes)
    assert "tests-only" not in written, "nor the gateway's password"
