"""What belongs to an act that happens once is told once, however many ask for the act at once (case A31).

Each message costs money; the gateway counts what it was asked, and knows no names of messages, as Kannel does not.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial

import httpx2
import pytest
import pytest_asyncio
from sqlalchemy import func, select, update

from backend.accounts.codes import messages
from backend.accounts.models import OneTimeCode, Phone
from backend.flows import Flow
from tests.attacks.problems import refused
from tests.attacks.test_crowded_numbers import CAP, crowd, refused_for_the_crowd
from tests.attacks.test_crowded_numbers import served as served_accounts
from tests.attacks.ways import Way, bring
from tests.checker import check
from tests.citizen import Citizen
from tests.conftest import DATABASES
from tests.mobile_api.test_recoveries import NEW
from tests.parts.gateway import Gateway, gateway
from tests.parts.processes import free_port
from tests.phone import Phone as Device
from tests.service import Service, running, served

WIDE = 64
LATE = (
    404,
    409,
    410,
)  # over, another's turn, used up: nothing of it is "done", and nobody is told to try again


@pytest_asyncio.fixture(scope="module", params=DATABASES, loop_scope="session")
async def _town(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[list[Service], Gateway]]:
    """The product with the gateway as its SMS centre, on PostgreSQL twice on one database."""
    url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('told') / 'ngomon.db'}"
    if request.param == "postgres":
        url = await request.getfixturevalue("_postgres").a_new_database("told_once")
    async with gateway() as centre, running(url, NGOMON_SMS_URL=centre.url) as town:
        centre.heard = town.inbox.add_sms
        if request.param == "sqlite":
            yield [town], centre
            return
        async with served(town.app.settings, free_port()) as second:
            second.app.outside.stand = town.app.outside.stand
            yield [town, second], centre


@pytest_asyncio.fixture(loop_scope="session")
async def towns(_town: tuple[list[Service], Gateway]) -> AsyncIterator[list[Service]]:
    yield _town[0]
    await check(_town[0][0].db, _town[0][0].kit)


@pytest_asyncio.fixture(loop_scope="session")
async def centre(_town: tuple[list[Service], Gateway], monkeypatch: pytest.MonkeyPatch) -> Gateway:
    monkeypatch.setattr(messages, "PAUSES", (0.05,))
    await _town[1].reset()
    return _town[1]


def hands(towns: list[Service], device: Device) -> list[Device]:
    """The same phone, at each of the processes in turn."""
    made = []
    for town in towns:
        one = Device(town.http, towns[0].url, clock=towns[0].clock)
        one.key, one.session = device.key, device.session
        town.clock.ahead = towns[0].clock.ahead
        made.append(one)
    return [made[turn % len(made)] for turn in range(WIDE)]


async def at_once(towns: list[Service], way: Way, step: str, body: object) -> list[httpx2.Response]:
    """Post one thing many times in the same instant, as the way's own device, to every process."""
    path = f"{way.at}/{step}"
    signed_in = way.kind in ("phone_change", "method")
    return await asyncio.gather(
        *(
            one.call("POST", path, body) if signed_in else one.open(path, body)
            for one in hands(towns, way.phone)
        )
    )


def one_was_right(answers: list[httpx2.Response], late: tuple[int, ...] = LATE) -> None:
    counted = Counter(one.status_code for one in answers)
    assert counted[200] == 1, counted
    assert sum(counted[status] for status in late) == WIDE - 1, counted


async def settled(towns: list[Service]) -> None:
    for town in towns:
        await town.settled()


async def test_a31_the_right_code_of_a_change_typed_sixty_four_times_tells_the_old_number_once(
    towns: list[Service], centre: Gateway
) -> None:
    citizen = await Citizen.new(towns[0]).register()
    way = await bring("phone_change", citizen)
    centre.behave("answers")
    one_was_right(await at_once(towns, way, "otp", {"code": way.code}))
    assert len(centre.to(citizen.number)) == 1 and centre.to(way.number) == []
    await one_change(towns[0], way)


async def one_change(town: Service, way: Way) -> None:
    """What one change leaves: the number in force, one notice."""
    shown = (await way.phone.call("GET", "/v1/me")).json()["phones"]
    assert shown == [f"055****{way.number[-3:]}"]
    listed = (await way.phone.call("GET", "/v1/notices")).json()["items"]
    assert Counter(one["kind"] for one in listed)["phone_changed"] == 1
    async with town.db.read() as tx:
        blinds = town.kit.keys.blinds("phone", "+84" + way.number[1:])
        assert await tx.scalar(select(func.count(Phone.id)).where(Phone.blind.in_(blinds))) == 1


