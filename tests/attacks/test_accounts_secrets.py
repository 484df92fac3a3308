"""What is typed on the ways in and back lies in no file, log line, header or problem in the clear (P5, S10)."""

from __future__ import annotations

import json
from pathlib import Path

import httpx2
import pytest
import structlog

from ngomon import logs
from tests.attacks.ways import bring
from tests.citizen import Citizen
from tests.promises.test_no_personal_data import STAND_IN_FILES, spellings
from tests.service import Service, running

NEW = "Đặt lại Vỹ Dạ 1932!"
MAIL = "hoang.yen.canary@thu.example"


async def one_persons_ways(service: Service) -> tuple[dict[str, str], list[httpx2.Response]]:
    """Register, mistype, sign in, change the phone in vain, recover: the secrets, and every answer of it."""
    citizen = Citizen.new(service, full_name="Nguyễn Thị Hoàng Yến Canary", birth_date="1983-11-27")
    heard: list[httpx2.Response] = [
        await citizen.begin(birth_date="1983-11-28"),
        await citizen.begin(email=MAIL),
    ]
    at = f"/v1/registrations/{heard[-1].json()['id']}"
    code = await citizen.code()
    for step, body in (("otp", {"code": f"{(int(code) + 1) % 10**6:06d}"}), ("otp", {"code": code}),
                       ("password", {"password": "yếu"}), ("password", {"password": citizen.password})):  # fmt: skip
        heard.append(await citizen.phone.open(f"{at}/{step}", body))
    citizen.phone.keep(heard[-1].json())
    service.pass_time(seconds=61)
    heard.append(await citizen.knock(service.phone(), password="Sai mật khẩu 1!"))
    login = await bring("login", citizen)
    change = await bring("phone_change", citizen)
    citizen.subscribe(change.number, full_name="Người Khác", national_id="000066666665")
    heard.append(await change.guess(change.code))
    slip = heard[-1].json()["slip"]["code"]
    heard.append(await service.http.get(f"/v1/phone-change-slips/{slip}"))
    service.pass_time(seconds=61)
    reset = await bring("recovery", citizen)
    heard += [await reset.guess(reset.code), await reset.post("password", {"password": NEW})]
    heard.append(await login.guess(login.code))
    secrets = {"personal number": citizen.person.national_id, "name": citizen.person.full_name,
               "birth date": citizen.person.birth_date, "phone": citizen.number, "phone in E.164": citizen.e164,
               "new phone": change.number, "mail": MAIL, "password": citizen.password, "new password": NEW,
               "wrong password": "Sai mật khẩu 1!", "code": code, "reset code": reset.code,
               "access token": citizen.phone.session["access_token"]}  # fmt: skip
    return secrets, heard


async def test_no_file_no_log_line_and_no_refusal_holds_what_was_typed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = structlog.get_config()
    try:
        logs.set_up(quiet=False)
        async with running(f"sqlite+aiosqlite:///{tmp_path / 'canary.db'}") as service:
            secrets, heard = await one_persons_ways(service)
            files = [file for file in tmp_path.iterdir() if STAND_IN_FILES not in file.name]
            held = {file.name: file.read_bytes() for file in files}
    finally:
        structlog.configure(**before)
    out = capsys.readouterr()
    held["the log"] = (out.err + out.out).encode()
    assert b'"event": "request"' in held["the log"], "the log was listened to"
    refusals = [one for one in heard if one.status_code >= 400]
    assert [one.status_code for one in refusals] == [422, 422, 422, 401, 422, 404]
    held["the refusals"] = b"".join(one.content for one in refusals)
    held["the headers"] = json.dumps([dict(one.headers) for one in heard]).encode()
    found = [
        f"{what} in {place}"
        for what, secret in secrets.items()
        for spelling in spellings(secret)
        for place, content in held.items()
        if spelling in content and ("code" not in what or place in ("the log", "the refusals"))
    ]
    assert found == []
