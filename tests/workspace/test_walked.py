"""The workspace as a manager walked it: sentences that are true, days as people here write them, one press a request."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

import workspace
from backend.outside.clock import local_day
from backend.roles import review
from backend.roles.models import Role, RoleRequest
from backend.roles.views import Change, Effect
from tests.workspace.office import Desk, Office
from tests.workspace.test_deciding import state, word
from workspace.outcome import matrix

# what a page says does not depend on where the rows are kept
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)
TEMPLATES = sorted((Path(workspace.__file__).parent / "templates").glob("*.html"))


async def role_of(office: Office, name: str) -> UUID:
    """Somebody's role in Chi's unit."""
    begun = await office.has_role(name)
    async with office.service.db.read() as tx:
        return (await tx.scalars(select(Role.id).where(Role.request_id == begun))).one()


def told(page: str) -> str:
    """What the page says in words, without its marks."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


async def test_w08_after_each_word_the_page_says_what_really_follows(office: Office, desk: Desk) -> None:
    for decision, said in (("rejected", "Đã từ chối."), ("returned", "Đã trả lại.")):
        path = f"/workspace/requests/{await office.asks('Lê Văn Sự Thật')}"
        await desk.send(f"{path}/decision", word(decision, reason="Thiếu số quyết định"))
        page = told(await desk.page(path))
        assert f"{said} Người đề nghị sẽ được báo lúc" in page
        assert "Các hệ thống sẽ được báo" not in page
        assert "Không có gì thay đổi ở các hệ thống." in page and "Không hệ thống nào" not in page
    path = f"/workspace/people/{await role_of(office, 'Trần Thị Chuyển Đi')}/transfer"
    begun = await desk.send(path, {"unit": office.other, "position": "chuyen_vien"})
    waits = f"Bạn đã cho chuyển đi. Đang chờ Sở Tài chính {office.number} tiếp nhận."
    for _ in range(2):  # while it can be taken back, and after that
        page = told(await desk.page(begun.headers["location"]))
        assert (
            waits in page and "Các hệ thống sẽ được báo" not in page and "Yêu cầu đã được xử lý" not in page
        )
        office.service.pass_time(seconds=11)


async def test_f05_days_are_typed_and_shown_as_people_here_write_them(office: Office, desk: Desk) -> None:
    assert not [page.name for page in TEMPLATES if 'type="date"' in page.read_text()]
    path = f"/workspace/people/{await role_of(office, 'Hồ Thị Ngày Tháng')}/transfer"
    form = {"unit": office.other, "position": "chuyen_vien", "decision_date": "5/3/2026"}
    asked = await desk.page(path)
    assert asked.count('placeholder="dd/mm/yyyy"') == 3 and "ví dụ 05/03/2027" in asked
    for wrong in ("31/02/2027", "03/15/2027", "mai"):
        answer = await desk.send(path, {**form, "effective_on": wrong})
        assert answer.status_code == 422 and "Ngày theo dạng dd/mm/yyyy" in answer.text
        assert f'value="{wrong}"' in answer.text, "what was typed stays"
    ahead = office.service.clock.now().year + 1
    begun = await desk.send(path, {**form, "effective_on": f"05/03/{ahead}"})
    assert begun.status_code == 303, told(begun.text)
    page = await desk.page(begun.headers["location"])
    assert f"05/03/{ahead}" in page and "05/03/2026" in page and "2026-03-05" not in told(page)
    async with office.service.db.read() as tx:
        found = await tx.get_one(RoleRequest, UUID(begun.headers["location"].rsplit("/", 1)[1]))
    assert (found.effective_on.month, found.effective_on.day) == (3, 5) if found.effective_on else False


async def test_f08_what_is_missing_is_said_by_us_and_never_by_the_browser(office: Office, desk: Desk) -> None:
    for page in TEMPLATES:  # a form with a field that has to be filled never lets the browser speak
        for form in re.findall(r"<form .*?</form>", page.read_text(), flags=re.DOTALL):
            assert " required" not in form or "novalidate" in form.split(">")[0], page.name
    role = await role_of(office, "Ngô Thị Để Trống")
    ended = await desk.send(f"/workspace/people/{role}/end", {"reason": " "})
    assert ended.status_code == 422 and "Vui lòng nêu lý do" in ended.text
    english = await desk.http.get("/workspace", params={"lang": "en"})
    assert english.status_code == 200
    ended = await desk.send(f"/workspace/people/{role}/end", {"reason": " "})
    assert "Please give a reason" in ended.text and "Vui lòng" not in ended.text


