"""The journal narrowed down and taken along, without a name or a number in any address (W14)."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta

import pytest

from backend.outside.clock import local_day
from tests.workspace.office import Desk, Office
from tests.workspace.test_deciding import word

# what a page says does not depend on where the rows are kept
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)
PAGE = "/workspace/audit"


async def narrowed(desk: Desk, form: dict[str, str]) -> tuple[str, str]:
    """Where the form leads, and the page there."""
    answer = await desk.send(PAGE, form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"], await desk.page(answer.headers["location"])


async def test_w14_the_journal_is_narrowed_by_person_actor_unit_outcome_and_day(
    office: Office, desk: Desk
) -> None:
    first, second = await office.asks("Mạc Thị Bưởi"), await office.asks("Lý Tự Trọng")
    for request_id, said in ((first, "approved"), (second, "rejected")):
        form = word(said, reason="Thiếu hồ sơ" if said == "rejected" else "")
        assert (await desk.send(f"/workspace/requests/{request_id}/decision", form)).status_code == 303
    place, page = await narrowed(desk, {"person": "mac thi buoi"})
    assert "Mạc Thị Bưởi" in page and "Lý Tự Trọng" not in page
    assert "mac" not in place.lower() and "person=" in place
    _, page = await narrowed(desk, {"actor": office.chi.persona.national_id, "outcome": "rejected"})
    assert "Lý Tự Trọng" in page and "Mạc Thị Bưởi" not in page and "Đã bị từ chối" in page
    _, page = await narrowed(desk, {"outcome": "approved", "unit": office.unit, "kind": "role"})
    assert "Mạc Thị Bưởi" in page and "Lý Tự Trọng" not in page
    today = local_day(office.service.clock.now())
    _, page = await narrowed(desk, {"from": f"{today:%d/%m/%Y}", "to": f"{today:%d/%m/%Y}"})
    assert "Mạc Thị Bưởi" in page and f'value="{today:%d/%m/%Y}"' in page
    for other in (
        {"from": f"{today + timedelta(days=1):%d/%m/%Y}"},
        {"to": f"{today - timedelta(days=1):%d/%m/%Y}"},
    ):
        _, page = await narrowed(desk, other)
        assert "Chưa có việc nào khớp với bộ lọc" in page


async def test_w14_tw17_nobody_learns_by_the_journal_who_is_elsewhere(office: Office, desk: Desk) -> None:
    stranger = await office.person("Đinh Thị Nơi Khác")
    await office.employ(stranger, unit=office.other)
    for field in ("person", "actor"):
        for typed in (stranger.persona.national_id, "Đinh Thị Nơi Khác", "000099999999"):
            answer = await desk.send(PAGE, {field: typed})
            assert answer.status_code == 422 and "Không tìm thấy người này" in answer.text
            assert f'value="{typed}"' in answer.text, "what was typed stays"
    for query in (
        {"person": str(stranger.account_id)},
        {"actor": str(stranger.account_id)},
        {"unit": office.other},
    ):
        assert "Chưa có việc nào khớp với bộ lọc" in await desk.page(PAGE, **query)
        sheet = await desk.http.get(f"{PAGE}/export.csv", params=query)
        assert len(sheet.text.splitlines()) == 1, "the head alone"
    assert "Chưa có việc nào khớp với bộ lọc" in await desk.page(PAGE, person="khong-phai-tai-khoan")
    assert "Lê Thị Chi" in await desk.page(PAGE, to="31/12/9999")
    wrong = await desk.send(PAGE, {"from": "31/02/2027"})
    assert wrong.status_code == 422 and "Ngày theo dạng dd/mm/yyyy" in wrong.text


async def test_w14_tw11_the_journal_leaves_as_a_file_in_which_nothing_is_computed(
    office: Office, desk: Desk
) -> None:
    request_id = await office.asks("=HYPERLINK Thị Công Thức")
    await desk.send(f"/workspace/requests/{request_id}/decision", word("rejected", reason="Sai đơn vị"))
    sheet = await desk.http.get(f"{PAGE}/export.csv", params={"outcome": "rejected"})
    assert sheet.content.startswith(b"\xef\xbb\xbf") and "attachment" in sheet.headers["content-disposition"]
    lines = sheet.content.decode("utf-8-sig").splitlines()
    assert "Người thực hiện" in lines[0] and "'=HYPERLINK Thị Công Thức" in sheet.text
    assert ",=HYPERLINK" not in sheet.text and "Lê Thị Chi" in sheet.text and "Sai đơn vị" not in sheet.text
    book = await desk.http.get(f"{PAGE}/export.xlsx", params={"outcome": "rejected"})
    with zipfile.ZipFile(io.BytesIO(book.content)) as pack:
        assert "HYPERLINK Thị Công Thức" in pack.read("xl/worksheets/sheet1.xml").decode()
    assert (await desk.http.get(f"{PAGE}/export.exe")).status_code == 404
