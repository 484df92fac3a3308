"""The desk's pages by plain HTTP: who gets there, what is done there, and what can not be asked there."""

from __future__ import annotations

import re

import pytest

from backend.support import desks
from tests.workspace.counter import DESK, HOME, Counter, asks
from tests.workspace.office import Office, Somebody
from tests.workspace.test_pages import heading


async def test_staff_of_a_desk_come_to_its_pages_and_to_no_other(office: Office, counter: Counter) -> None:
    first = await counter.http.get("/workspace")
    assert (first.status_code, first.headers["location"]) == (303, HOME)
    page = await counter.page(HOME)
    assert heading(page) == "Yêu cầu hỗ trợ"
    for button in ("Tạo yêu cầu", "Trả lời", "Đóng yêu cầu"):
        assert f">{button}</button>" in page
    for label in ("Mã yêu cầu", "Nội dung"):
        assert f">{label}</label>" in page
    for path in ("/workspace/people", "/workspace/systems", "/workspace/audit"):
        assert f'href="{path}"' not in page
        assert (await counter.http.get(path)).status_code == 403


async def test_managers_who_are_no_staff_and_strangers_stay_outside(office: Office, clerk: Somebody) -> None:
    for who in (office.chi, await office.person("Nguyễn Văn Khách")):
        other = await office.desk(who)
        answer = await other.http.get(HOME)
        assert answer.status_code == 403
        assert "Bạn không làm việc ở đầu mối hỗ trợ nào" in answer.text
        await other.http.aclose()
    plain = await office.service.http.get(HOME)
    assert (plain.status_code, plain.headers["location"]) == (
        303,
        "/workspace/login?next=%2Fworkspace%2Fsupport",
    )


async def test_a_manager_who_is_staff_has_both(office: Office, clerk: Somebody) -> None:
    service = office.service
    async with service.db.write() as tx:
        number = office.chi.persona.national_id
        await desks.hire(tx, service.kit, "HUE", number, now=service.clock.now())
    both = await office.desk(office.chi)
    assert f'href="{HOME}"' in await both.page("/workspace")
    assert 'href="/workspace/people"' in await both.page(HOME)
    await both.http.aclose()


async def test_a_case_is_answered_and_closed_and_the_person_reads_it(
    office: Office, counter: Counter
) -> None:
    phone, made = await asks(office)
    listed = await counter.page(HOME)
    assert made["code"] in listed and "Không ký số được" in listed
    path = f"{HOME}/{made['id']}"
    page = await counter.page(path)
    assert "Trang báo lỗi." in page and made["code"] in page
    answer = await counter.post(path, act="answer", text="Đã sửa, mời thử lại.")
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    assert "Đã sửa, mời thử lại." in await counter.page(path)
    (case,) = (await phone.call("GET", "/v1/support-cases")).json()["items"]
    assert case["status"] == "answered" and case["messages"][-1]["author"] == "desk"
    notice = (await phone.call("GET", "/v1/notices")).json()["items"][0]
    assert notice["kind"] == "case_answered" and made["code"] in notice["body"]
    assert (await counter.post(path, act="close")).status_code == 303
    assert ">Trả lời</button>" not in await counter.page(path)
    late = await counter.post(path, act="answer", text="Thêm nữa.")
    assert late.status_code == 409 and "đã đóng" in late.text
    assert made["code"] not in await counter.page(HOME, status="open")
    assert made["code"] in await counter.page(HOME, status="closed")


async def test_at_the_counter_a_code_finds_answers_and_closes(office: Office, counter: Counter) -> None:
    phone, made = await asks(office)
    path = f"{HOME}/{made['id']}"
    found = await counter.post(f"{HOME}/counter", code=f" {made['code'].lower()} ", text="")
    spoken = made["code"].lower().replace("-", " ")
    again = await counter.post(f"{HOME}/counter", code=spoken, text="")
    assert again.headers["location"] == path, "a code is found as it is read out"
    assert (found.status_code, found.headers["location"]) == (303, path)
    answered = await counter.post(f"{HOME}/counter", act="answer", code=made["code"], text="Đã xem.")
    assert answered.status_code == 303
    closed = await counter.post(f"{HOME}/counter", act="close", code=made["code"], text="")
    assert closed.status_code == 303
    (case,) = (await phone.call("GET", "/v1/support-cases")).json()["items"]
    assert (case["status"], case["messages"][-1]["text"]) == ("closed", "Đã xem.")
    missing = await counter.post(f"{HOME}/counter", act="answer", code="SD211208-123456", text="Đã xem.")
    assert missing.status_code == 404 and "Không tìm thấy yêu cầu hỗ trợ" in missing.text
    begun = await counter.post(f"{HOME}/counter", act="open", code="", text="Đang nói chuyện")
    assert begun.status_code == 200 and ">Đang nói chuyện</textarea>" in begun.text


