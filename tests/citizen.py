"""Somebody who registers, signs in by password and loses things, as the app would do it for them: over HTTP."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from dataclasses import dataclass, field
from typing import Any

import altcha
import httpx2

from backend.outside.registries import Insured, Subscriber
from demo.persona import Persona
from tests.phone import Phone
from tests.service import Service

PASSWORD = "Sông Hương 2026!"
ABOUT = {"platform": "android", "name": "Điện thoại thử", "model": "Mẫu 1"}


async def captcha(service: Service) -> str:
    """A solved challenge, as the widget hands it in."""
    return solve((await service.http.get("/v1/captcha")).json())


def solve(made: dict[str, Any]) -> str:
    """The solution of a challenge, as the widget hands it in."""
    parameters = altcha.ChallengeParameters.from_dict(made["parameters"])
    solution = altcha.solve_challenge(altcha.Challenge(parameters, made["signature"]))
    assert solution is not None
    payload = {"challenge": made, "solution": solution.to_dict()}
    return base64.b64encode(json.dumps(payload).encode()).decode()


@dataclass
class Citizen:
    """One invented person with a phone subscription in their own name."""

    service: Service
    person: Persona
    number: str
    phone: Phone
    password: str = PASSWORD
    done: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def new(cls, service: Service, *, full_name: str = "Nguyễn Văn Thử", **changes: str) -> Citizen:
        """Somebody who has never been here, known to the subscriber registry."""
        person = service.person(full_name, level=2, **changes)
        found = cls(service, person, service.mobile_number(), service.phone())
        found.subscribe(found.number)
        return found

    @property
    def e164(self) -> str:
        """The OTP phone as the registries write it."""
        return "+84" + self.number.removeprefix("0")

    def subscribe(self, number: str, **changes: Any) -> None:
        """Register a number in this person's name, or in another's by `changes`."""
        values: dict[str, Any] = {
            "phone": "+84" + number.removeprefix("0"),
            "national_id": self.person.national_id,
            "full_name": self.person.full_name,
            "birth_date": self.person.birth_date,
            "active": True,
        }
        self.service.stand.registries.add_subscriber(Subscriber(**(values | changes)))

    def insure(self, number: str) -> None:
        """Give this person a social-insurance number."""
        self.service.stand.registries.add_insured(
            Insured(number, self.person.national_id, self.person.full_name, self.person.birth_date)
        )

    async def code(self, number: str | None = None) -> str:
        """The code of the newest message; messages of some flows leave after the answer."""
        async with asyncio.timeout(5):
            while True:
                await self.service.settled()
                await asyncio.sleep(0.02)
                with contextlib.suppress(StopIteration):
                    return self.service.code_for(number or self.number)

    async def form(self, **changes: Any) -> dict[str, Any]:
        """What the registration form sends; a value of None leaves a field out."""
        body = {
            "method": "subscriber",
            "kind": "citizen",
            "national_id": self.person.national_id,
            "full_name": self.person.full_name,
            "birth_date": self.person.birth_date,
            "phone": self.number,
            "captcha": await captcha(self.service),
            "device": ABOUT,
        }
        return {name: value for name, value in (body | changes).items() if value is not None}

    async def begin(self, **changes: Any) -> httpx2.Response:
        """Post the form."""
        return await self.phone.open("/v1/registrations", await self.form(**changes))

    async def register(self, **changes: Any) -> Citizen:
        """The whole way to an account with a session."""
        begun = await self.begin(**changes)
        assert begun.status_code == 201, begun.text
        at = f"/v1/registrations/{begun.json()['id']}"
        coded = await self.phone.open(f"{at}/otp", {"code": await self.code()})
        assert coded.status_code == 200 and coded.json()["step"] == "password", coded.text
        answer = await self.phone.open(f"{at}/password", {"password": self.password})
        assert answer.status_code == 200, answer.text
        self.done = self.phone.keep(answer.json())
        self.service.pass_time(seconds=61)  # the pause between two codes
        return self

    async def knock(self, phone: Phone | None = None, **changes: Any) -> httpx2.Response:
        """Number and password."""
        body = {
            "method": "password",
            "national_id": self.person.national_id,
            "password": self.password,
            "captcha": await captcha(self.service),
            "device": ABOUT,
        }
        return await (phone or self.phone).open("/v1/logins", body | changes)

    async def knock_from(self, address: str) -> httpx2.Response:
        """The same from a network address, behind a proxy."""
        body = {
            "method": "password",
            "national_id": self.person.national_id,
            "password": self.password,
            "captcha": await captcha(self.service),
            "device": ABOUT,
        }
        return await self.phone.open("/v1/logins", body, **{"X-Forwarded-For": address})

    async def sign_in(self, phone: Phone | None = None) -> Phone:
        """Number, password, code."""
        phone = phone or self.phone
        phone.session = {}
        begun = await self.knock(phone)
        assert begun.status_code == 201, begun.text
        code = await self.code()
        answer = await phone.open(f"/v1/logins/{begun.json()['id']}/otp", {"code": code})
        assert answer.status_code == 200, answer.text
        phone.keep(answer.json())
        self.service.pass_time(seconds=61)
        return phone

    async def second_number(self) -> str:
        """Add another number that may get codes; the session must be fresh."""
        number = self.service.mobile_number()
        begun = await self.phone.call("POST", "/v1/me/auth-methods", {"type": "phone", "phone": number})
        assert begun.status_code == 201, begun.text
        at = f"/v1/me/auth-methods/{begun.json()['id']}/otp"
        answer = await self.phone.call("POST", at, {"code": await self.code(number)})
        assert answer.status_code == 200, answer.text
        self.service.pass_time(seconds=61)
        return number

    async def refresh(self) -> None:
        """New tokens for the session, as an app asks for them."""
        answer = await self.phone.open("/v1/token", {"refresh_token": self.phone.session["refresh_token"]})
        assert answer.status_code == 200, answer.text
        self.phone.session = answer.json()["session"]

    async def step_up(self) -> None:
        """Strengthen the session by VNeID."""
        begun = await self.phone.call("POST", "/v1/logins", {"method": "vneid", "step_up": True})
        assert begun.status_code == 201, begun.text
        back = await self.service.consent(begun.json()["authorization_url"], self.person)
        answer = await self.phone.open(f"/v1/logins/{begun.json()['id']}/authorize", back)
        assert answer.status_code == 200, answer.text
        self.phone.keep(answer.json())
        await self.confirm()

    async def by_vneid(self, phone: Phone | None = None, *, confirms: bool = True) -> Phone:
        """The same person through VNeID, who says that what was kept is theirs."""
        phone = await self.service.sign_in(self.person, phone or self.phone)
        if confirms:
            await self.confirm(phone)
        return phone

    async def confirm(self, phone: Phone | None = None) -> None:
        """Confirm every way in that was kept shut."""
        phone = phone or self.phone
        listed = await phone.call("GET", "/v1/me/auth-methods")
        for row in listed.json()["items"] if listed.status_code == 200 else []:
            if row["state"] == "unconfirmed":
                said = await phone.call("POST", f"/v1/me/auth-methods/{row['id']}/confirm")
                assert said.status_code == 200 and said.json()["state"] == "active", said.text


def bare(answer: httpx2.Response) -> tuple[int, dict[str, Any], list[str]]:
    """An answer without what names the one request: status, body, names of headers."""
    body = {k: v for k, v in answer.json().items() if k not in ("id", "instance")}
    return answer.status_code, body, sorted(set(answer.headers) - {"x-request-id", "date"})


def fields(answer: httpx2.Response) -> set[tuple[str, str]]:
    """The named fields of a 422, with their codes."""
    assert answer.status_code in (400, 422), answer.text
    return {(one["field"], one["code"]) for one in answer.json()["errors"]}
