"""What a walk found: files in words of ours and longer than they may be, long lists above a form, pages that look empty."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from backend.imports.rows import records
from backend.roles import audit_next, audit_wanted, units
from tests.workspace.glass import at
from tests.workspace.office import Desk, Office

# what a browser shows does not depend on where the rows are kept
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)
PATH = "/workspace/operator"
COLOUR = "one => getComputedStyle(one).color"
NOTHING = "rgba(0, 0, 0, 0)"


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no_scripts"])
async def test_a_file_is_chosen_in_words_of_ours(
    office: Office, browser: Browser, tmp_path: Path, scripts: bool
) -> None:
    (tmp_path / "don-vi.csv").write_text("code,name\n", encoding="utf-8")
    async with at(office, browser, office.ha, java_script_enabled=scripts) as context:
        page = await context.new_page()
        await page.goto(PATH)
        field, words = page.locator("#file-units"), page.locator("label[for=file-units].button")
        await expect(words).to_have_text("Chọn tệp")
        assert await field.evaluate(COLOUR) == NOTHING, "what the browser says of an empty field is not ours"
        async with page.expect_file_chooser() as asked:
            await words.click()
        await (await asked.value).set_files(tmp_path / "don-vi.csv")
        assert await field.evaluate(COLOUR) != NOTHING, "the name of the chosen file is read"
        await page.goto("/workspace/reorganisations?lang=en")
        await expect(page.locator("label[for=people-file].button")).to_have_text("Choose a file")


async def test_a_file_above_the_limit_gets_a_page_that_says_the_limit(
    office: Office, browser: Browser, tmp_path: Path
) -> None:
    most = office.service.kit.limits.upload_bytes
    (tmp_path / "lon.csv").write_bytes(b"code,name\n" + b"x" * most)
    async with at(office, browser, office.ha) as context:
        page = await context.new_page()
        for place, button in (
            (PATH, "Xem kế hoạch: Đơn vị"),
            ("/workspace/reorganisations", "Xem phương án"),
        ):
            await page.goto(place)
            await page.locator("input[type=file]").first.set_input_files(tmp_path / "lon.csv")
            await page.get_by_role("button", name=button).first.click()
            await expect(page.get_by_role("heading", name="Tệp gửi lên quá lớn")).to_be_visible()
            await expect(page.get_by_text(f"không được lớn hơn {most >> 20} MB")).to_be_visible()


async def test_the_operators_header_is_one_line_at_1280_and_the_form_stands_above_the_list(
    office: Office, browser: Browser
) -> None:
    for number in range(3):
        await office.person(f"Đỗ Văn Danh Sách {number}", manages=office.unit)
    async with at(office, browser, office.ha, viewport={"width": 1280, "height": 800}) as context:
        page = await context.new_page()
        for lang in ("vi", "en"):
            await page.goto(f"{PATH}?lang={lang}")
            header = await page.locator("header.top").bounding_box()
            assert header is not None and header["height"] < 64, (lang, header)
        form = await page.locator("form[action$=appointments]").bounding_box()
        first = await page.locator("form.end").first.bounding_box()
        assert form is not None and first is not None and form["y"] < first["y"]


async def test_a_quiet_unit_does_not_say_that_nothing_fits_while_older_entries_were_not_looked_at(
    office: Office, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    quiet = f"QH-{office.number}"
    row = {
        "code": quiet,
        "name": "Phòng Yên Tĩnh",
        "kind": "division",
        "parent_code": office.unit,
        "agency_code": "",
    }
    async with office.service.db.write() as tx:
        await units.bring_in(tx, office.service.kit, records([row]), by=None, now=office.service.clock.now())
    for number in range(12):
        await office.has_role(f"Lê Văn Ồn Ào {number}")
    for where in (audit_next, audit_wanted):
        monkeypatch.setattr(where, "CHUNK", 2)
    page = await desk.page("/workspace/audit", unit=quiet)
    assert "Chưa thấy việc nào khớp trong phần nhật ký đã xem" in page and "Cũ hơn</a>" in page
    assert "Chưa có việc nào khớp" not in page
    monkeypatch.undo()
    page = await desk.page("/workspace/audit", unit=quiet, to="01/01/2020")
    assert "Chưa có việc nào khớp với bộ lọc" in page and "Cũ hơn</a>" not in page
