"""What is sent, typed, looked for and framed that no page of ours offers, in a real browser (cases TW06 to TW17)."""

from __future__ import annotations

import csv
import re
import zipfile
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from playwright.async_api import Browser, expect
from sqlalchemy import select

from backend.roles.models import RequestStep, Role, RoleRequest
from tests.workspace.elsewhere import NEIGHBOUR, STRANGER, another_origin, attacks
from tests.workspace.glass import at, outspoken
from tests.workspace.office import Office
from tests.workspace.tampering import added, pasted
from tests.workspace.test_presses import silent, status_of

# what a browser shows does not depend on where the rows are kept
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)
INBOX, MALFORMED = "Yêu cầu chờ duyệt", "Biểu mẫu hoặc địa chỉ không hợp lệ"
FOREIGN, SIGN_IN = "Thao tác không đến từ trang này", "Đăng nhập bằng VNeID"
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


async def words_of(office: Office, request_id: UUID) -> list[str | None]:
    """What each step says."""
    async with office.service.db.read() as tx:
        said = select(RequestStep.decision).where(RequestStep.request_id == request_id)
        return list(await tx.scalars(said))


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no_scripts"])
async def test_tw06_fields_that_a_script_adds_are_refused_in_words_and_change_nothing(
    office: Office, browser: Browser, scripts: bool
) -> None:
    request_id = await office.asks("Đinh Thị Thêm Trường")
    async with at(office, browser) as context:
        page = await context.new_page()
        await silent(page)
        if not scripts:  # the form goes as a page, without htmx
            await page.route("**/static/*/workspace.js", lambda route: route.fulfill(body=""))
        for name, value in (
            ("state", "active"),
            ("unit_id", str(uuid4())),
            ("approved_by", str(office.ha.account_id)),
            ("role", "manager"),
            ("decision", "rejected"),
        ):
            await page.goto(f"/workspace/requests/{request_id}")
            await added(page, name, value)
            await page.get_by_role("button", name="Phê duyệt").click()
            await expect(page.get_by_role("heading", level=1)).to_have_text(MALFORMED)
            async with office.service.db.read() as tx:
                found = await tx.get_one(RoleRequest, request_id)
                assert (found.status, found.version, found.decided_by) == ("pending", 1, None), name
                assert not list(await tx.scalars(select(Role).where(Role.account_id == found.account_id)))


@pytest.mark.parametrize("host", [STRANGER, NEIGHBOUR])
async def test_tw08_another_origins_page_decides_nothing_while_the_manager_is_signed_in(
    office: Office, browser: Browser, host: str
) -> None:
    request_id = await office.asks("Đinh Văn Nơi Khác")
    path = f"/workspace/requests/{request_id}"
    async with outspoken(office, browser) as context:
        page = await context.new_page()
        await silent(page)
        await page.goto(path)
        token = await page.locator("form.decide [name=_csrf]").input_value()  # the worst case: it is known
        place = f"{office.service.url}{path}/decision"
        answers: list[tuple[str, int]] = []
        page.on("response", lambda answer: answers.append((answer.request.method, answer.status)))
        async with another_origin(attacks(place, token), host) as evil:
            await page.goto(evil)
            await page.evaluate("sent.then(() => true)")
            for name in ("plain", "text", "parts", "address"):
                await page.goto(evil)
                async with page.expect_navigation():
                    await page.get_by_role("button", name=name).click()
                heading = page.get_by_role("heading", level=1)
                if name == "address":
                    await expect(heading).to_have_text("Địa chỉ hoặc tham số không hợp lệ")
                elif host == NEIGHBOUR:
                    await expect(heading).to_contain_text(FOREIGN)
                else:  # the cookie did not come along
                    await expect(page.get_by_role("link", name=SIGN_IN)).to_be_visible()
                assert await status_of(office, request_id) == "pending", name
        refused = 403 if host == NEIGHBOUR else 303
        assert {status for method, status in answers if method == "POST"} == {refused}, answers
        assert await words_of(office, request_id) == [None]
        await page.goto(path)
        await page.get_by_role("button", name="Phê duyệt").click()
        await expect(page.get_by_role("button", name="Hoàn tác")).to_be_visible()
    assert await status_of(office, request_id) == "approved", "the manager's own press still counts"