@pytest.mark.parametrize("text", ["Gửi mật khẩu cho tôi", "cho xin ma OTP", "Đọc mã PIN", "your password"])
async def test_th01_the_desk_cannot_ask_for_a_secret(office: Office, counter: Counter, text: str) -> None:
    phone, made = await asks(office)
    path = f"{HOME}/{made['id']}"
    refused = await counter.post(path, act="answer", text=text)
    assert refused.status_code == 422 and "không được hỏi" in refused.text
    assert text in refused.text, "what was typed is not lost"
    at_counter = await counter.post(f"{HOME}/counter", act="answer", code=made["code"], text=text)
    assert at_counter.status_code == 422
    new = {"person": "ai@don-vi.example", "subject": "Hỗ trợ", "text": text}
    assert (await counter.post(f"{HOME}/new", **new)).status_code == 422
    new = {"person": "ai@don-vi.example", "subject": text, "text": "Xin chào"}
    assert (await counter.post(f"{HOME}/new", **new)).status_code == 422
    (case,) = (await phone.call("GET", "/v1/support-cases")).json()["items"]
    assert case["status"] == "open" and len(case["messages"]) == 1


async def test_th01_no_page_of_the_desk_has_a_field_for_a_secret(office: Office, counter: Counter) -> None:
    _, made = await asks(office)
    for path in (HOME, f"{HOME}/new", f"{HOME}/{made['id']}"):
        page = await counter.page(path)
        names = set(re.findall(r'<(?:input|textarea|select)[^>]* name="([^"]+)"', page))
        assert names <= {"_csrf", "code", "text", "status", "person", "subject", "desk"}
        assert 'type="password"' not in page and "one-time-code" not in page


async def test_th02_nobody_answers_or_closes_their_own_case(
    office: Office, clerk: Somebody, counter: Counter
) -> None:
    service = office.service
    phone = await service.sign_in(clerk.persona)
    counter.http.cookies.clear()
    own = Counter((await office.desk(clerk)).http)
    _, made = await asks(office, phone)
    path = f"{HOME}/{made['id']}"
    page = await own.page(path)
    assert "của chính bạn" in page and ">Trả lời</button>" not in page
    for act in ("answer", "close"):
        refused = await own.post(path, act=act, text="Xong.")
        assert refused.status_code == 403 and "của chính mình" in refused.text
    at_counter = await own.post(f"{HOME}/counter", act="close", code=made["code"], text="")
    assert at_counter.status_code == 403
    mine = await own.post(f"{HOME}/new", person=clerk.persona.national_id, subject="Tôi", text="Tự mở")
    assert mine.status_code == 403
    (case,) = (await phone.call("GET", "/v1/support-cases")).json()["items"]
    assert case["status"] == "open"
    await own.http.aclose()


async def test_another_desks_case_does_not_exist(office: Office, counter: Counter) -> None:
    service = office.service
    async with service.db.write() as tx:
        await desks.add(tx, service.kit, "KBNN", **DESK, now=service.clock.now())
    phone = await service.sign_in()
    body = {"subject": "Kho bạc", "text": "Hỏi", "desk": "KBNN"}
    made = (await phone.call("POST", "/v1/support-cases", body)).json()
    path = f"{HOME}/{made['id']}"
    assert (await counter.http.get(path)).status_code == 404
    assert (await counter.post(path, act="answer", text="Xong.")).status_code == 404
    assert (await counter.post(f"{HOME}/counter", act="find", code=made["code"])).status_code == 404
    assert made["code"] not in await counter.page(HOME)
