"""Sign-ins that a bad e-ID answers, and how each must end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx2

from tests.attacks.conftest import Hostile
from tests.attacks.evil import Forging
from tests.attacks.jose import Key, compact
from tests.attacks.problems import rows
from tests.phone import Phone

STRANGER = Key("first")


async def attempt(
    hostile: Hostile, forge: Forging | None = None, /, **claims: Any
) -> tuple[Phone, str, httpx2.Response]:
    phone = hostile.service.phone()
    started = await phone.begin()
    back = hostile.evil.grant(started["authorization_url"], forge, **claims)
    return phone, started["id"], await phone.bring(started["id"], back)


async def why_not_refused(hostile: Hostile, forge: Forging | None = None, /, **claims: Any) -> str | None:
    """Nothing when the sign-in was refused with the one outward answer and is over for good."""
    phone, login, answer = await attempt(hostile, forge, **claims)
    problem = answer.json()
    if answer.status_code != 403 or problem["code"] != "login_refused":
        return f"{answer.status_code} {problem.get('code', problem)}"
    over = (await phone.open(f"/v1/logins/{login}/phone", {"phone": "0550123456"})).json()
    return None if over.get("step") == "ended" else str(over)


async def all_are_refused(
    hostile: Hostile, cases: Mapping[str, tuple[Forging | None, dict[str, Any]]]
) -> None:
    """Every case of the table; afterwards there are the ended flows and nothing else."""
    before = await rows(hostile.service)
    found = {name: await why_not_refused(hostile, forge, **claims) for name, (forge, claims) in cases.items()}
    assert {name: trouble for name, trouble in found.items() if trouble} == {}
    assert await rows(hostile.service) == before | {"flows": before["flows"] + len(cases)}


async def is_refused(hostile: Hostile, forge: Forging | None = None, /, **claims: Any) -> None:
    await all_are_refused(hostile, {"this": (forge, claims)})


def pointing(**to: Any) -> Forging:
    return lambda header, claims: compact(header | to, claims, STRANGER)