async def test_w03_w18_f03_many_get_one_page_one_countdown_and_one_undo(office: Office, desk: Desk) -> None:
    mine = [await office.asks(f"Lê Thị Loạt {name}", listed=True) for name in ("Một", "Hai", "Ba")]
    decided = await desk.send(
        "/workspace/bulk", {"decision": "approved", "pick": [f"{one}:1" for one in mine]}
    )
    place = decided.headers["location"]
    assert decided.status_code == 303 and place.startswith("/workspace/bulk/")
    for _ in range(2):  # Back and reload ask for it again, and nothing is posted
        page = await desk.page(place)
        assert "<h1" in page and "Đã phê duyệt 3 yêu cầu" in page
        assert page.count("data-until=") == 1 and page.count("Hoàn tác tất cả") == 1
    stranger = await office.desk(office.dung)
    assert (await stranger.http.get(place)).status_code == 404
    assert (await stranger.send(f"{place}/undo", {})).status_code == 404
    await stranger.http.aclose()
    undone = await desk.send(f"{place}/undo", {})
    assert "Đã hoàn tác 3 yêu cầu" in await desk.page(undone.headers["location"])
    assert [await state(office, one) for one in mine] == ["pending"] * 3
    again = await desk.send("/workspace/bulk", {"decision": "approved", "pick": [f"{one}:3" for one in mine]})
    office.service.pass_time(seconds=11)
    assert "Hoàn tác tất cả" not in await desk.page(again.headers["location"])
    late = await desk.send(f"{again.headers['location']}/undo", {})
    page = await desk.page(late.headers["location"])
    assert "Đã hoàn tác 0 yêu cầu" in page and page.count("Đã quá thời gian hoàn tác") == 3
    answer = await desk.http.get(f"/workspace/requests/{mine[0]}/decision")
    assert answer.status_code == 405 and answer.headers["content-type"].startswith("text/html")
    root = await desk.http.put("/workspace")  # the inbox has no form at its own address
    assert root.status_code == 405 and root.headers["content-type"].startswith("text/html")
    assert (
        "Về trang yêu cầu" in answer.text
        and "default-src 'none'" in answer.headers["content-security-policy"]
    )
    nowhere = await desk.http.get("/workspace/nowhere")  # W18: a manager stays one by looks
    assert nowhere.status_code == 404 and "Đăng xuất" in nowhere.text


async def test_w11_nothing_picked_is_said_beside_the_buttons_and_the_reason_stays(
    office: Office, desk: Desk
) -> None:
    request_id = await office.asks("Phan Thị Chọn")
    place, no = f"/workspace/bulk?unit={office.unit}", {"decision": "rejected"}
    answer = await desk.send(place, no | {"reason": "Sai đơn vị rồi"})
    assert answer.status_code == 422 and "Hãy chọn ít nhất một yêu cầu." in answer.text
    assert "Sai đơn vị rồi" in answer.text and "Phan Thị Chọn" in answer.text
    answer = await desk.send(place, no | {"pick": [f"{request_id}:1"]})
    assert answer.status_code == 422 and ">Vui lòng nêu lý do<" in answer.text
    assert (
        f'value="{request_id}:1" checked' in answer.text and f'value="{office.unit}" selected' in answer.text
    )
    picked = {"decision": "rejected", "pick": [f"{request_id}:1"], "usual": "Thiếu số quyết định"}
    assert (await desk.send("/workspace/bulk", picked)).status_code == 303
    assert "Lý do: Thiếu số quyết định" in await desk.page(f"/workspace/requests/{request_id}")


