"""The demo's official mail: a password that was set is one that signs in, in no other way (source 000, 2)."""

from __future__ import annotations

import pytest

from tests.mobile_api.test_recoveries import NEW, disconnect, officer, recover
from tests.parts.client import client
from tests.service import Service


async def opens(service: Service, address: str, password: str, site: str = "same-origin") -> str:
    """What the mail's page says to a sign-in."""
    async with client(service.url) as http:
        form = {"address": address, "password": password}
        answer = await http.post("/demo/mail", data=form, headers={"Sec-Fetch-Site": site})
    return answer.text if answer.status_code == 200 else str(answer.status_code)


async def test_a_new_official_mail_password_signs_in_where_no_directory_is_connected(
    service: Service,
) -> None:
    await disconnect(service)
    citizen, mail = await officer(service)
    assert "chưa đúng" in await opens(service, mail, NEW)
    phone = service.phone()
    at = await recover(citizen, phone, official_email=mail)
    await phone.open(f"{at}/otp", {"code": await citizen.code()})
    done = await phone.open(f"{at}/password", {"password": NEW})
    assert done.json()["step"] == "done", done.text
    assert "Mật khẩu mới đã có hiệu lực" in await opens(service, mail.upper(), NEW)
    assert "chưa đúng" in await opens(service, mail, f"{NEW}x")
    assert "chưa đúng" in await opens(service, "khong.co@hue.example", NEW)


async def test_another_sites_page_signs_nobody_in(service: Service) -> None:
    assert await opens(service, "ai@hue.example", "x", site="cross-site") == "400"


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_the_mails_page_writes_what_was_typed_as_text(service: Service, language: str) -> None:
    async with client(service.url) as http:
        shown = await http.get("/demo/mail", params={"lang": language})
        said = await http.post("/demo/mail", data={"address": '"><script>', "password": "x"})
    assert f'<html lang="{language}">' in shown.text
    assert "<script>" not in said.text and "&gt;&lt;script&gt;" in said.text