async def test_a31_of_two_changes_of_one_account_at_once_the_old_number_hears_of_one(
    towns: list[Service], centre: Gateway
) -> None:
    citizen = await Citizen.new(towns[0]).register()
    ways = []
    for _ in range(2):
        ways.append(await bring("phone_change", citizen))
        towns[0].pass_time(seconds=61)
    centre.behave("answers")
    answers = await asyncio.gather(
        *(
            one.call("POST", f"{ways[turn // 2 % 2].at}/otp", {"code": ways[turn // 2 % 2].code})
            for turn, one in enumerate(hands(towns, citizen.phone))
        )
    )
    one_was_right(answers)
    assert len(centre.to(citizen.number)) == 1


async def test_a31_while_the_old_number_cannot_be_told_nothing_changes_and_one_of_many_may_try_again(
    towns: list[Service], centre: Gateway
) -> None:
    citizen = await Citizen.new(towns[0]).register()
    way = await bring("phone_change", citizen)
    centre.behave("503")
    down = await way.guess(way.code)
    refused(down, 503, "sms_unavailable")
    shown = (await way.phone.call("GET", "/v1/me")).json()["phones"]
    assert shown == [f"055****{citizen.number[-3:]}"]
    centre.behave("answers")
    one_was_right(await at_once(towns, way, "otp", {"code": way.code}))
    assert len(centre.to(citizen.number)) == 1
    await one_change(towns[0], way)


async def test_a31_a_centre_that_is_down_costs_the_right_code_no_guess(
    towns: list[Service], centre: Gateway
) -> None:
    citizen = await Citizen.new(towns[0]).register()
    way = await bring("phone_change", citizen)
    centre.behave("503")
    for _ in range(4):
        refused(await way.guess(way.code), 503, "sms_unavailable")
    centre.behave("answers")
    assert (await way.guess(way.code)).json()["step"] == "done"


async def test_a31_whoever_died_while_telling_keeps_the_account_from_no_later_change(
    towns: list[Service],
    centre: Gateway,
) -> None:
    citizen = await Citizen.new(towns[0]).register()
    dead = await bring("phone_change", citizen)
    towns[0].pass_time(seconds=61)
    now = towns[0].clock.now()
    flow = dead.at.rpartition("/")[2]
    async with towns[0].db.write() as tx:  # what a process leaves that ends between claiming and telling
        rows = await tx.scalars(select(Flow).where(Flow.account_id.is_not(None), Flow.step == "otp"))
        claimed = next(one for one in rows if str(one.id) == flow)
        claimed.step = "telling"
        await tx.execute(
            update(OneTimeCode).where(OneTimeCode.flow_id == claimed.id).values(used_at=now, attempts=1)
        )
    refused(await dead.guess(dead.code), 409, "flow_step_mismatch")
    soon = await bring("phone_change", citizen)
    refused(await soon.guess(soon.code), 404, "flow_not_found")
    towns[0].pass_time(seconds=timedelta(minutes=2).total_seconds())
    assert (await soon.guess(soon.code)).json()["step"] == "done"
    refused(await dead.guess(dead.code), 404, "flow_not_found")


async def test_a31_a_change_to_a_number_that_filled_up_tells_nobody(
    towns: list[Service], centre: Gateway
) -> None:
    citizen = await Citizen.new(towns[0]).register()
    way = await bring("phone_change", citizen)
    await crowd(towns[0], way.number)
    centre.behave("answers")
    refused_for_the_crowd(await way.guess(way.code))
    assert centre.to(citizen.number) == [], "there was no change"


async def test_a31_a_number_that_fills_up_while_the_old_one_is_told_goes_to_nobody_too_many(
    towns: list[Service], centre: Gateway
) -> None:
    """The old number has heard of a change that does not come; the next change is not kept waiting."""
    citizen = await Citizen.new(towns[0]).register()
    way = await bring("phone_change", citizen)
    towns[0].pass_time(seconds=61)
    centre.behave("answers")
    centre.meanwhile = partial(crowd, towns[0], way.number)
    refused_for_the_crowd(await way.guess(way.code))
    assert await served_accounts(towns[0], way.number) == CAP
    assert len(centre.to(citizen.number)) == 1
    shown = (await way.phone.call("GET", "/v1/me")).json()["phones"]
    assert shown == [f"055****{citizen.number[-3:]}"], "nothing changed"
    refused(await way.guess(way.code), 409, "flow_step_mismatch")
    again = await bring("phone_change", citizen)
    assert (await again.guess(again.code)).json()["step"] == "done"


async def test_a31_a_recovery_finished_sixty_four_times_tells_the_phone_once(
    towns: list[Service], centre: Gateway
) -> None:
    citizen = await Citizen.new(towns[0]).register()
    way = await bring("recovery", citizen)
    assert (await way.guess(way.code)).status_code == 200
    centre.behave("answers")
    answers = await at_once(towns, way, "password", {"password": NEW})
    one_was_right(answers, (*LATE, 503))  # a new password is hashed, and no more than a few at once
    await settled(towns)
    assert len(centre.to(citizen.number)) == 1


async def test_a31_sixty_four_registrations_of_one_number_tell_its_holder_once(
    towns: list[Service], centre: Gateway
) -> None:
    citizen = await Citizen.new(towns[0]).register()
    forms = [await citizen.form() for _ in range(WIDE)]
    centre.behave("answers")
    answers = await asyncio.gather(
        *(
            Device(towns[turn % len(towns)].http, towns[0].url, clock=towns[0].clock).open(
                "/v1/registrations", form
            )
            for turn, form in enumerate(forms)
        )
    )
    assert Counter(one.status_code for one in answers)[201] >= 1, answers[0].text
    await settled(towns)
    assert len(centre.to(citizen.number)) == 1


@pytest.mark.parametrize("kind", ["phone_change", "method", "login", "recovery", "registration"])
async def test_a31_a_code_asked_for_again_sixty_four_times_leaves_once(
    towns: list[Service], centre: Gateway, kind: str
) -> None:
    citizen = Citizen.new(towns[0])
    if kind != "registration":
        await citizen.register()
    way = await bring(kind, citizen)
    towns[0].pass_time(seconds=61)
    centre.behave("answers")
    answers = await at_once(towns, way, "otp/resend", {})
    assert Counter(one.status_code for one in answers) == {200: 1, 429: WIDE - 1}
    await settled(towns)
    assert len(centre.to(way.number)) == 1