async def test_w12_after_a_word_the_next_opens_and_the_undo_stays_below(office: Office, desk: Desk) -> None:
    ids = [await office.asks(f"Vũ Văn Nhanh {number}") for number in range(3)]
    place, order = f"/workspace/requests/{ids[1]}", (ids[2], ids[0])
    for number, following in enumerate(order):
        answer = await desk.send(f"{place}/decision", word("approved"))
        assert (
            answer.headers["location"] == f"/workspace/requests/{following}?after={place.rsplit('/', 1)[1]}"
        )
        page = await desk.page(answer.headers["location"])
        assert page.count("data-undo") == 1 and f'action="{place}/undo"' in page
        assert f'hx-get="{answer.headers["location"]}"' in page, "also when the page looks again by itself"
        assert page.index(f'action="/workspace/requests/{following}/decision"') < page.index(
            f'action="{place}/undo"'
        )
        assert f'<span class="badge">{2 - number}</span>' in page, "the true number of what still waits"
        place = f"/workspace/requests/{following}"
    last = await desk.send(f"{place}/decision", word("returned", reason="Thiếu số quyết định"))
    assert last.headers["location"] == place and "data-undo" in await desk.page(place)
    assert "Bạn đã xử lý hết yêu cầu" in await desk.page(place)
    assert "Hôm nay: 2 phê duyệt, 0 từ chối, 1 trả lại." in await desk.page("/workspace")


async def test_w13_rows_are_links_the_count_is_true_and_filters_are_kept(office: Office, desk: Desk) -> None:
    for number in range(27):
        await office.asks(f"Đinh Thị Hàng {number:02d}")
    page = await desk.page("/workspace")
    assert 'data-count="27"' in page and "27 yêu cầu đang chờ bạn" in page and page.count("data-row") == 25
    assert "Lưu bộ lọc" not in page
    narrowed = await desk.page("/workspace", kind="register", unit=office.unit, q="hàng 03")
    assert "1 yêu cầu khớp với bộ lọc" in narrowed and "Lưu bộ lọc" in narrowed
    kept = await desk.send("/workspace/filters", {"kind": "register", "unit": office.unit})
    assert kept.headers["location"] == f"/workspace?kind=register&unit={office.unit}"
    assert "hàng" not in kept.headers["set-cookie"], "what was searched for is not kept"
    assert f'href="/workspace?kind=register&amp;unit={office.unit}"' in await desk.page("/workspace")
    await desk.send("/workspace/filters", {"kind": "register", "unit": office.unit, "act": "forget"})
    assert 'href="/workspace?kind=register' not in await desk.page("/workspace")


async def test_w14_tw11_what_was_decided_is_looked_up_and_taken_along(office: Office, desk: Desk) -> None:
    names = ("=HYPERLINK(1)", "Bạch Thị Tra Cứu", "Bạch Văn Tra Cứu")
    ids = [await office.asks(name) for name in names]
    foreign = await office.asks("Người Đơn Vị Khác", unit=office.other)
    for one, said in zip(ids, ("approved", "rejected", "approved"), strict=True):
        await desk.send(f"/workspace/requests/{one}/decision", word(said, reason="Không đúng"))
    async with office.service.db.write() as tx:
        now = office.service.clock.now()
        await review.approve(tx, office.service.kit, foreign, version=1, by=office.dung.account_id, now=now)
    page = await desk.page("/workspace/decisions")
    assert all(name in told(page) for name in names) and "Người Đơn Vị Khác" not in page
    assert page.index("Bạch Văn Tra Cứu") < page.index("Bạch Thị Tra Cứu"), "the newest first"
    found = await desk.send("/workspace/decisions", {"person": "bạch thị tra", "outcome": "rejected"})
    assert found.status_code == 303 and "b%E1%BA%A1ch" not in found.headers["location"].lower()
    page = await desk.page(found.headers["location"])
    assert "Bạch Thị Tra Cứu" in page and "Bạch Văn Tra Cứu" not in page
    for wrong, said in (
        ({"person": "bạch"}, "Có nhiều người"),
        ({"person": "người đơn vị khác"}, "Không tìm thấy"),
        ({"from": "32/01/2026"}, "dd/mm/yyyy"),
    ):
        answer = await desk.send("/workspace/decisions", wrong)
        assert answer.status_code == 422 and said in answer.text
    assert "Bạch" not in await desk.page("/workspace/decisions", **{"from": "01/01/2999"})
    assert "Bạch" in await desk.page(
        "/workspace/decisions", to="01/01/2999", kind="register", unit=office.unit
    )
    assert "Bạch" in await desk.page("/workspace/decisions", to="31/12/9999")
    assert "Bạch" not in await desk.page("/workspace/decisions", unit=office.other)
    sheet = await desk.http.get("/workspace/decisions/export.csv", params={"outcome": "approved"})
    assert sheet.content.startswith(b"\xef\xbb\xbf") and "attachment" in sheet.headers["content-disposition"]
    assert (
        "'=HYPERLINK(1)" in sheet.text and "Bạch Văn Tra Cứu" in sheet.text and "Bạch Thị" not in sheet.text
    )
    book = await desk.http.get("/workspace/decisions/export.xlsx")
    with zipfile.ZipFile(io.BytesIO(book.content)) as pack:
        cells = pack.read("xl/worksheets/sheet1.xml").decode()
    assert "Bạch Thị Tra Cứu" in cells and "'=HYPERLINK(1)" in cells and "<f>" not in cells
    assert (await desk.http.get("/workspace/decisions/export.exe")).status_code == 404


