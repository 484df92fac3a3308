"""A key that was given up opens nothing any more, and nobody meets an error for it: they sign in again (A12)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from uuid import UUID

import msgspec
from sqlalchemy import update

from backend.accounts.models import OneTimeCode
from backend.crypto import KeyRing, new_secret_key
from backend.db import Database
from backend.environment import load
from backend.kit import Kit
from backend.settings import Settings
from ngomon.migrations import migrate
from ngomon.rekey import rotate
from tests.checker import check
from tests.parts.processes import free_port
from tests.phone import Phone
from tests.service import Service, served


@contextlib.asynccontextmanager
async def with_keys(settings: Settings, port: int, *keys: str) -> AsyncIterator[Service]:
    """The same installation, started with these keys."""
    changed = msgspec.structs.replace(settings, secret_keys=",".join(keys))
    await migrate(changed.database_url, KeyRing.parse(changed.secret_keys))
    async with served(changed, port) as service:
        yield service


def moved(phone: Phone, service: Service) -> Phone:
    """The same phone, speaking to the service that runs now."""
    phone.http = service.http
    return phone


async def test_a12_sessions_and_flows_of_a_key_that_was_given_up_begin_again(database: Database) -> None:
    port, old, new = free_port(), new_secret_key(), new_secret_key()
    settings = load(
        {
            "NGOMON_DATABASE_URL": database.url.render_as_string(hide_password=False),
            "NGOMON_PUBLIC_URL": f"http://127.0.0.1:{port}",
            "NGOMON_SECRET_KEYS": old,
            "NGOMON_OTP_PER_ADDRESS_PER_HOUR": "0",
        }
    )
    async with with_keys(settings, port, old) as service:
        person, newcomer = service.person("Nguyễn Thị Khóa"), service.person("Trần Văn Chờ")
        idle = await service.sign_in(person)
        waiting = service.phone()
        login, code = await service.to_code_step(waiting, newcomer)
        choosing = service.phone()
        at_phone = await service.to_phone_step(choosing, service.person("Lê Văn Chọn"))
    async with with_keys(settings, port, new, old) as service:
        await rotate(service.db, service.kit, lambda *_: None, now=service.clock.now())
    async with with_keys(settings, port, new) as service:
        answer = await moved(idle, service).open(
            "/v1/token", {"refresh_token": idle.session["refresh_token"]}
        )
        assert (answer.status_code, answer.json()["code"]) == (401, "token_invalid")
        assert (await idle.call("GET", "/v1/me")).status_code == 200, "what lives some minutes more, lives"
        answer = await moved(waiting, service).open(f"/v1/logins/{login}/otp", {"code": code})
        assert (answer.status_code, answer.json()["code"]) == (404, "flow_not_found")
        answer = await moved(choosing, service).open(
            f"/v1/logins/{at_phone}/phone", {"phone": service.mobile_number()}
        )
        assert (answer.status_code, answer.json()["code"]) == (404, "flow_not_found")
        service.stand.eid.personas[person.key] = person
        again = await service.sign_in(person, moved(idle, service))
        assert (await again.call("GET", "/v1/me")).json()["full_name"] == "Nguyễn Thị Khóa"
        await check(service.db, Kit.of(KeyRing.parse(new), service.kit.limits))


async def test_a12_a_code_of_a_key_that_was_given_up_is_over(service: Service) -> None:
    """The flow was sealed anew by a later step, its code was not."""
    phone, number = service.phone(), service.mobile_number()
    login, code = await service.to_code_step(phone, service.person(), number)
    async with service.db.write() as tx:
        await tx.execute(update(OneTimeCode).where(OneTimeCode.flow_id == UUID(login)).values(key_id=b"gone"))
    answer = await phone.open(f"/v1/logins/{login}/otp", {"code": code})
    assert answer.json()["code"] == "otp_expired" and answer.status_code < 500
    service.pass_time(seconds=61)
    again = await phone.open(f"/v1/logins/{login}/otp/resend", {})
    assert again.json()["code"] == "otp_expired" and again.status_code < 500
