"""What a person writes to a desk by mistake: passwords, PINs and codes never get there (source 004, 2; TH01)."""

from __future__ import annotations

from tests.workspace.counter import HOME, Counter, asks
from tests.workspace.office import Office

SECRETS = ("Abc@12345", "Sông Hương 2026!", "778899", "4711")
LETTER = {
    "subject": "Mật khẩu Abc@12345 không dùng được",
    "text": "Mật khẩu của tôi là Sông Hương 2026!\nMã OTP: 778899, PIN 4711. Gọi 0912345678 trước 22/11/2026.",
}


async def test_th01_a_secret_that_a_person_writes_never_reaches_the_desk(
    office: Office, counter: Counter
) -> None:
    phone = await office.service.sign_in()
    made = await phone.call("POST", "/v1/support-cases", LETTER)
    assert made.status_code == 201 and made.json()["covered"] is True
    assert set(made.json()) == {"id", "code", "status", "desk", "covered"}
    listed, page = await counter.page(HOME), await counter.page(f"{HOME}/{made.json()['id']}")
    for shown in (listed, page):
        assert made.json()["code"] in shown and "Mật khẩu •••••• không dùng được" in shown
        assert not [secret for secret in SECRETS if secret in shown]
    assert "Mã OTP: ••••••, PIN ••••••. Gọi 0912345678 trước 22/11/2026." in page
    (mine,) = (await phone.call("GET", "/v1/support-cases")).json()["items"]
    said = mine["subject"] + mine["messages"][0]["text"]
    assert said.count("••••••") == 4 and not [secret for secret in SECRETS if secret in said]


async def test_a_case_without_a_secret_says_nothing_of_covering(office: Office, counter: Counter) -> None:
    phone, made = await asks(office)
    assert "covered" not in made
    body = {"subject": "Quên mật khẩu", "text": "Tôi quên mật khẩu, xin giúp. Mã OTP không về máy."}
    plain = (await phone.call("POST", "/v1/support-cases", body)).json()
    assert "covered" not in plain
    page = await counter.page(f"{HOME}/{plain['id']}")
    assert body["subject"] in page and body["text"] in page and "••••••" not in page


async def test_the_same_key_opens_one_case_also_when_something_was_covered(
    office: Office, counter: Counter
) -> None:
    phone = await office.service.sign_in()
    key = {"Idempotency-Key": "che-mot-lan"}
    first = await phone.call("POST", "/v1/support-cases", LETTER, **key)
    again = await phone.call("POST", "/v1/support-cases", LETTER, **key)
    assert first.status_code == again.status_code == 201 and first.json() == again.json()