ZALGO = "Z" + "\u0301\u0316\u0334\u0360" * 20
REFUSED = {
    "zalgo": ZALGO,
    "override": "Từ chối \u202eđảo ngược\u202c",
    "isolate": "Từ \u2066chối\u2069",
    "zero width": "Từ\u200bchối\u200b",
    "joined emoji": "Gia đình 👨\u200d👩\u200d👧",
    "a mark of order": "\ufeffTừ chối vì\ufeffthế",
    "too long": "x" * 501,
    "five thousand": "dài " * 1_250,
}
TAKEN = {
    "look-alikes": "Ng\u0443\u0435n V\u0430n \uff2e\uff27 của người khác",
    "one word": "ﷺ" * 100 + "W" * 390,
    "marked twice": "e\u0302\u0301" * 60,
    "emoji": "🏴🇻🇳👍🏽" * 40,
}


async def test_tw10_a_reason_that_nobody_can_read_is_refused_in_words_and_no_other_breaks_the_page(
    office: Office, browser: Browser
) -> None:
    async with at(office, browser, viewport={"width": 360, "height": 740}) as context:
        page = await context.new_page()
        await silent(page)
        request_id = await office.asks("Đinh Thị Đọc Được")
        await page.goto(f"/workspace/requests/{request_id}")
        await page.get_by_role("button", name="Từ chối").click()
        for name, text in REFUSED.items():
            box = page.get_by_role("textbox", name="Lý do")
            await box.fill("")
            await pasted(page, text)
            async with page.expect_response("**/decision") as answer:
                await page.get_by_role("button", name="Từ chối").click()
            assert (await answer.value).status == 422, name
            told = "Nội dung quá dài" if len(text) > 500 else "Có ký tự không được phép"
            await expect(page.get_by_role("alert").first).to_contain_text(told)
            await expect(box).to_have_value(text)
            assert await page.evaluate(SIDEWAYS) == 0, name
            assert await words_of(office, request_id) == [None], name
        await pasted(page, "dài " * 250_000)
        await page.get_by_role("button", name="Từ chối").click()
        await expect(page.get_by_role("alert").filter(has_text="Nội dung gửi lên quá lớn")).to_be_visible()
        await expect(page.get_by_role("textbox", name="Lý do")).to_have_value("dài " * 250_000)
        assert await words_of(office, request_id) == [None]
        for name, text in TAKEN.items():
            request_id = await office.asks("Đinh Thị Đọc Được")
            await page.goto(f"/workspace/requests/{request_id}")
            await page.get_by_role("button", name="Từ chối").click()
            await pasted(page, text)
            await page.get_by_role("button", name="Từ chối").click()
            await expect(page.get_by_role("button", name="Hoàn tác")).to_be_visible()
            await page.goto(f"/workspace/requests/{request_id}")
            await expect(page.get_by_text("Lý do: ")).to_be_visible()
            assert await page.evaluate(SIDEWAYS) == 0, name
            assert await status_of(office, request_id) == "rejected", name


COMPUTED = ("=HYPERLINK(1)", "+84912345678", "@SUM(1)", "-2+3", "\uff1d1+1", '="x"', "a;=1+1")
ASKS_TO_COMPUTE = re.compile("^[=+\\-@\uff1d\uff0b\uff0d\uff20\t\r]")


async def test_tw11_no_cell_of_a_downloaded_file_is_one_that_a_spreadsheet_computes(
    office: Office, browser: Browser, tmp_path: Path
) -> None:
    for name in COMPUTED:
        await office.has_role(name)
    async with at(office, browser) as context:
        page = await context.new_page()
        for path in ("/workspace/decisions", "/workspace/audit"):
            await page.goto(path)
            kept = {}
            for kind in ("CSV", "XLSX"):
                async with page.expect_download() as download:
                    await page.get_by_role("link", name=f"Xuất {kind}").click()
                kept[kind] = tmp_path / f"{path.rpartition('/')[2]}.{kind}"
                await (await download.value).save_as(kept[kind])
            text = kept["CSV"].read_bytes().decode("utf-8-sig")
            cells = [cell for row in csv.reader(text.splitlines(keepends=True)) for cell in row]
            assert not [cell for cell in cells if ASKS_TO_COMPUTE.match(cell)]
            assert set(COMPUTED) <= {cell.removeprefix("'") for cell in cells}, "and nothing else is changed"
            with zipfile.ZipFile(kept["XLSX"]) as book:
                sheet = book.read("xl/worksheets/sheet1.xml").decode()
                assert "<f>" not in sheet and "<f " not in sheet and "HYPERLINK(1)" in sheet


LITERAL = (
    "%",
    "_",
    "\\",
    "'",
    ")) OR 1=1",
    "'; DROP TABLE units;--",
    "NEAR(a b)",
    "*",
    '"',
    "\u202e",
    "x" * 100,
)
FOUND = ("Đinh Thị Ơ", "dinh thi o", "Đinh Thị Ơ", "ĐINH THỊ")


