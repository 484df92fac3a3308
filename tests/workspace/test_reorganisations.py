"""The operator's page of reorganisations: a file, a plan in two trees, a run that the worker carries, and back."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import httpx2
import msgspec
import pytest
from msgspec.structs import force_setattr
from playwright.async_api import Browser, Page, expect
from sqlalchemy import select

from backend.db import new_id
from backend.imports import plan as imports
from backend.outside.clock import local_day
from backend.roles.models import Role
from backend.roles.reorganising.models import Reorganisation
from backend.roles.reorganising.plan import Wanted
from tests.attacks.test_transport import status_of, wire
from tests.parts.browser import axe
from tests.workspace.glass import WAIT, at
from tests.workspace.office import SAME_SITE, TOKEN, Desk, Office
from tests.workspace.test_fresh import back, signed_in_before

PATH = "/workspace/reorganisations"
COLUMNS = "action,unit_code,target_code,new_name"
HEAD = f"{COLUMNS},effective_on\n"
DECISION = {"decision_number": "12/QĐ-UBND"}


def merger(office: Office, name: str = "", on: str = "") -> str:
    day = on or f"{local_day(office.service.clock.now()):%d/%m/%Y}"
    return f"{HEAD}merge,{office.unit},{office.other},{name},{day}\n"


async def lay(desk: Desk, place: str, **files: str | bytes) -> httpx2.Response:
    """Send files as a browser does."""
    token = TOKEN.search(await desk.page("/workspace"))
    assert token is not None
    sent = {name: (f"{name}.csv", text, "text/csv") for name, text in files.items()}
    return await desk.http.post(place, data={"_csrf": token.group(1)}, files=sent, headers=SAME_SITE)


async def planned(desk: Desk, text: str, **more: str) -> str:
    """The address of the plan that was made of a file."""
    answer = await lay(desk, f"{PATH}/plan", file=text, **more)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def carried(desk: Desk, place: str, state: str) -> str:
    """The page of a run, once it is so far."""
    async with asyncio.timeout(30):
        while state not in (page := await desk.page(place)):
            await asyncio.sleep(0.2)
    return page


async def test_a_file_is_planned_run_and_taken_back(office: Office) -> None:
    await office.has_role("Đặng Thị Sáp")
    await office.has_role("Đặng Văn Nhập")
    desk = await office.desk(office.ha)
    assert f'href="{PATH}"' in await desk.page("/workspace")
    place = await planned(desk, merger(office, "Sở Nội chính"))
    page = await desk.page(place)
    assert "Sở Nội chính" in page and "2 người chuyển đi" in page and "nhận 2 người" in page
    assert "Đặng Thị Sáp (000****" in page and "Đặng Văn Nhập (000****" in page
    missing = await desk.send(f"{place}/run", {"decision_number": " "})
    assert missing.status_code == 422 and "Vui lòng ghi số quyết định" in missing.text
    begun = await desk.send(f"{place}/run", DECISION)
    run = begun.headers["location"]
    again = await desk.send(f"{place}/run", DECISION)
    assert again.headers["location"] == run, "a second press leads to the same run"
    moved = await desk.http.get(place)
    assert moved.headers["location"] == run
    page = await carried(desk, run, "Đã hoàn tất")
    assert "12/QĐ-UBND" in page and "Trần Thu Hà" in page
    assert "12/QĐ-UBND" in await desk.page(PATH)
    back = await desk.send(f"{run}/reverse", {})
    assert back.status_code == 303, back.text
    page = await carried(desk, run, "Đã hoàn nguyên")
    assert "Hoàn nguyên xong" in page
    twice = await desk.send(f"{run}/reverse", {})
    assert twice.status_code == 409 and "chưa hoàn tất hoặc đã được hoàn nguyên" in twice.text
    await desk.http.aclose()


async def test_whoever_manages_no_root_and_the_operator_of_another_find_no_such_page(office: Office) -> None:
    desk = await office.desk(office.ha)
    place = await planned(desk, merger(office))
    run = (await desk.send(f"{place}/run", DECISION)).headers["location"]
    await carried(desk, run, "Đã hoàn tất")
    nobody = await office.person("Đặng Thị Không")
    elsewhere = Office(office.service)
    await elsewhere.open()
    for who in (office.chi, nobody):
        other_desk = await office.desk(who)
        for path in (PATH, place, run):
            assert (await other_desk.http.get(path)).status_code == 404, path
        await other_desk.http.aclose()
    theirs = await office.desk(elsewhere.ha)
    assert "12/QĐ-UBND" not in await theirs.page(PATH)
    for path in (place, run):
        assert (await theirs.http.get(path)).status_code == 404, path
    refused = await lay(theirs, f"{PATH}/plan", file=merger(office))
    assert refused.status_code == 422 and refused.text.count("Không có đơn vị mang mã này") == 2
    assert (await theirs.send(f"{run}/reverse", {})).status_code == 404
    await theirs.http.aclose()
    await desk.http.aclose()


async def test_a11_running_wants_a_sign_in_of_today_and_keeps_the_number(office: Office) -> None:
    desk = await office.desk(office.ha)
    place = await planned(desk, merger(office))
    await signed_in_before(office, office.ha, days=1)
    asked = await desk.send(f"{place}/run", DECISION)
    page = await back(desk, office, asked, office.ha)
    assert 'value="12/QĐ-UBND"' in page and "hãy xem lại rồi bấm lần nữa" in page
    assert "Chưa có đợt sắp xếp nào" in await desk.page(PATH), "nothing was begun"
    await desk.http.aclose()


async def test_a_run_that_no_worker_takes_up_says_so(office: Office) -> None:
    """The service of the tests carries its own worker: the run is written down as if there were none."""
    service, run = office.service, new_id()
    now = service.clock.now()
    async with service.db.write() as tx:
        text = msgspec.json.encode(Wanted([], {}, {}, {})).decode()
        one = Reorganisation(id=run, decision="9/QĐ", state="running", effective_on=local_day(now), plan=text)
        one.people, one.started_at = 3, now - timedelta(minutes=2)
        tx.add(one)
    desk = await office.desk(office.ha)
    page = await desk.page(f"{PATH}/{run}")
    assert "0 trong 3 người" in page and "ngomon worker" in page and "Hoàn nguyên" not in page
    async with service.db.write() as tx:
        await tx.delete(await tx.get_one(Reorganisation, run))
    await desk.http.aclose()


async def test_what_is_wrong_with_either_file_is_named_by_line_and_cell(office: Office) -> None:
    await office.has_role("Đặng Văn Chia")
    desk = await office.desk(office.ha)
    none = await lay(desk, f"{PATH}/plan")
    assert none.status_code == 422 and "Hãy chọn một tệp" in none.text
    wrong = await lay(
        desk, f"{PATH}/plan", file=f"{COLUMNS}\ntron,{office.unit},,\nmerge,{office.unit},X9,\n"
    )
    assert wrong.status_code == 422
    for said in ("Dòng 2", "<code>action</code>", "Không có hành động này"):
        assert said in wrong.text, said
    split = f"{COLUMNS}\nsplit,{office.unit},{office.other},\n"
    shares = f"national_id,target_code\n0001,{office.other}\n"
    wrong = await lay(desk, f"{PATH}/plan", file=split, people=shares)
    for said in ("thuộc tệp người", "<code>national_id</code>", "12 chữ số", "1 người"):
        assert said in wrong.text, said
    english = await desk.http.get(PATH, params={"lang": "en"})
    assert "Reorganisations of units" in english.text
    strange = await lay(desk, f"{PATH}/plan", other="x")
    assert strange.status_code == 400
    await desk.http.aclose()


async def test_a_plan_that_is_stale_and_one_for_a_later_day_say_so_in_words(office: Office) -> None:
    await office.has_role("Đặng Văn Cũ")
    desk, now = await office.desk(office.ha), office.service.clock.now()
    later = await planned(desk, merger(office, on=f"{local_day(now + timedelta(days=2)):%d/%m/%Y}"))
    page = await desk.page(later)
    assert "chỉ chạy được vào chính ngày ấy" in page and f'action="{later}/run"' not in page
    early = await desk.send(f"{later}/run", DECISION)
    assert early.status_code == 409 and "chưa đến ngày có hiệu lực" in early.text
    place = await planned(desk, merger(office))
    await office.has_role("Đặng Văn Mới")
    for answer in (await desk.send(f"{place}/run", DECISION), await desk.http.get(place)):
        assert answer.status_code == 409
        assert f"<code>{office.unit}</code>: vai trò của người trong đơn vị" in answer.text
        assert "Lập lại phương án" in answer.text and "/run" not in answer.text
    await desk.http.aclose()


async def test_the_brake_is_said_and_a_reversal_names_whose_roles_changed(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imports, "FEW", 0)
    limits = office.service.kit.limits
    usual = limits.mass_change_percent
    who = await office.person("Đặng Văn Phanh")
    await office.employ(who)
    desk = await office.desk(office.ha)
    force_setattr(limits, "mass_change_percent", 0)
    try:
        place = await planned(desk, merger(office))
        assert "Phanh: 1 trong" in await desk.page(place)
        braked = await desk.send(f"{place}/run", DECISION)
        assert braked.status_code == 409 and "Phanh: thay đổi này lớn hơn" in braked.text
        assert "12/QĐ-UBND" in braked.text, "what was typed stays"
        run = (await desk.send(f"{place}/run", {**DECISION, "brake_off": "1"})).headers["location"]
        await carried(desk, run, "Đã hoàn tất")
        braked = await desk.send(f"{run}/reverse", {})
        assert braked.status_code == 409 and "Phanh: 1 trong" in braked.text
    finally:
        force_setattr(limits, "mass_change_percent", usual)
    async with office.service.db.read() as tx:
        held = (Role.account_id == who.account_id, Role.state == "active")
        role = await tx.scalar(select(Role.id).where(*held))
    manager = await office.desk(office.dung)
    ended = await manager.send(f"/workspace/people/{role}/end", {"reason": "Nghỉ hưu"})
    assert ended.status_code == 303
    force_setattr(limits, "mass_change_percent", 100)
    try:
        refused = await desk.send(f"{run}/reverse", {})
        assert refused.status_code == 409 and "Đặng Văn Phanh (000****" in refused.text
        left = await desk.send(f"{run}/reverse", {"leave_changed": "1"})
        assert left.status_code == 303, left.text
    finally:
        force_setattr(limits, "mass_change_percent", usual)
    await carried(desk, run, "Đã hoàn nguyên")
    await manager.http.aclose()
    await desk.http.aclose()


async def test_a_file_of_a_stranger_is_cut_and_one_of_the_operator_is_read(
    office: Office, desk: Desk
) -> None:
    big = merger(office) + "," * 70_000
    operator = await office.desk(office.ha)
    read = await lay(operator, f"{PATH}/plan", file=big)
    assert read.status_code == 303, read.text
    token = operator.http.cookies["ngomon"]
    await operator.http.aclose()
    for path, cookie in ((f"{PATH}/plan", "none"), ("/workspace/bulk", token)):
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nCookie: ngomon={cookie}\r\nContent-Length: 65537\r\n\r\n"
        assert status_of(await wire(office.service, head.encode())) == 413, path


SIZES = ({"width": 1280, "height": 900}, {"width": 360, "height": 740})


async def looked_at(page: Page, name: str, folder: Path) -> list[str]:
    """What axe finds at both widths in both languages, and whether it is ever wider than the screen."""
    faults, here = [], page.url
    for lang in ("en", "vi"):
        await page.goto(f"{here}?lang={lang}")
        for size in SIZES:
            await page.set_viewport_size(size)  # type: ignore[arg-type]
            faults += [f"{name} {lang} {size['width']}: {fault}" for fault in await axe(page)]
            wide = await page.evaluate("document.documentElement.scrollWidth")
            faults += [f"{name} {lang} is {wide} wide"] if wide > size["width"] else []
            await page.screenshot(path=folder / f"{name}-{lang}-{size['width']}.png", full_page=True)
    return faults


@pytest.mark.parametrize("service", ["sqlite"], indirect=True)
async def test_in_a_browser_the_progress_follows_by_itself(
    office: Office, browser: Browser, tmp_path: Path
) -> None:
    await office.has_role("Đặng Thị Trình")
    (tmp_path / "acts.csv").write_text(merger(office, "Sở Nội vụ và Tài chính"), encoding="utf-8")
    async with at(office, browser, office.ha) as context:
        page = await context.new_page()
        await page.goto(PATH)
        faults = await looked_at(page, "list", tmp_path)
        await page.get_by_label("Tệp sắp xếp").set_input_files(tmp_path / "acts.csv")
        await page.get_by_role("button", name="Xem phương án").click()
        await expect(page.get_by_role("heading", name="Trước")).to_be_visible()
        faults += await looked_at(page, "plan", tmp_path)
        await page.get_by_label("Số quyết định").fill("15/QĐ-UBND")
        await page.get_by_role("button", name="Chạy").click()
        await expect(page.get_by_role("button", name="Hoàn nguyên")).to_be_visible(timeout=WAIT)
        faults += await looked_at(page, "run", tmp_path)
    assert not faults, "\n".join(faults)
