"""What is done to an account is pushed to the phone that was signed in, after the commit and at best effort."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import pytest_asyncio
from sqlalchemy import select

from backend.db import new_id
from backend.owed import line
from backend.owed.line import NotSent
from backend.owed.models import Message
from backend.support import notices
from tests.citizen import PASSWORD, Citizen
from tests.phone import Phone
from tests.service import Service

OTHER = "Một câu khác 2026!"


@pytest_asyncio.fixture(loop_scope="session")
async def citizen(service: Service) -> AsyncIterator[Citizen]:
    """Somebody whose phone can be reached by push; the token is their number, which nobody else has."""
    found = await Citizen.new(service).register()
    await found.refresh()
    await addressed(found.phone, found.number)
    yield found


async def addressed(phone: Phone, token: str) -> None:
    answer = await phone.call("PUT", "/v1/devices/current/push-token", {"token": f"push-{token}"})
    assert answer.status_code == 204, answer.text


def pushes(citizen: Citizen, more: str = "") -> list[str]:
    """The kinds that the phone got; none of them names anybody."""
    found = [one for one in citizen.service.inbox.push if one.token == f"push-{citizen.number}{more}"]
    for one in found:
        text = one.title + one.body + str(one.data)
        assert "Không phải tôi" in one.body and set(one.data) == {"kind", "session_id"}
        assert not any(own in text for own in (citizen.person.full_name, citizen.number[-6:], "****"))
    return sorted(one.data["kind"] for one in found)


async def gets(citizen: Citizen, *kinds: str, more: str = "") -> None:
    """The phone gets these and, a little later, nothing else."""
    async with asyncio.timeout(5):
        while len(pushes(citizen, more)) < len(kinds):
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.1)
    assert pushes(citizen, more) == sorted(kinds)


async def test_another_way_in_and_one_less_are_pushed(citizen: Citizen) -> None:
    await citizen.second_number()
    await gets(citizen, "method_added")
    listed = (await citizen.phone.call("GET", "/v1/me/auth-methods")).json()["items"]
    second = [row for row in listed if row["type"] == "phone"][-1]
    answer = await citizen.phone.call("DELETE", f"/v1/me/auth-methods/{second['id']}")
    assert answer.status_code == 204, answer.text
    await gets(citizen, "method_added", "method_removed")


async def test_a_changed_password_is_pushed_and_a_refused_change_is_not(citizen: Citizen) -> None:
    wrong = await citizen.phone.call("POST", "/v1/me/password", {"current": OTHER, "new": OTHER + "x"})
    assert wrong.status_code == 401
    body = {"current": PASSWORD, "new": OTHER}
    assert (await citizen.phone.call("POST", "/v1/me/password", body)).status_code == 204
    await gets(citizen, "password_changed")


async def test_a_recovery_is_pushed_to_the_phone_that_it_signs_out(citizen: Citizen) -> None:
    stranger = citizen.service.phone()
    begun = await stranger.open("/v1/recoveries", {"national_id": citizen.person.national_id})
    at = f"/v1/recoveries/{begun.json()['id']}"
    coded = await stranger.open(f"{at}/otp", {"code": await citizen.code()})
    assert coded.status_code == 200, coded.text
    done = await stranger.open(f"{at}/password", {"password": OTHER})
    assert done.status_code == 200, done.text
    assert (await citizen.phone.call("GET", "/v1/me")).json()["code"] == "session_revoked"
    await gets(citizen, "recovery_done")


async def test_a_change_of_number_is_pushed_before_it_is_answered(citizen: Citizen) -> None:
    """Inside a sign-in elsewhere, which signs the owner's phone out (rules 162, 163)."""
    stranger, new = citizen.service.phone(), citizen.service.mobile_number()
    citizen.subscribe(new)
    login = (await citizen.knock(stranger)).json()["id"]
    begun = await stranger.open("/v1/phone-changes", {"phone": new, "login": login})
    at, code = f"/v1/phone-changes/{begun.json()['id']}/otp", await citizen.code(new)
    assert (await stranger.open(at, {"code": code})).json()["step"] == "done"
    assert pushes(citizen) == ["phone_changed"]


async def test_a_sign_in_elsewhere_is_pushed_to_the_old_phone_alone(citizen: Citizen) -> None:
    service, new = citizen.service, citizen.service.phone()
    await citizen.step_up()
    await gets(citizen, "method_added")
    started = await new.begin(push_token=f"push-{citizen.number}-new")
    back = await service.consent(started["authorization_url"], citizen.person)
    new.keep((await new.bring(started["id"], back)).json())
    await gets(citizen, "method_added", "device_replaced")
    await gets(citizen, more="-new")
    await citizen.by_vneid(service.phone())
    await gets(citizen, "device_replaced", more="-new")
    await gets(citizen, "method_added", "device_replaced")  # signed out long ago


