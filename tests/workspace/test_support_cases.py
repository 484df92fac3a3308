"""Cases that staff open for somebody, and how the desk's pages hold against strangers."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from sqlalchemy import select

from backend.journal import Entry
from backend.support import desks, reading
from backend.support.models import Case, CaseMail, Desk
from tests.workspace.counter import DESK, HOME, Counter, asks
from tests.workspace.office import TOKEN, Office, Somebody


async def test_staff_open_a_case_for_a_caller_whose_app_tells_the_code(
    office: Office, counter: Counter
) -> None:
    person = office.service.person("Tôn Nữ Gọi Đến")
    phone = await office.service.sign_in(person)
    form = {"person": f" {person.national_id} ", "subject": "Gọi điện", "text": "Không mở được trang."}
    opened = await counter.post(f"{HOME}/new", **form)
    assert opened.status_code == 303, opened.text
    page = await counter.page(opened.headers["location"])
    assert "Tôn Nữ Gọi Đến" in page and person.national_id not in page
    notice = (await phone.call("GET", "/v1/notices")).json()["items"][0]
    (case,) = (await phone.call("GET", "/v1/support-cases")).json()["items"]
    assert (
        notice["kind"] == "case_opened" and case["code"] in notice["body"] and "Đội hỗ trợ" in notice["body"]
    )


async def test_staff_open_a_case_by_mail_address_and_a_mail_is_owed(office: Office, counter: Counter) -> None:
    form = {"person": "Ke.Toan@Truong.example", "subject": "Gọi điện", "text": "Đã ghi nhận."}
    opened = await counter.post(f"{HOME}/new", **form)
    assert opened.status_code == 303, opened.text
    page = await counter.page(opened.headers["location"])
    assert "ke.toan@truong.example" not in page and "ke.**" not in page and "@truong.example" in page
    service = office.service
    async with service.db.read() as tx:
        case = await tx.get_one(Case, UUID(opened.headers["location"].rpartition("/")[2]))
        mail = (await tx.scalars(select(CaseMail).where(CaseMail.case_id == case.id))).one()
    open_ = service.kit.keys.open
    assert open_("support_mails.recipient", mail.id, mail.recipient) == "ke.toan@truong.example"
    assert open_("support_mails.subject", mail.id, mail.subject) == f"[HUE#DVC] {case.code}"
    body = open_("support_mails.body", mail.id, mail.body)
    assert all(words in body for words in (case.code, *DESK.values()))


@pytest.mark.parametrize("person", ["", "000090999999", "79", "a@b", "x\r\nBcc: y@z.example"])
async def test_a_case_for_nobody_is_not_opened(office: Office, counter: Counter, person: str) -> None:
    answer = await counter.post(f"{HOME}/new", person=person, subject="Gọi", text="Nghe máy")
    assert answer.status_code == 422
    assert ">Nghe máy</textarea>" in answer.text


async def test_a_foreign_page_presses_no_button(office: Office, counter: Counter) -> None:
    _, made = await asks(office)
    for path in (f"{HOME}/{made['id']}", f"{HOME}/counter", f"{HOME}/new"):
        plain = await counter.http.post(path, data={"act": "close", "code": made["code"]})
        assert plain.status_code == 403
        forged = await counter.send(path, {"act": "close"}, token="x" * 43)
        assert forged.status_code == 403
    extra = await counter.post(f"{HOME}/{made['id']}", act="close", status="open")
    assert extra.status_code == 400


async def test_a_right_that_was_taken_is_gone_at_the_next_click(
    office: Office, clerk: Somebody, counter: Counter
) -> None:
    _, made = await asks(office)
    token = TOKEN.search(await counter.page(HOME))
    assert token is not None
    service = office.service
    async with service.db.write() as tx:
        await desks.dismiss(tx, service.kit, "HUE", clerk.persona.national_id, now=service.clock.now())
    assert (await counter.http.get(HOME)).status_code == 403
    late = await counter.send(f"{HOME}/{made['id']}", {"act": "close"}, token=token.group(1))
    assert late.status_code == 403
    answer = {"act": "answer", "text": "Bà bấm <vào> đây"}
    unsent = await counter.send(f"{HOME}/{made['id']}", answer, token=token.group(1))
    assert unsent.status_code == 403
    assert "Bạn đang viết dở" in unsent.text and "Bà bấm &lt;vào&gt; đây</textarea>" in unsent.text


async def test_a_strangers_words_stay_words(office: Office, counter: Counter) -> None:
    phone = await office.service.sign_in()
    evil = '<script>alert(1)</script> {{7*7}} " onload=x'
    body = {"subject": evil, "text": evil}
    made = (await phone.call("POST", "/v1/support-cases", body)).json()
    for path in (HOME, f"{HOME}/{made['id']}"):
        page = await counter.page(path)
        assert "<script>alert" not in page and "&lt;script&gt;alert(1)" in page and "{{7*7}}" in page


async def test_the_pages_speak_both_languages(office: Office, counter: Counter) -> None:
    _, made = await asks(office)
    for path in (HOME, f"{HOME}/new", f"{HOME}/{made['id']}"):
        english = await counter.page(path, lang="en")
        assert '<html lang="en"' in english and "Case code" in english + "Case code" * (path == f"{HOME}/new")
        assert "Nội dung" not in english
    await counter.page(HOME, lang="vi")


async def test_a_long_list_is_turned_page_by_page(office: Office, counter: Counter) -> None:
    codes = []
    for _ in range(3):
        phone = await office.service.sign_in()
        codes += [(await asks(office, phone))[1]["code"] for _ in range(9)]
    first = await counter.page(HOME)
    assert codes[-1] in first and codes[0] not in first
    onward = re.search(r'href="(/workspace/support\?cursor=[^"]+)"', first)
    assert onward is not None
    assert codes[0] in await counter.page(onward.group(1))
    assert (await counter.http.get(HOME, params={"cursor": "x"})).status_code == 400


async def test_what_the_desk_does_stands_in_the_journal_without_words(
    office: Office, counter: Counter
) -> None:
    _, made = await asks(office)
    await counter.post(f"{HOME}/{made['id']}", act="answer", text="Đã sửa.")
    service = office.service
    async with service.db.read() as tx:
        found = await tx.scalars(select(Entry).where(Entry.fact.contains(made["id"])).order_by(Entry.seq))
        entries = [(entry.tag, entry.fact) for entry in found]
        assert [tag for tag, _ in entries] == ["support.case_opened", "support.case_answered"]
        assert all("Đã sửa" not in fact and made["code"] not in fact for _, fact in entries)
        assert await reading.stands_behind(tx, service.kit, made["code"], now=service.clock.now())
        assert (await tx.scalars(select(Desk).where(Desk.code == "HUE"))).one().removed_at is None
