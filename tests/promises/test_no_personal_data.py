"""Nothing that names a person or opens a door lies in a file or a log in the clear (rule 906 G21)."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
import structlog

from ngomon import logs
from tests.service import Service, running

STAND_IN_FILES = ".system-"  # what the demo's downstream systems hold is theirs


async def one_persons_day(service: Service) -> dict[str, str]:
    """Sign in with number and code, fail some calls, ask for a role; everything that must stay secret."""
    person = service.person("Nguyễn Thị Hoàng Yến Canary", birth_date="1983-11-27")
    phone, number = service.phone(), service.mobile_number()
    login, code = await service.to_code_step(phone, person, number)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    await phone.open(f"/v1/logins/{login}/otp", {"code": wrong})
    done = await phone.open(f"/v1/logins/{login}/otp", {"code": code})
    phone.keep(done.json())
    await phone.call("GET", "/v1/me")
    await phone.call("GET", f"/v1/role-requests?cursor={number}")
    await phone.call("POST", "/v1/role-requests", {"kind": "register", "unit": person.national_id})
    await phone.open("/v1/token", {"refresh_token": "x" * 43})
    return {
        "personal number": person.national_id,
        "name": person.full_name,
        "birth date": person.birth_date,
        "phone": number,
        "phone in E.164": "+84" + number[1:],
        "code": code,
        "access token": phone.session["access_token"],
        "refresh token": phone.session["refresh_token"],
    }


def spellings(secret: str) -> list[bytes]:
    """How a careless program would write it down."""
    raw = secret.encode()
    return [raw, secret.encode("utf-16-le"), base64.b64encode(raw)[:-4], raw.hex().encode()]


async def test_no_file_and_no_log_line_holds_a_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = structlog.get_config()
    try:
        logs.set_up(quiet=False)
        async with running(f"sqlite+aiosqlite:///{tmp_path / 'canary.db'}") as service:
            secrets = await one_persons_day(service)
            files = [file for file in tmp_path.iterdir() if STAND_IN_FILES not in file.name]
            held = {file.name: file.read_bytes() for file in files}
    finally:
        structlog.configure(**before)
    heard = capsys.readouterr()
    held["the log"] = (heard.err + heard.out).encode()
    assert b'"event": "request"' in held["the log"], "the log was listened to"
    assert any(name.endswith(".db") for name in held)
    found = [
        f"{what} in {place}"
        for what, secret in secrets.items()
        for spelling in spellings(secret)
        for place, content in held.items()
        # six digits occur by chance in a database; a code is looked for where it could be read
        if spelling in content and (what != "code" or place == "the log")
    ]
    assert found == []
