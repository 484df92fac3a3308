"""One's own roles in a browser (case R24; source 003, IV and V)."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from backend.errors import settle
from backend.outside.clock import local_day
from backend.roles import review
from backend.support import desks
from backend.support.models import Case
from tests.workspace.office import SAME_SITE, Desk, Office, Somebody


async def send(desk: Desk, path: str, **form: str) -> str:
    """Post from the page of one's own roles; the page that follows."""
    token = (await desk.page("/workspace/me")).split('name="_csrf" value="')[1].split('"')[0]
    answer = await desk.http.post(path, data={"_csrf": token, **form}, headers=SAME_SITE)
    if answer.status_code == 303:
        return answer.headers["location"]
    return answer.text


async def says(office: Office, who: Somebody, request: str, decision: str) -> None:
    kit, now, by = office.service.kit, office.service.clock.now(), who.account_id
    asked, why = UUID(request.rsplit("/", 1)[-1]), "Thiếu mã cán bộ"
    async with office.service.db.write() as tx:
        if decision == "approved":
            settle(await review.approve(tx, kit, asked, version=None, by=by, now=now))
        else:
            settle(await review.send_back(tx, kit, asked, why, version=None, by=by, now=now))


async def test_r24_w09_whoever_manages_nothing_lands_on_their_own_roles_and_asks_for_one(
    office: Office,
) -> None:
    binh = await office.person("Trần Văn Bình")
    desk = await office.desk(binh)
    first = await desk.http.get("/workspace")
    assert (first.status_code, first.headers["location"]) == (303, "/workspace/me")
    assert (await desk.http.get("/workspace/people")).status_code == 403
    home = await desk.page("/workspace/me")
    assert "<h1" in home and "Vai trò của tôi" in home and "Đăng ký" in home and "Chuyển công tác" not in home
    assert 'name="subject_type"' in await desk.page("/workspace/me/register")
    asked = {"subject_type": "cong_chuc", "position": "chuyen_vien", "effective_on": "32/01/2027"}
    wrong = await send(desk, "/workspace/me/register", unit="Sở Nội vụ nào đó", **asked)
    assert 'value="Sở Nội vụ nào đó"' in wrong and "Không có đơn vị này" in wrong and "dd/mm/yyyy" in wrong
    asked["effective_on"] = ""
    request = await send(desk, "/workspace/me/register", unit=f"so noi vu {office.number}", **asked)
    shown = await desk.page(request)
    assert f"Đang chờ Sở Nội vụ {office.number} từ" in shown and "Rút yêu cầu" in shown
    assert "Đăng ký</button>" not in await desk.page("/workspace/me"), (
        "while one waits nothing else is offered"
    )
    twice = await send(desk, "/workspace/me/register", unit=office.unit, **asked)
    assert "Bạn đang có một yêu cầu chưa được giải quyết" in twice
    await says(office, office.chi, request, "returned")
    office.service.pass_time(seconds=11)
    again = await desk.page(f"{request}/correct")
    assert again.index("Thiếu mã cán bộ") < again.index('name="position"'), "W09: why stands above the form"
    await send(desk, f"{request}/correct", unit=office.unit, **asked, **{"fields.employee_code": "CC-1"})
    assert "Mã cán bộ" in await desk.page(request), "old and new stand side by side"
    await says(office, office.chi, request, "approved")
    home = await desk.page("/workspace/me")
    for button in ("Sửa", "Chuyển công tác", "Kiêm nhiệm", "Kết thúc vai trò"):
        assert f">{button}</button>" in home
    await desk.http.aclose()


async def test_r24_sua_with_another_unit_is_a_transfer_and_a_stranger_finds_nothing(office: Office) -> None:
    mai = await office.person("Phan Thị Mai")
    desk, other = await office.desk(mai), await office.desk(office.dung)
    post = {"subject_type": "cong_chuc", "position": "chuyen_vien"}
    first = await send(desk, "/workspace/me/register", unit=office.unit, **post)
    await says(office, office.chi, first, "approved")
    role = (await desk.page("/workspace/me")).split('id="role-')[1].split('"')[0]
    day = local_day(office.service.clock.now()) + timedelta(days=9)
    form = {**post, "effective_on": f"{day:%d/%m/%Y}"}
    for path in (f"/workspace/me/roles/{role}/amend", f"/workspace/me/roles/{role}/end", first):
        assert (await other.http.get(path)).status_code == 404
    moved = await send(desk, f"/workspace/me/roles/{role}/amend", unit=office.other, **form)
    assert moved.startswith("/workspace"), moved[moved.index("<main") :]
    await says(office, office.chi, moved, "approved")
    await says(office, office.dung, moved, "approved")
    shown = await desk.page(moved)
    assert "Chuyển" in shown and "Hủy trước ngày hiệu lực" in shown
    await send(desk, f"{moved}/withdraw")
    assert "Đã hủy trước ngày hiệu lực" in await desk.page("/workspace/me")
    for one in (desk, other):
        await one.http.aclose()


async def test_r38_a_unit_that_is_missing_is_told_to_the_desk_from_the_form(
    office: Office, clerk: Somebody
) -> None:
    binh = await office.person("Hà Thị Thiếu Đơn Vị")
    desk, path = await office.desk(binh), "/workspace/me/missing-unit"
    assert path in await desk.page("/workspace/me/register", subject_type="cong_chuc")
    assert "Không thấy đơn vị của tôi" in await desk.page(path)
    assert "Vui lòng nhập trường này" in await send(desk, path, text=" ")
    told = await send(desk, path, text="Trường Mầm non Hoa Sen, thuộc xã Phú Lộc")
    code = re.search(r"SD\d{6}-\d{6}", told)
    assert code is not None and "Đã gửi tới đầu mối hỗ trợ" in told
    async with office.service.db.read() as tx:
        (case,) = await tx.scalars(select(Case).where(Case.account_id == binh.account_id))
        opened = office.service.kit.keys.open("support_cases.subject", case.id, case.subject)
    assert (case.code, opened) == (code[0], "Danh sách chưa có đơn vị của tôi")
    assert "My unit is missing" in await desk.page(path, lang="en")
    await desk.page(path, lang="vi")
    async with office.service.db.write() as tx:
        for one in await desks.listed(tx):
            await desks.remove(tx, office.service.kit, one.code, now=office.service.clock.now())
    kept = await send(desk, path, text="Trường Mầm non Hoa Sen")
    assert "Trường Mầm non Hoa Sen" in kept and "gọi" in kept, "without a desk the hotline is named"
    await desk.http.aclose()