async def test_w14_decisions_are_paged_by_their_key(office: Office, desk: Desk) -> None:
    ids = [await office.has_role(f"Lã Văn Trang {number:02d}") for number in range(27)]
    first = await desk.page("/workspace/decisions")
    onward = re.search(r'href="(/workspace/decisions\?cursor=[^"]+)"', first)
    assert onward is not None and first.count("Lã Văn Trang") == 25 and str(ids[-1]) in first
    second = await desk.page(onward.group(1))
    assert "Lã Văn Trang 00" in second and "Lã Văn Trang 01" in second and second.count("Lã Văn Trang") == 2


async def test_w14_the_journal_reads_like_sentences_with_machines_below(office: Office, desk: Desk) -> None:
    request_id = await office.asks("Kiều Thị Nhật Ký")
    await desk.send(f"/workspace/requests/{request_id}/decision", word("approved"))
    page = told(await desk.page("/workspace/audit"))
    assert "Phê duyệt: Đăng ký vai trò" in page and "việc kèm theo" in page
    assert page.count("Kiều Thị Nhật Ký") == 3, (
        "about and by her the wish, about her the decision with all that followed"
    )


def test_w15_changes_stand_once_beside_the_systems_that_they_happen_in(service: object) -> None:
    assert service is not None
    mail, group = Change("Thư điện tử công vụ", "a@hue.example"), Change("Thêm vào nhóm", "Sở Nội vụ")
    shown = matrix([Effect("Một cửa", [mail, group]), Effect("Thư", [mail])])
    assert shown == [(mail, [True, True]), (group, [True, False])]


async def test_w19_reports_are_drawn_with_the_table_behind_each(office: Office, desk: Desk) -> None:
    for number in range(2):
        await office.asks(f"Hứa Thị Chờ {number}")
    await office.has_role("Hứa Văn Xong")
    await office.asks("Hứa Thị Đơn Vị Khác", unit=office.other)
    page = await desk.page("/workspace/reports")
    assert page.count('<svg class="plot" role="img"') == page.count("<table>") >= 5
    assert "viewBox" not in page, "letters that shrink with the window nobody can read on a phone"
    assert page.count("Tuần từ ") >= 2 * 12, "in the picture and in its table"
    today = local_day(office.service.clock.now())
    monday, tables = today - timedelta(days=today.weekday()), told(page)
    for said in (
        "Trong một ngày 2",
        "Đăng ký vai trò: Đã phê duyệt 1",
        "Công chức 1",
        f"Tuần từ {monday:%d/%m/%Y} 1",
        f"Sở Nội vụ {office.number} 0,",  # a number of hours as Vietnamese is written
    ):
        assert said in tables, said
    assert f"Sở Tài chính {office.number}" not in tables
    assert '<p class="hint">Số giờ (số quyết định)</p>' in page, "the picture says what it counts"
    english = await desk.page("/workspace/reports", lang="en")
    assert "Waiting requests by age" in english and f"Sở Nội vụ {office.number} 0." in told(english)
