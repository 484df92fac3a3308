"""The operator's page: who decides for what, files with their plan, systems and the catalogue in force."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from msgspec.structs import force_setattr
from playwright.async_api import Browser, expect

from backend.imports import plan as imports
from backend.roles import authority
from tests.workspace.glass import at
from tests.workspace.office import SAME_SITE, TOKEN, Desk, Office, Somebody
from tests.workspace.test_fresh import back, signed_in_again, signed_in_before
from tests.workspace.test_kept import session_over
from tests.workspace.test_reorganisations import lay, looked_at

PATH = "/workspace/operator"
END = re.compile(rf'action="({PATH}/appointments/[^"]+/end)"[^>]*>[^§]*?aria-label="([^"]+)"')


async def codes_of(office: Office, who: Somebody) -> list[str]:
    async with office.service.db.read() as tx:
        found = await authority.of(tx, office.service.kit, who.account_id, now=office.service.clock.now())
        return [post.code for post in found.units]


async def test_somebody_is_appointed_and_dismissed(office: Office) -> None:
    desk, new = await office.desk(office.ha), await office.person("Đỗ Thị Giao")
    assert f'href="{PATH}"' in await desk.page("/workspace")
    form = {"person": new.persona.national_id, "unit": office.unit, "until": "31/12/2030"}
    wrong = await desk.send(f"{PATH}/appointments", {**form, "until": "31/02/2030", "unit": "XX"})
    assert (
        wrong.status_code == 422
        and "Ngày theo dạng" in wrong.text
        and f'value="{form["person"]}"' in wrong.text
    )
    given = await desk.send(f"{PATH}/appointments", form)
    page = await desk.page(given.headers["location"])
    assert "Đã giao phụ trách" in page and "Đỗ Thị Giao" in page and "đến hết ngày" in page
    assert await codes_of(office, new) == [office.unit]
    again = await desk.send(f"{PATH}/appointments", form)
    assert again.status_code == 409 and "đang phụ trách đơn vị ấy rồi" in again.text
    ends = {label: place for place, label in END.findall(page)}
    place = next(place for label, place in ends.items() if label.endswith("Đỗ Thị Giao"))
    asked = await desk.send(place, {})
    assert (
        asked.status_code == 200 and f"Đỗ Thị Giao sẽ thôi phụ trách Sở Nội vụ {office.number}" in asked.text
    )
    assert await codes_of(office, new) == [office.unit], "one press takes nothing away"
    stale = await desk.send(place, {"confirmed": "1", "undecided": "7"})
    assert stale.status_code == 200 and await codes_of(office, new) == [office.unit], (
        "other numbers are read anew"
    )
    assert (await desk.send(place, {"confirmed": "1"})).status_code == 303
    assert await codes_of(office, new) == []
    assert not [label for label in ends if label.endswith("Trần Thu Hà")], "nobody dismisses themselves"
    async with office.service.db.read() as tx:
        now = office.service.clock.now()
        (own,) = (await authority.of(tx, office.service.kit, office.ha.account_id, now=now)).units
    refused = await desk.send(f"{PATH}/appointments/{own.appointment_id}/end", {})
    assert refused.status_code == 409 and "của chính mình" in refused.text
    await desk.http.aclose()


async def test_a_unit_that_nobody_decides_for_is_named_and_no_other_roots_unit(office: Office) -> None:
    elsewhere = Office(office.service)
    await elsewhere.open()
    desk = await office.desk(office.ha)
    page = await desk.page(PATH)
    assert "Đơn vị nào cũng có người quyết định" in page
    for place, label in END.findall(page):
        if label.endswith("Lê Thị Chi"):
            assert (await desk.send(place, {"confirmed": "1"})).status_code == 303
    page = await desk.page(PATH)
    assert f"<code>{office.unit}</code>" in page and "Tạm do" in page
    assert elsewhere.unit not in page and elsewhere.root not in page
    await desk.http.aclose()


async def test_to_everybody_but_an_operator_the_page_is_not_there(office: Office, desk: Desk) -> None:
    nobody = await office.desk(await office.person("Đỗ Thị Không"))
    for one in (desk, nobody):
        for path in (PATH, f"{PATH}/catalogue"):
            assert (await one.http.get(path)).status_code == 404, path
    assert f'href="{PATH}"' not in await desk.page("/workspace")
    refused = await desk.send(f"{PATH}/appointments", {"person": "x", "unit": office.unit})
    assert refused.status_code == 404
    await nobody.http.aclose()


@pytest.mark.parametrize("kind", ["units", "staff", "managers"])
async def test_a_file_is_planned_and_done(office: Office, kind: str) -> None:
    desk, new = await office.desk(office.ha), await office.person("Đỗ Thị Tệp")
    number = new.persona.national_id
    files = {
        "units": f"code,name,parent_code\nXA-{office.number},Xã,{office.root}\n",
        "staff": "national_id,full_name,birth_date,unit_code,subject_type,position\n"
        f"{number},Đỗ Thị Tệp,1990,{office.unit},cong_chuc,chuyen_vien\n",
        "managers": f"unit_code,national_id\n{office.other},{number}\n",
    }
    place = f"{PATH}/imports/{kind}/plan"
    bad = await lay(
        desk,
        place,
        file=files[kind].replace(office.unit, "X9").replace(office.other, "X9").replace(office.root, "X9"),
    )
    assert bad.status_code == 422 and "Dòng 2" in bad.text and "Không có đơn vị mang mã này" in bad.text
    planned = await lay(desk, place, file=files[kind])
    page = await desk.page(planned.headers["location"])
    seen = re.search(r'name="seen" value="(\w+)"', page)
    assert seen is not None and "Thực hiện" in page
    unseen = await desk.send(f"{planned.headers['location']}/confirm", {"seen": "x"})
    assert unseen.status_code == 409 and "hãy xem lại kế hoạch mới" in unseen.text
    done = await desk.send(f"{planned.headers['location']}/confirm", {"seen": seen.group(1)})
    assert done.status_code == 303, done.text
    assert "Đã nhập tệp" in await desk.page(done.headers["location"])
    gone = await desk.send(f"{planned.headers['location']}/confirm", {"seen": seen.group(1)})
    assert gone.status_code == 404
    again = await desk.page((await lay(desk, place, file=files[kind])).headers["location"])
    assert "Tệp không thay đổi gì" in again
    none = await lay(desk, place)
    assert none.status_code == 422 and "Hãy chọn một tệp" in none.text
    assert (await lay(desk, f"{PATH}/imports/khac/plan", file="x")).status_code == 404
    await desk.http.aclose()


async def test_the_brake_is_said_before_and_at_the_press(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "FEW", 0)
    limits = office.service.kit.limits
    usual = limits.mass_change_percent
    force_setattr(limits, "mass_change_percent", 0)
    try:
        desk = await office.desk(office.ha)
        text = f"code,name\n{office.unit},Sở Mới\n"
        place = (await lay(desk, f"{PATH}/imports/units/plan", file=text)).headers["location"]
        page = await desk.page(place)
        assert "Phanh: 1 trong" in page and "Sở Mới" in page and "<code>name</code>" in page
        seen = re.search(r'name="seen" value="(\w+)"', page)
        assert seen is not None
        braked = await desk.send(f"{place}/confirm", {"seen": seen.group(1)})
        assert braked.status_code == 409 and "Phanh: thay đổi này lớn hơn" in braked.text
        done = await desk.send(f"{place}/confirm", {"seen": seen.group(1), "brake_off": "1"})
        assert done.status_code == 303
        await desk.http.aclose()
    finally:
        force_setattr(limits, "mass_change_percent", usual)


async def test_the_catalogue_in_force_is_said_and_exported(office: Office) -> None:
    desk = await office.desk(office.ha)
    assert re.search(r"Phiên bản \d+", await desk.page(PATH))
    answer = await desk.http.get(f"{PATH}/catalogue")
    assert answer.status_code == 200 and "attachment" in answer.headers["content-disposition"]
    assert tomllib.loads(answer.text)["subject_types"]
    await desk.http.aclose()


async def test_a11_an_appointment_wants_a_sign_in_of_today_and_keeps_what_was_typed(office: Office) -> None:
    desk = await office.desk(office.ha)
    await signed_in_before(office, office.ha, days=1)
    form = {"person": "Đỗ Thị Nào Đó", "unit": office.unit, "from": "05/03/2031"}
    asked = await desk.send(f"{PATH}/appointments", form)
    page = await back(desk, office, asked, office.ha)
    assert all(f'value="{value}"' in page for value in form.values())
    await desk.http.aclose()


async def test_w05_what_came_after_the_session_leads_back_to_its_page_without_the_file(
    office: Office,
) -> None:
    desk = await office.desk(office.ha)
    token = TOKEN.search(await desk.page(PATH))
    assert token is not None
    await session_over(office, office.ha)
    form = {"_csrf": token.group(1), "person": "Đỗ Thị Đang Viết", "unit": office.unit}
    away = await desk.http.post(f"{PATH}/appointments", data=form, headers=SAME_SITE)
    page = await signed_in_again(desk, office, away.headers["location"], office.ha)
    assert 'value="Đỗ Thị Đang Viết"' in page
    places = {f"{PATH}/imports/units/plan": "<h1", "/workspace/reorganisations/plan": "Lập phương án từ tệp"}
    for place, said in places.items():
        token = TOKEN.search(await desk.page(PATH))
        assert token is not None
        await session_over(office, office.ha)
        sent = {"_csrf": token.group(1)}
        away = await desk.http.post(place, data=sent, files={"file": ("a.csv", "x")}, headers=SAME_SITE)
        assert away.status_code == 303, (place, away.text)
        assert said in await signed_in_again(desk, office, away.headers["location"], office.ha)
    await desk.http.aclose()


@pytest.mark.parametrize("service", ["sqlite"], indirect=True)
async def test_in_a_browser_a_file_is_laid_down_seen_and_done(
    office: Office, browser: Browser, tmp_path: Path
) -> None:
    text = f"code,name,parent_code\nXA-{office.number},Xã Mới,{office.root}\n{office.unit},Sở Nội vụ mới,{office.root}\n"
    (tmp_path / "units.csv").write_text(text, encoding="utf-8")
    async with at(office, browser, office.ha) as context:
        page = await context.new_page()
        await page.goto(PATH)
        faults = await looked_at(page, "operator", tmp_path)
        await page.get_by_label("Đơn vị (tệp)", exact=True).set_input_files(tmp_path / "units.csv")
        await page.get_by_role("button", name="Xem kế hoạch: Đơn vị").click()
        await expect(page.get_by_role("heading", name="Kế hoạch nhập")).to_be_visible()
        faults += await looked_at(page, "import", tmp_path)
        await page.get_by_role("button", name="Thực hiện").click()
        await expect(page.get_by_text("Đã nhập tệp")).to_be_visible()
    assert not faults, "\n".join(faults)
