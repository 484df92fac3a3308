"""A second, invented province in every place where people read its name: the API, pages, phone, mails and messages."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect
from sqlalchemy import select

from backend.support import cases, desks
from backend.support.cases import Clerk, Draft
from backend.support.models import CaseMail
from tests import databases
from tests.checker import check
from tests.provinces import VAN_TRINH
from tests.service import Service, running
from tests.workspace.office import Office

NAME, OWN, VNEID = "Vân Trình Số", "0550000900", "0550000901"
FOREIGN = re.compile(r"\bhue\b|\bhuế|hue[-_]s|1900\d{4}", re.IGNORECASE)
TOP = "rgb(10, 74, 70)"
QUESTION = {"subject": "Không ký số được", "text": "Trang báo lỗi khi ký số."}
DESK = {"name": "Đội hỗ trợ", "mailbox": "hotro@van-trinh.example", "phone": "0550 000 902"}
SIZES = ({"width": 1280, "height": 800}, {"width": 360, "height": 740})


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def province(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """The product under the other branding."""
    url = databases.sqlite(tmp_path_factory.mktemp("province"))
    async with running(url, NGOMON_BRANDING=str(VAN_TRINH)) as service:
        yield service
        await check(service.db, service.kit)


async def test_the_api_says_its_names_and_numbers(province: Service) -> None:
    phone = await province.sign_in()
    none = await phone.call("POST", "/v1/support-cases", QUESTION)
    assert none.json()["code"] == "no_desk" and none.json()["title"].endswith(f"vui lòng gọi {OWN}")
    english = await phone.call("POST", "/v1/support-cases", QUESTION, **{"Accept-Language": "en"})
    assert english.json()["title"].endswith(f"please call {OWN}")
    page = (await phone.call("GET", "/v1/me/identity")).json()["standardization"]
    assert page["hotlines"] == [{"name": "VNeID", "phone": VNEID}, {"name": NAME, "phone": OWN}]
    unlisted = (await phone.call("GET", "/v1/role-prefill")).json()
    assert unlisted["hotlines"] == {"vneid": VNEID, "van_trinh": OWN}
    copied = await phone.call("GET", "/v1/me/export")
    assert copied.headers["content-disposition"] == 'attachment; filename="van-trinh-data.json"'


async def test_messages_and_pushes_come_from_it(province: Service) -> None:
    person = province.person()
    old = await province.sign_in(person)
    assert province.inbox.sms[0].text.startswith("Ma xac thuc dang nhap VanTrinh la ")
    await old.call("PUT", "/v1/devices/current/push-token", {"token": f"push-{person.key}"})
    account = UUID((await old.call("GET", "/v1/me")).json()["id"])
    await province.sign_in(person)
    await province.app.pushes.told(account)
    (pushed,) = (one for one in province.inbox.push if one.token == f"push-{person.key}")
    assert pushed.title == NAME


async def test_a_reported_take_over_names_its_hotline(province: Service) -> None:
    person = province.person()
    old = await province.sign_in(person)
    await province.sign_in(person)
    report = await old.call("POST", "/v1/takeover-reports")
    assert (report.status_code, report.json()["hotline"]) == (201, OWN)
    started = await (shut := province.phone()).begin()
    refused = await shut.bring(started["id"], await province.consent(started["authorization_url"], person))
    assert refused.json()["code"] == "account_frozen" and refused.json()["title"].endswith(f"hoặc gọi {OWN}")


async def test_a_mail_of_the_desk_has_its_agency_in_the_subject(province: Service) -> None:
    now, kit = province.clock.now(), province.kit
    clerk = province.person("Trần Thị Bàn")
    phone = await province.sign_in(clerk)
    account = UUID((await phone.call("GET", "/v1/me")).json()["id"])
    async with province.db.write() as tx:
        await desks.add(tx, kit, "VTR", **DESK, now=now)
        await desks.hire(tx, kit, "VTR", clerk.national_id, now=now)
        by = Clerk(account, kit.keys.blinds("national_id", clerk.national_id))
        draft = Draft(subject="Gọi lại", text="Đã nghe máy.", desk=None)
        case = await cases.open_for(
            tx,
            kit,
            draft,
            clerk=by,
            account_id=None,
            mail_address="ai@do.example",
            form="[{unit}#DVC]",
            now=now,
        )
        await tx.flush()
        mail = (await tx.scalars(select(CaseMail).where(CaseMail.case_id == case.id))).one()
        assert kit.keys.open("support_mails.subject", mail.id, mail.subject) == f"[VTR#DVC] {case.code}"


@pytest.mark.parametrize("lang", ["vi", "en"])
async def test_pages_are_in_its_words_and_colours_and_say_no_other_name(
    province: Service, browser: Browser, lang: str
) -> None:
    office = Office(province)
    await office.open()
    asked = await office.asks("Nguyễn Thị Định")
    context = await browser.new_context(base_url=province.url)
    await context.add_cookies([{"name": "lang", "value": lang, "url": province.url}])
    page = await context.new_page()
    for path in ("/demo/phone#/", "/demo/phone#/check", "/demo/mail", "/workspace/login"):
        await _is_the_provinces(page, path)
    token = await office.token_of(office.chi)
    await context.add_cookies([{"name": "ngomon", "value": token, "url": province.url}])
    for path in ("/workspace", f"/workspace/requests/{asked}"):
        await _is_the_provinces(page, path)
    await context.close()


async def _is_the_provinces(page: Page, path: str) -> None:
    await page.goto(path)
    await page.reload()  # an address that differs behind the # alone is not loaded anew
    if "#" in path:
        await expect(page.locator("#screen h2").first).to_be_visible()
    assert "Vân Trình" in await page.title(), path
    bar = page.locator(".bar, .top").first
    colour = await bar.evaluate("bar => getComputedStyle(bar.closest('.top') ?? bar).backgroundColor")
    assert colour == TOP, path
    said = await page.locator("body").inner_text()
    assert not FOREIGN.search(said), (path, FOREIGN.search(said))
    for size in SIZES:
        await page.set_viewport_size(size)  # type: ignore[arg-type]
        assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"], path