async def test_tw12_tw13_odd_searches_and_columns_nobody_offers_find_and_sort_nothing(
    office: Office, browser: Browser
) -> None:
    for number in range(3):
        await office.asks(f"Đinh Thị Ơ {number}")
    await office.has_role("Đinh Thị Ơ Vai")
    async with at(office, browser) as context:
        page = await context.new_page()
        await silent(page)
        for path, button in (("/workspace", "Lọc"), ("/workspace/people", "Tìm")):
            await page.goto(path)
            order = await page.locator("#main li").all_inner_texts()
            for text in (*LITERAL, *FOUND):  # each in the page that the one before has found
                await page.get_by_role("searchbox").fill(text)
                async with page.expect_navigation() as answer:
                    await page.get_by_role("button", name=button, exact=True).click()
                shown = await answer.value
                assert shown is not None and shown.status == 200, (path, text, shown)
                await expect(page.get_by_role("heading", level=1)).to_be_visible()
                names = page.get_by_role("link", name="Đinh Thị Ơ")
                assert bool(await names.count()) == (text in FOUND), (path, text)
                assert await page.evaluate(SIDEWAYS) == 0, (path, text)
            for name in ("sort", "order", "order_by", "column"):
                for column in ("password_hash", "1;--", "national_id desc"):
                    await page.goto(f"{path}?{urlencode({name: column})}")
                    assert await page.locator("#main li").all_inner_texts() == order, (path, name, column)


SPEAK = """name => {
  for (const word of ["over", "look", { decision: "approved" }]) window[name].postMessage(word, "*");
}"""


async def test_tw15_another_origin_neither_frames_a_page_nor_holds_nor_speaks_to_its_window(
    office: Office, browser: Browser
) -> None:
    request_id = await office.asks("Đinh Thị Khung")
    place = f"{office.service.url}/workspace/requests/{request_id}"
    evil_page = f"""<iframe src="{place}"></iframe><a target="_blank" rel="opener" href="{place}">link</a>
<button onclick="window.held = window.open('{place}')">open</button>"""
    async with outspoken(office, browser) as context, another_origin(evil_page, NEIGHBOUR) as evil:
        page = await context.new_page()
        await page.goto(evil)
        framed = page.frames[1]
        assert framed.url.startswith("chrome-error:"), framed.url
        await expect(page.frame_locator("iframe").get_by_text("Đinh Thị Khung")).to_have_count(0)
        async with context.expect_page() as opened:
            await page.get_by_role("link").click()
        popup = await opened.value
        await expect(popup.get_by_role("button", name="Phê duyệt")).to_be_visible()
        assert await popup.evaluate("window.opener") is None
        async with context.expect_page():
            await page.get_by_role("button").click()
        await page.wait_for_function("held.closed")  # to its opener the window is gone
        for speaker, listener in ((page, "held"), (popup, "window")):
            await speaker.evaluate(SPEAK, listener)
        await popup.evaluate("new Promise(done => setTimeout(done, 300))")
        await expect(popup.get_by_role("button", name="Phê duyệt")).to_be_visible()
        assert popup.url == place
    assert await words_of(office, request_id) == [None]


async def test_tw17_the_journal_narrowed_to_another_units_code_shows_nothing_of_it(
    office: Office, browser: Browser
) -> None:
    await office.has_role("Đinh Thị Nhật Ký")
    await office.has_role("Đinh Văn Bên Kia", unit=office.other)
    nothing = "Chưa có việc nào khớp với bộ lọc"
    async with at(office, browser) as context:
        page = await context.new_page()
        await page.goto("/workspace/audit")
        await expect(page.get_by_text("Đinh Thị Nhật Ký").first).to_be_visible()
        for code in (office.other, office.root, f"{office.unit}' OR '1'='1", "%"):
            await page.goto("/workspace/audit")
            option = page.locator("#unit option").nth(1)
            await option.evaluate("(option, code) => { option.value = code; option.selected = true; }", code)
            await page.get_by_role("button", name="Lọc", exact=True).click()
            await page.wait_for_url("**/workspace/audit?*")
            if code != office.root:  # below the root lies the own unit
                await expect(page.get_by_text(nothing)).to_be_visible()
            await expect(page.get_by_text("Đinh Văn Bên Kia")).to_have_count(0)
        for query in ({"unit": office.other}, {"person": str(office.dung.account_id)}, {"cursor": "999999"}):
            await page.goto(f"/workspace/audit?{urlencode(query)}")
            await expect(page.get_by_role("heading", level=1)).to_have_text("Nhật ký")
            await expect(page.get_by_text("Đinh Văn Bên Kia")).to_have_count(0)
        await expect(page.get_by_role("button", name=re.compile("Xóa|Sửa"))).to_have_count(0)
