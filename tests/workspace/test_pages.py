"""Every page by plain HTTP, as a browser without scripts sees it: what it shows, and to whom."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from backend.account import Account
from backend.roles.models import RoleRequest
from tests.parts.client import client
from tests.service import Service
from tests.workspace.office import Desk, Office, signed_in

PAGES = {
    "/workspace": "Yêu cầu chờ duyệt",
    "/workspace/people": "Nhân sự của đơn vị",
    "/workspace/systems": "Các hệ thống liên quan",
    "/workspace/audit": "Nhật ký",
}


def heading(html: str) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", html, re.DOTALL)
    assert found is not None
    return found.group(1)


async def test_a_manager_signs_in_with_the_e_id_and_sees_the_inbox(office: Office) -> None:
    async with client(office.service.url) as http:
        page = await signed_in(http, office.chi.persona)
        assert page.status_code == 200
        assert 'http-equiv="refresh" content="0;url=/workspace"' in page.text
        cookie = next(one for one in page.headers.get_list("set-cookie") if one.startswith("ngomon="))
        assert {"HttpOnly", "Path=/", "SameSite=strict"} <= {part.strip() for part in cookie.split(";")}
        inbox = await http.get("/workspace")
        assert heading(inbox.text) == "Yêu cầu chờ duyệt"
        assert "Lê Thị Chi" in inbox.text


async def test_somebody_without_a_unit_is_told_whom_to_ask(office: Office) -> None:
    somebody = await office.desk(await office.person("Nguyễn Văn An"))
    answer = await somebody.http.get("/workspace/people")
    await somebody.http.aclose()
    assert answer.status_code == 403
    assert "Bạn chưa phụ trách đơn vị nào" in answer.text
    assert "19001075" in answer.text


async def test_who_has_a_role_is_sent_to_the_manager_of_that_unit(office: Office) -> None:
    await office.has_role("Nguyễn Thị Bình")
    async with office.service.db.read() as tx:
        from backend.roles import queue

        found = await queue.people(
            tx, office.service.kit, office.chi.account_id, q="Nguyễn Thị Bình", now=office.service.clock.now()
        )
    assert found.items[0].name == "Nguyễn Thị Bình"
    key = next(p for p in office.service.stand.eid.personas.values() if p.full_name == "Nguyễn Thị Bình")
    async with client(office.service.url) as http:
        await signed_in(
            http, [p for p in office.service.stand.eid.personas.values() if p.full_name == key.full_name][-1]
        )
        answer = await http.get("/workspace/people")
    assert f"Người được giao phê duyệt của Sở Nội vụ {office.number}." in answer.text


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_wants_a_session_and_comes_back_to_itself(service: Service, path: str) -> None:
    plain = await service.http.get(path)
    assert plain.status_code == 303
    assert plain.headers["location"].startswith("/workspace/login")
    by_htmx = await service.http.get(path, headers={"HX-Request": "true"})
    assert by_htmx.status_code == 401
    assert by_htmx.headers["hx-redirect"].startswith("/workspace/login")


@pytest.mark.parametrize(("path", "title"), PAGES.items())
async def test_every_page_speaks_both_languages(desk: Desk, path: str, title: str) -> None:
    assert heading(await desk.page(path)) == title
    english = await desk.page(path, lang="en")
    assert '<html lang="en"' in english
    assert heading(english) != title
    assert '<html lang="en"' in await desk.page(path)
    assert heading(await desk.page(path, lang="vi")) == title


async def test_the_browsers_own_language_does_not_decide(service: Service) -> None:
    page = await service.http.get("/workspace/login", headers={"Accept-Language": "en-US"})
    assert "Đăng nhập bằng VNeID" in page.text


async def test_one_request_shows_who_what_why_and_the_effect(office: Office, desk: Desk) -> None:
    request_id = await office.asks("Phạm Thị Thanh Dung", decision_number="12/QĐ-SNV")
    page = await desk.page(f"/workspace/requests/{request_id}")
    for words in (
        "Phạm Thị Thanh Dung",
        "000***",
        "Định danh điện tử mức độ 2",
        "Công chức",
        "Chuyên viên",
        "12/QĐ-SNV",
        f"Bạn phụ trách Sở Nội vụ {office.number}",
        "Sẽ thay đổi ở các hệ thống",
        "Phê duyệt",
        "Từ chối",
        "Trả lại",
    ):
        assert words in page


@pytest.mark.parametrize(
    ("vouched_by", "level", "vietnamese", "english"),
    [
        ("vneid", 1, "Định danh điện tử mức độ 1", "Electronic identity of level 1"),
        (
            "vneid",
            3,
            "Định danh điện tử mức độ 3",
            "Electronic identity of level 3",
        ),  # a map of the e-ID's own
        ("subscriber", 2, "Mức xác minh 2", "Assurance level 2"),
        ("certificate", 3, "Mức xác minh 3", "Assurance level 3"),
    ],
)
async def test_the_level_of_whoever_asks_is_told_on_its_own_scale(
    office: Office, desk: Desk, vouched_by: str, level: int, vietnamese: str, english: str
) -> None:
    request_id = await office.asks("Vũ Thị Mức")
    async with office.service.db.write() as tx:
        account = await tx.get_one(Account, (await tx.get_one(RoleRequest, request_id)).account_id)
        account.vouched_by, account.assurance_level = vouched_by, level
    assert vietnamese in await desk.page(f"/workspace/requests/{request_id}")
    assert english in await desk.page(f"/workspace/requests/{request_id}", lang="en")


async def test_another_units_request_does_not_exist(office: Office, desk: Desk) -> None:
    request_id = await office.asks("Hồ Văn Em", unit=office.other)
    for path in (f"/workspace/requests/{request_id}", f"/workspace/requests/{uuid4()}"):
        answer = await desk.http.get(path)
        assert answer.status_code == 404
        assert "Hồ Văn Em" not in answer.text
    assert "Hồ Văn Em" not in await desk.page("/workspace")
    assert "Hồ Văn Em" not in await desk.page("/workspace/audit")


async def test_the_inbox_is_narrowed_by_name_kind_and_unit(office: Office, desk: Desk) -> None:
    await office.asks("Đặng Thị Hương")
    await office.asks("Ngô Văn Lâm")
    assert "Ngô Văn Lâm" not in await desk.page("/workspace", q="dang thi huong")
    assert "Đặng Thị Hương" in await desk.page("/workspace", q="dang thi huong")
    assert "Ngô Văn Lâm" in await desk.page("/workspace", kind="register", unit=office.unit)
    assert "Không có yêu cầu nào khớp với bộ lọc" in await desk.page("/workspace", kind="end")


@pytest.mark.parametrize("q", ["%", "_", "\\", "'", ")) OR 1=1 --", "NEAR", "*", "{{7*7}}", "ơ", "x" * 1500])
async def test_a_search_is_taken_literally(office: Office, desk: Desk, q: str) -> None:
    await office.asks("Bùi Quang Khánh")
    page = await desk.page("/workspace", q=q)
    assert "Bùi Quang Khánh" not in page
    assert "49" not in heading(page)


async def test_a_long_queue_is_turned_page_by_page(office: Office, desk: Desk) -> None:
    names = [f"Trần Văn Số {number:02d}" for number in range(27)]
    for name in names:
        await office.asks(name)
    first = await desk.page("/workspace")
    assert names[0] in first and names[24] in first and names[25] not in first
    onward = re.search(r'href="(/workspace\?cursor=[^"]+)"', first)
    assert onward is not None
    second = await desk.page(onward.group(1))
    assert names[24] not in second and names[25] in second and names[26] in second


@pytest.mark.parametrize("query", ["kind=delete", "cursor=%00", "cursor=zzz", "q=%00"])
async def test_a_strange_address_is_refused_with_words(desk: Desk, query: str) -> None:
    answer = await desk.http.get(f"/workspace?{query}")
    assert answer.status_code in {400, 422}
    assert "Mã tham chiếu:" in answer.text


async def test_an_unknown_page_is_ours_and_has_the_way_back(desk: Desk) -> None:
    answer = await desk.http.get("/workspace/nowhere/at/all")
    assert answer.status_code == 404
    assert heading(answer.text) == "Không tìm thấy"


async def test_the_people_of_the_unit_are_listed_and_found(office: Office, desk: Desk) -> None:
    await office.has_role("Võ Minh Hải")
    await office.has_role("Đỗ Thị Mai", unit=office.other)
    page = await desk.page("/workspace/people")
    assert "Võ Minh Hải" in page and "Đỗ Thị Mai" not in page
    assert "Kết thúc vai trò" in page and "Chuyển công tác" in page
    for typed, said in (("vo minh", "Võ Minh Hải"), ("không ai cả", "Không tìm thấy ai")):
        answer = await desk.send("/workspace/people", {"q": typed})
        assert answer.status_code == 303 and typed.split()[0] not in answer.headers["location"]
        assert said in await desk.page(answer.headers["location"])


async def test_f04_signing_out_ends_the_session_and_clears_the_browser(desk: Desk) -> None:
    cookie = desk.http.cookies["ngomon"]
    answer = await desk.send("/workspace/sign-out", {})
    assert answer.status_code == 303
    assert answer.headers["clear-site-data"] == '"cache"', (
        "F04: the phone of the demo lives in the same storage"
    )
    again = await desk.http.get("/workspace", headers={"Cookie": f"ngomon={cookie}"})
    assert again.status_code == 303


async def test_a_right_that_was_taken_is_gone_at_the_next_click(office: Office, desk: Desk) -> None:
    from backend.roles import managers

    request_id = await office.asks("Lý Thị Sen")
    service = office.service
    async with service.db.write() as tx:
        await managers.remove(
            tx, service.kit, office.unit, office.chi.persona.national_id, by=None, now=service.clock.now()
        )
    assert (await desk.http.get("/workspace")).headers["location"] == "/workspace/me", (
        "what is left is one's own"
    )
    assert (await desk.http.get(f"/workspace/requests/{request_id}")).status_code == 403
