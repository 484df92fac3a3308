"""What somebody reads who has never seen the workspace: pages say what they are about, and what to do about a no."""

from __future__ import annotations

import re
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from backend.roles.models import Role
from tests.workspace.office import Desk, Office
from tests.workspace.test_me import send
from tests.workspace.test_reorganisations import lay

MISTAKE = re.compile(r'role="alert"[^>]*><p><strong>([^<]*):</strong>')


async def role_of(office: Office, request_id: UUID) -> UUID:
    async with office.service.db.read() as tx:
        found = await tx.scalar(select(Role.id).where(Role.request_id == request_id))
    assert found is not None
    return found


async def test_a_page_that_is_not_there_says_what_may_be_the_matter(desk: Desk) -> None:
    for path, lang, said in (
        (
            f"/workspace/requests/{uuid4()}",
            "vi",
            "Yêu cầu có thể đã rút, hoặc không thuộc phạm vi bạn được xem.",
        ),
        ("/workspace/nothing", "vi", "Có thể mục này không còn, hoặc không thuộc phạm vi bạn được xem."),
        ("/workspace/units/none", "en", "Look for the unit by name or code again."),
    ):
        answer = await desk.http.get(path, params={"lang": lang})
        assert answer.status_code == 404 and said in answer.text, answer.text


@pytest.mark.parametrize(
    ("path", "untrue"),
    [("audit", "Chưa có việc nào được ghi"), ("decisions", "Chưa có quyết định nào")],
)
async def test_after_a_day_that_there_is_not_nothing_is_said_of_what_was_not_looked_up(
    desk: Desk, path: str, untrue: str
) -> None:
    wrong = await desk.send(f"/workspace/{path}", {"from": "32/13/2026"})
    assert wrong.status_code == 422 and "Ngày theo dạng dd/mm/yyyy" in wrong.text
    assert untrue not in wrong.text


async def test_the_operator_s_mistakes_are_named_like_the_boxes(office: Office) -> None:
    desk = await office.desk(office.ha)
    wrong = await desk.send("/workspace/operator/appointments", {"person": "Không Có Ai", "unit": "XX"})
    assert wrong.status_code == 422
    assert MISTAKE.findall(wrong.text) == ["Ai", "Mã đơn vị"]
    await desk.http.aclose()


async def test_what_follows_from_a_file_is_said_in_the_reader_s_language(office: Office) -> None:
    await office.has_role("Phan Thị Được Báo")
    desk = await office.desk(office.ha)
    file = f"code,name,parent_code,kind\n{office.unit},Sở Nội vụ mới,{office.root},department\n"
    place = (await lay(desk, "/workspace/operator/imports/units/plan", file=file)).headers["location"]
    vietnamese, english = "các hệ thống được báo lại về 1 người", "systems are told anew of 1 person"
    said = await desk.page(place, lang="vi")
    assert f"<li>{vietnamese}</li>" in said and english not in said
    said = await desk.page(place, lang="en")
    assert f"<li>{english}</li>" in said and vietnamese not in said
    assert "To be changed" in said, "nothing has been done yet"
    await desk.http.aclose()


async def test_a_wish_about_a_role_names_the_role_and_where_it_leads(office: Office) -> None:
    who = await office.person("Phan Văn Hai Vai")
    role = await role_of(office, await office.employ(who))
    desk, held = await office.desk(who), f"Vai trò đang giữ: Chuyên viên · Sở Nội vụ {office.number}"
    labels = {"transfer": "Đơn vị đến", "concurrent": "Đơn vị kiêm nhiệm", "amend": "Đơn vị"}
    for act in ("transfer", "concurrent", "amend", "end"):
        form = await desk.page(f"/workspace/me/roles/{role}/{act}")
        assert held in form
        assert act not in labels or f'<label for="unit">{labels[act]}</label>' in form
    wrong = await send(desk, f"/workspace/me/roles/{role}/end", effective_on="31/02/2027")
    assert held in wrong and re.search(r'id="effective_on"[^>]* aria-invalid="true"', wrong)
    assert "Vai trò đang giữ" not in await desk.page("/workspace/me/register")
    await desk.http.aclose()


async def test_a_concurrent_post_is_no_place_to_move_to(office: Office, desk: Desk) -> None:
    role = await role_of(office, await office.has_role("Phan Thị Kiêm Nhiệm"))
    for act, label in (("concurrent", "Đơn vị kiêm nhiệm"), ("transfer", "Đơn vị đến")):
        form = await desk.page(f"/workspace/people/{role}/{act}")
        assert f'<label for="unit">{label}</label>' in form
        assert form.count("(không bắt buộc)") == 4, "three of the decision, and the note"
        wish = {"unit": office.other, "position": "van_thu" if act == "concurrent" else "chuyen_vien"}
        begun = await desk.send(f"/workspace/people/{role}/{act}", wish)
        assert begun.status_code == 303, begun.text
        assert f"<dt>{label}</dt>" in await desk.page(begun.headers["location"])
        assert (await desk.send(f"{begun.headers['location']}/withdraw", {})).status_code == 303