async def test_nothing_is_owed_to_phones_that_have_left_no_address(service: Service) -> None:
    """They hear of it when they call; with an address one is told, and only of what it was there for."""

    async def owed(phone: Phone) -> int:
        account = (await phone.call("GET", "/v1/me")).json()["id"]
        rows = select(Message.kind).where(Message.account_id == UUID(account), Message.channel == "push")
        async with service.db.read() as tx:
            return list(await tx.scalars(rows)).count("device_replaced")

    citizen = await Citizen.new(service).register()
    await citizen.by_vneid()
    assert await owed(await citizen.by_vneid(service.phone())) == 0
    await addressed(await citizen.by_vneid(service.phone()), citizen.number)
    assert await owed(await citizen.by_vneid(service.phone())) == 1
    await gets(citizen, "device_replaced")


class Trouble:
    """A push service on a bad day, and one that knows the address no more."""

    def __init__(self, *, dead: bool) -> None:
        self.asked: list[tuple[str, str, str, str]] = []
        self._dead = dead

    async def send(self, token: str, title: str, body: str, data: dict[str, str], *, mark: str) -> bool:  # noqa: ARG002
        """Refuse."""
        self.asked.append((token, title, body, data["kind"]))
        if not self._dead:
            raise OSError("out of reach")
        return False


class Silent:
    """A push service that answers when it likes to."""

    def __init__(self) -> None:
        self.asked, self.speaks = 0, asyncio.Event()

    async def send(self, token: str, title: str, body: str, data: dict[str, str], *, mark: str) -> bool:  # noqa: ARG002
        """In the end."""
        self.asked += 1
        await self.speaks.wait()
        return True


async def _tell(citizen: Citizen, times: int = 1) -> None:
    service, account_id = citizen.service, UUID(citizen.done["account"]["id"])
    async with service.db.write() as tx:
        for _ in range(times):
            notices.tell(tx, service.kit, account_id, "method_added", now=service.clock.now(), method="vneid")
    await service.app.pushes.told(account_id)


async def test_trouble_with_the_push_service_takes_nothing_back_and_what_it_refused_comes_later(
    citizen: Citizen, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble = Trouble(dead=False)
    monkeypatch.setattr(citizen.service.app.phones, "_push", trouble)
    await _tell(citizen)
    assert len(trouble.asked) == 1
    shown = (await citizen.phone.call("GET", "/v1/notices")).json()["items"]
    assert shown[0]["kind"] == "method_added"
    monkeypatch.undo()
    citizen.service.pass_time(seconds=31)
    await citizen.service.app.pushes.round()
    await gets(citizen, "method_added")


async def test_a_dead_address_is_forgotten(citizen: Citizen, monkeypatch: pytest.MonkeyPatch) -> None:
    trouble = Trouble(dead=True)
    monkeypatch.setattr(citizen.service.app.phones, "_push", trouble)
    for _ in range(2):
        await _tell(citizen)
    assert len(trouble.asked) == 1


class OneOdd:
    """Firebase, which calls one address no address at all, each time."""

    def __init__(self, odd: str) -> None:
        self._odd, self.told = odd, set[str]()

    async def send(self, token: str, title: str, body: str, data: dict[str, str], *, mark: str) -> bool:  # noqa: ARG002
        """To all but that one."""
        if token == self._odd:
            raise ValueError("INVALID_ARGUMENT")
        self.told.add(token)
        return True


async def test_an_address_that_the_push_service_does_not_take_keeps_the_news_from_no_other_phone(
    citizen: Citizen, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = f"push-{citizen.number}", f"push-{citizen.number}-new"
    for odd, other in ((first, second), (second, first)):
        push = OneOdd(odd)
        monkeypatch.setattr(citizen.service.app.phones, "_push", push)
        receivers = [(new_id(), first), (new_id(), second)]
        row = Message(id=new_id(), kind="method_added", content=None)
        with pytest.raises(NotSent):
            await citizen.service.app.phones._send(row, receivers)
        assert push.told == {other}


async def test_while_the_push_service_is_silent_no_more_than_so_many_pushes_wait_for_it(
    citizen: Citizen, monkeypatch: pytest.MonkeyPatch
) -> None:
    service, silent = citizen.service, Silent()
    monkeypatch.setattr(service.app.phones, "_push", silent)
    monkeypatch.setattr(service.app.phones, "most", 3)
    monkeypatch.setattr(line, "PATIENCE", 0.5)
    await _tell(citizen, times=5)
    assert silent.asked == 3
    silent.speaks.set()
    async with asyncio.timeout(5):
        while silent.asked < 5:
            await asyncio.sleep(0.02)
    shown = (await citizen.phone.call("GET", "/v1/notices")).json()["items"]
    assert [one["kind"] for one in shown].count("method_added") == 5, "the notice in the app is the promise"


async def test_what_is_taken_back_is_not_pushed(citizen: Citizen) -> None:
    service = citizen.service
    account_id, now = UUID(citizen.done["account"]["id"]), service.clock.now()
    with pytest.raises(RuntimeError):
        async with service.db.write() as tx:
            notices.tell(tx, service.kit, account_id, "password_changed", now=now)
            await tx.flush()
            raise RuntimeError("the act fails")
    await asyncio.sleep(0.1)
    assert pushes(citizen) == []
