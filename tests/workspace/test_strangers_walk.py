"""What misled somebody who had never been here, and what is said instead: slips, days, people, columns, browsers."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.async_api import Browser, expect

from tests.parts.client import client
from tests.workspace.glass import at
from tests.workspace.office import Desk, Office
from tests.workspace.test_deciding import word
from tests.workspace.test_reorganisations import HEAD, lay

OPERATOR = "/workspace/operator"


async def test_a_slip_that_cannot_be_yet_says_when_it_will_be(office: Office, desk: Desk) -> None:
    path = f"/workspace/requests/{await office.asks('Quách Thị Sớm')}"
    waiting = await desk.http.get(f"{path}/slip")
    assert waiting.status_code == 409 and "Chưa in được phiếu" in waiting.text
    await desk.send(f"{path}/decision", word("approved"))
    early = await desk.http.get(f"{path}/slip?lang=en")
    assert early.status_code == 409 and "can no longer be undone" in early.text
    office.service.pass_time(seconds=11)
    assert 'class="qr"' in await desk.page(f"{path}/slip")


async def test_the_code_of_a_slip_is_typed_by_hand_as_people_type(office: Office, desk: Desk) -> None:
    path = f"/workspace/requests/{await office.has_role('Quách Văn Gõ')}"
    office.service.pass_time(seconds=11)
    found = re.search(r"/verify/([A-Z2-7]{26})", await desk.page(f"{path}/slip"))
    assert found is not None
    typed = f" {found.group(1)[:13].lower()} - {found.group(1)[13:]} "
    async with client(office.service.url) as anybody:
        first = await anybody.get("/verify")
        assert first.status_code == 200 and 'name="code"' in first.text and "không đúng" not in first.text
        answer = await anybody.get("/verify", params={"code": typed}, follow_redirects=True)
        assert "Phiếu này đúng" in answer.text and answer.url.path.endswith(
            typed.replace(" ", "").replace("-", "")
        )
        for said in ("ABC", "???"):
            wrong = await anybody.get("/verify", params={"code": said}, follow_redirects=True)
            assert wrong.status_code == 404 and "Phiếu này không đúng" in wrong.text
            assert f'value="{said}"' in wrong.text, "what was typed stays"


async def test_nobody_is_appointed_from_a_past_day_and_all_that_is_wrong_is_said_at_once(
    office: Office,
) -> None:
    desk, new = await office.desk(office.ha), await office.person("Đỗ Thị Hôm Qua")
    form = {"person": new.persona.national_id, "unit": office.unit, "from": "31/12/2020"}
    past = await desk.send(f"{OPERATOR}/appointments", form)
    assert past.status_code == 422 and "Ngày bắt đầu không được ở quá khứ" in past.text
    empty = await desk.send(f"{OPERATOR}/appointments", {"person": "", "unit": ""})
    assert "Hãy cho biết ai sẽ phụ trách" in empty.text and "Không có đơn vị này trong phạm vi" in empty.text
    today = f"{office.service.clock.now() + timedelta(hours=7):%d/%m/%Y}"
    assert (await desk.send(f"{OPERATOR}/appointments", form | {"from": today})).status_code == 303
    await desk.http.aclose()


async def test_a_file_with_a_wrong_day_or_column_is_told_what_would_be_right(office: Office) -> None:
    desk = await office.desk(office.ha)
    text = f"{HEAD}rename,{office.other},,Sở Tài chính mới,31/02/2027\n"
    plan = await lay(desk, "/workspace/reorganisations/plan", file=text)
    assert "ghi đủ ngày/tháng/năm, ví dụ 05/03/2027" in plan.text and "1950" not in plan.text
    wrong = await lay(desk, f"{OPERATOR}/imports/units/plan", file="ten,ma\nA,B\n")
    assert wrong.status_code == 422 and "cho đúng tên các cột" in wrong.text
    assert "<code>code, name" in wrong.text, "the columns stand on the page that asks for them"
    await desk.http.aclose()


async def test_a_delegation_to_oneself_and_to_nobody_are_told_apart(office: Office, desk: Desk) -> None:
    until = f"{office.service.clock.now() + timedelta(days=5):%d/%m/%Y}"
    form = {"kinds": ["register"], "units": [office.unit], "from": "", "until": until}
    own = await desk.send("/workspace/delegations", form | {"to": office.chi.persona.national_id})
    assert own.status_code == 422 and "Bạn đang có quyền này rồi" in own.text
    nobody = await desk.send("/workspace/delegations", form | {"to": "000090999999"})
    assert nobody.status_code == 422 and "Không thấy người này" in nobody.text


@pytest.mark.parametrize("service", ["sqlite"], indirect=True)
async def test_a_session_is_named_in_words_of_ours_not_in_the_browsers_own(
    office: Office, browser: Browser
) -> None:
    async with at(office, browser) as context:
        page = await context.new_page()
        await context.clear_cookies()
        await page.goto("/workspace/login/start")
        await page.locator(f'button[value="{office.chi.persona.key}"]').click()
        await expect(page.get_by_role("heading", name="Yêu cầu chờ duyệt")).to_be_visible()
        await page.goto("/workspace/settings")
        mine = page.locator("#sessions ~ ul li", has_text="Phiên này")
        await expect(mine.locator("strong")).to_have_text(re.compile(r"^(Headless)?Chrome, \w+$"))
