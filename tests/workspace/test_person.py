"""One person's page and what a manager does there: a second post, a suspension and its end, letting go (rules 619, 622, 623)."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from backend.roles import queue
from backend.roles.models import Role
from tests.workspace.office import Desk, Office


async def home_of(office: Office, request_id: UUID) -> tuple[UUID, UUID]:
    """The account and the role that the request began."""
    async with office.service.db.read() as tx:
        query = select(Role.account_id, Role.id).where(Role.request_id == request_id)
        account, role = (await tx.execute(query)).one()
    return account, role


async def test_w14_the_page_shows_every_role_with_what_was_decided_and_what_may_be_done(
    office: Office, desk: Desk
) -> None:
    account, role = await home_of(office, await office.has_role("Võ Thị Sáu"))
    page = await desk.page(f"/workspace/people/{account}")
    assert "Võ Thị Sáu" in page and "Lê Thị Chi" in page and "Đăng ký vai trò" in page
    for act in ("Chuyển công tác", "Kiêm nhiệm", "Tạm đình chỉ", "Cho nghỉ việc", "Kết thúc vai trò"):
        assert act in page, act
    assert f"/workspace/people/{account}" in await desk.page("/workspace/people")
    assert "Biệt phái" in await desk.page(f"/workspace/people/{role}/transfer")
    other = await office.desk(office.dung)
    assert (await other.http.get(f"/workspace/people/{account}")).status_code == 404
    await other.http.aclose()


async def test_a_person_is_suspended_let_back_and_let_go(office: Office, desk: Desk) -> None:
    account, role = await home_of(office, await office.has_role("Nguyễn Thị Định"))
    here = f"/workspace/people/{role}"
    assert "không hoàn tác được" in await desk.page(f"{here}/suspension")
    assert (await desk.send(f"{here}/suspension", {"reason": ""})).status_code == 422
    done = await desk.send(f"{here}/suspension", {"reason": "Xem xét kỷ luật", "decision_number": "7/QĐ"})
    assert done.status_code == 303
    asked = await desk.page(done.headers["location"])
    assert "7/QĐ" in asked and "Xem xét kỷ luật" in asked
    page = await desk.page(f"/workspace/people/{account}")
    assert "Tạm ngưng" in page and "Cho trở lại" in page
    assert "vai trò có từ ngày" in page, "it is not suspended since the day on which the role began"
    back = await desk.send(f"{here}/return", {})
    assert back.headers["location"] == f"/workspace/people/{account}"
    assert "Cho trở lại" not in await desk.page(f"/workspace/people/{account}")
    form = {"reason": "Nghỉ hưu", "effective_on": "", "signed_by": "Lê Văn Ký"}
    assert (await desk.send(f"{here}/separation", form | {"effective_on": "2001-01-01"})).status_code == 422
    assert (await desk.send(f"{here}/separation", form)).status_code == 303
    assert "Đã kết thúc" in await desk.page(f"/workspace/people/{account}")


async def test_r11_a_second_post_is_begun_and_the_other_unit_asked(office: Office, desk: Desk) -> None:
    _, role = await home_of(office, await office.has_role("Bùi Thị Xuân"))
    path = f"/workspace/people/{role}/concurrent"
    assert "Kiêm nhiệm" in await desk.page(path)
    begun = await desk.send(path, {"unit": office.other, "position": "van_thu", "reason": "Thiếu người"})
    assert begun.status_code == 303, begun.text
    receiver = await office.desk(office.dung)
    page = await receiver.page(begun.headers["location"])
    assert "Thiếu người" in page
    assert "đồng ý cho kiêm nhiệm" in page and "cho chuyển" not in page, "nobody moves for a second post"
    await receiver.http.aclose()


async def test_what_is_no_act_is_not_found_or_refused(office: Office, desk: Desk) -> None:
    _, role = await home_of(office, await office.has_role("Lê Chân"))
    assert (await desk.http.get(f"/workspace/people/{role}/promotion")).status_code in {400, 404}


async def test_where_there_are_more_units_than_fit_into_a_list_one_is_named(
    office: Office, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, role = await home_of(office, await office.has_role("Trần Thị Chuyển"))
    path = f"/workspace/people/{role}/transfer"
    assert '<select id="unit"' in await desk.page(path)
    monkeypatch.setattr(queue, "CHOICES", 0)
    page = await desk.page(path)
    assert '<input id="unit"' in page and "Tên đầy đủ hoặc mã đơn vị." in page
    form = {"unit": office.other, "position": "van_thu", "movement": "rotation", "until": "01/12/2027"}
    assert (await desk.send(path, form)).status_code == 303
