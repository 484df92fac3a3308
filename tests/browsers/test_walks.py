"""The walks of a manager and of a newcomer in Firefox and in WebKit: sign in, decide, undo, a live page, no script, the phone."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from backend.roles.models import RoleRequest
from tests.browsers.windows import PATIENCE, Window
from tests.service import CODE
from tests.workspace.office import Office, Somebody

# what a browser shows does not depend on where the rows are kept
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)
INBOX = "Yêu cầu chờ duyệt"


def button(words: str) -> str:
    return f'//button[normalize-space(text()[1])="{words}"]'  # a key may stand behind the words


def link(words: str) -> str:
    return f'//a[contains(normalize-space(.), "{words}")]'


async def signed_in(window: Window, office: Office, who: Somebody) -> None:
    """From the sign-in page through the e-ID to the inbox."""
    await window.goto(f"{office.service.url}/workspace/login")
    await window.click(link("Đăng nhập bằng VNeID"))
    await window.click(f'//button[@value="{who.persona.key}"]')
    await window.sees(INBOX)


async def becomes(office: Office, request_id: UUID, state: str) -> None:
    """Wait until the request is in this state."""
    async with asyncio.timeout(PATIENCE):
        while True:
            async with office.service.db.read() as tx:
                if (await tx.get_one(RoleRequest, request_id)).status == state:
                    return
            await asyncio.sleep(0.1)


async def test_a_manager_signs_in_decides_and_takes_it_back(office: Office, window: Window) -> None:
    asked = await office.asks("Trịnh Thị Cáo")
    await signed_in(window, office, office.chi)
    await window.click(link("Trịnh Thị Cáo"))
    await window.sees("Đối chiếu")
    await window.click(button("Phê duyệt"))
    await becomes(office, asked, "approved")
    await window.click(button("Hoàn tác"))
    await becomes(office, asked, "pending")
    await window.click(button("Từ chối"))
    await window.fill("//textarea[@name='reason']", "Chưa có quyết định")
    await window.click(button("Từ chối"))
    await becomes(office, asked, "rejected")
    await window.sees("Đã từ chối")


async def test_keys_decide_and_the_next_request_opens(office: Office, window: Window) -> None:
    first, second = await office.asks("Trịnh Văn Phím"), await office.asks("Trịnh Văn Kế")
    await signed_in(window, office, office.chi)
    await window.click(link("Trịnh Văn Phím"))
    await window.sees("Đối chiếu")
    await window.press("1")
    await becomes(office, first, "approved")
    await window.text(button("Hoàn tác"))  # it stays below the next request
    await window.press("z")
    await becomes(office, first, "pending")
    async with office.service.db.read() as tx:
        assert (await tx.get_one(RoleRequest, second)).status == "pending"


async def test_a_page_that_lies_open_follows_what_happens(office: Office, window: Window) -> None:
    await signed_in(window, office, office.chi)
    asked = await office.asks("Trịnh Thị Sống")
    await window.sees("Trịnh Thị Sống")
    await window.click(link("Trịnh Thị Sống"))
    await window.sees("Đối chiếu")
    other = await office.person("Nguyễn Quang Hiếu", manages=office.unit)
    await office.approved_by_another(asked)
    await window.sees("đã phê duyệt lúc")
    assert other.account_id != office.chi.account_id
    assert await window.count(button("Phê duyệt")) == 0


async def test_f03_back_into_the_result_of_many_posts_nothing_again(office: Office, window: Window) -> None:
    for number in range(2):
        await office.asks(f"Trịnh Văn Loạt {number}", listed=True)
    await signed_in(window, office, office.chi)
    await window.click("//*[@data-all]")
    await window.click('//button[@value="approved"]')
    await window.sees("Đã phê duyệt 2 yêu cầu")
    await window.goto(f"{office.service.url}/workspace/people")
    await window.back()
    await window.sees("Đã phê duyệt 2 yêu cầu")


async def test_without_scripts_a_manager_signs_in_decides_and_takes_it_back(
    office: Office, bare: Window
) -> None:
    asked = await office.asks("Trịnh Thị Trần")
    await signed_in(bare, office, office.chi)
    await bare.click(link("Trịnh Thị Trần"))
    await bare.click(button("Phê duyệt"))
    await becomes(office, asked, "approved")
    await bare.click(button("Hoàn tác"))
    await becomes(office, asked, "pending")
    await bare.fill("//form[contains(@action, 'decision')]//textarea[@name='reason']", "Sai chức vụ")
    await bare.click(button("Trả lại"))
    await becomes(office, asked, "returned")
    await bare.goto(f"{office.service.url}/demo/phone")
    await bare.sees("cần JavaScript")  # so no script has run before either


async def test_the_phone_of_the_demo_binds_a_number_and_opens_the_account(
    office: Office, window: Window
) -> None:
    service = office.service
    person, number = service.person("Trịnh Thị Điện Thoại"), service.mobile_number()
    await window.goto(f"{service.url}/demo/phone")
    await window.click(button("Đăng nhập bằng VNeID"))
    await window.click(f'//button[@value="{person.key}"]')
    await window.fill("//input[@name='phone']", number)
    await window.click(button("Cập nhật"))
    await window.text("//label[contains(., 'Mã OTP')]")
    async with asyncio.timeout(PATIENCE):
        while not any(one.to == f"+84{number[1:]}" and CODE.search(one.text) for one in service.inbox.sms):
            await asyncio.sleep(0.1)
    await window.fill("//input[@name='code']", service.code_for(number))
    await window.click(button("Gửi"))
    await window.sees("Trịnh Thị Điện Thoại")
    await window.goto(service.url)  # the cockpit, whose steps have followed
    await window.text("//li[@data-step='phone' and contains(@class, 'done')]/h2")
