"""Notices over HTTP: what is shown first, in whose words, and "this was not me" (rule 1105)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlalchemy import delete, func, select, update

from backend import paging
from backend.devices import takeover
from backend.outside.clock import local_day
from backend.support import desks, notices, telling
from backend.support.models import Case, Desk, Notice, NoticeRead
from backend.words import english
from tests.mobile_api.test_support import DESK
from tests.phone import Phone
from tests.service import Service


@pytest_asyncio.fixture(loop_scope="session")
async def helped(service: Service) -> AsyncIterator[Service]:
    """A service with one desk and no announcement."""
    async with service.db.write() as tx:
        await tx.execute(delete(NoticeRead))
        await tx.execute(delete(Notice).where(Notice.account_id.is_(None)))
        if not any(desk.code == "HUE" for desk in await desks.listed(tx)):
            await desks.add(tx, service.kit, "HUE", **DESK, now=service.clock.now())
    yield service


async def account_of(phone: Phone) -> UUID:
    return UUID((await phone.call("GET", "/v1/me")).json()["id"])


async def shown(phone: Phone, **headers: str) -> list[dict[str, Any]]:
    answer = await phone.call("GET", "/v1/notices", **headers)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def told(service: Service, reader: Phone, kind: str, /, **details: Any) -> UUID:
    async with service.db.write() as tx:
        now = service.clock.now()
        return notices.tell(tx, service.kit, await account_of(reader), kind, now=now, **details).id


async def announced(service: Service, title: str = "Bảo trì tối nay", days: int | None = None) -> UUID:
    now = service.clock.now()
    until = local_day(now) + timedelta(days=days) if days is not None else None
    async with service.db.write() as tx:
        return notices.publish(tx, service.kit, title=title, body="Từ 22 giờ.", until=until, now=now).id


async def test_everybody_sees_an_announcement_first_and_strangers_see_nothing_else(helped: Service) -> None:
    phone = await helped.sign_in()
    await told(helped, phone, "password_changed")
    notice_id = await announced(helped)
    stranger = (await helped.http.get("/v1/notices")).json()["items"]
    assert [one["id"] for one in stranger] == [str(notice_id)]
    assert set(stranger[0]) == {"id", "kind", "title", "body", "at", "first", "read_at", "can_deny"}
    assert stranger[0]["kind"] == "announcement" and stranger[0]["first"] is True
    assert [one["kind"] for one in await shown(phone)] == ["announcement", "password_changed"]


async def test_what_was_read_stands_behind_what_was_not(helped: Service) -> None:
    phone, other = await helped.sign_in(), await helped.sign_in()
    notice_id = await announced(helped)
    mine = await told(helped, phone, "method_added", method="certificate")
    for one in (mine, notice_id):
        for _ in range(2):
            assert (await phone.call("POST", f"/v1/notices/{one}/read")).status_code == 204
    newest = await told(helped, phone, "role_changed", unit="Sở Nội vụ", change="begun")
    found = await shown(phone)
    assert found[0]["id"] == str(newest) and found[0]["first"] is True
    assert all(one["read_at"] and not one["first"] for one in found[1:]) and len(found) == 3
    assert (await shown(other))[0]["first"] is True, "one reader does not read for the others"


async def pages(reader: Phone) -> list[list[str]]:
    """The identifiers on every page of the list, in order."""
    found, cursor = list[list[str]](), ""
    for _ in range(50):  # a cursor that leads nowhere would never end
        answer = await reader.call("GET", f"/v1/notices{cursor}")
        assert answer.status_code == 200, answer.text
        found.append([one["id"] for one in answer.json()["items"]])
        if answer.json()["next_cursor"] is None:
            return found
        cursor = f"?cursor={answer.json()['next_cursor']}"
    raise AssertionError("the list has no end")


async def many(service: Service, reader: Phone, count: int) -> list[UUID]:
    """Notices of one person, the newest first."""
    async with service.db.write() as tx:
        mine, now = await account_of(reader), service.clock.now()
        made = [notices.tell(tx, service.kit, mine, "case_answered", now=now) for _ in range(count)]
    return sorted((notice.id for notice in made), reverse=True)


async def test_every_notice_is_reached_page_by_page_unread_ones_first(helped: Service) -> None:
    phone, announcement = await helped.sign_in(), await announced(helped)
    found = await many(helped, phone, 229)
    was_read = found[::2]
    async with helped.db.write() as tx:
        seen = update(Notice).where(Notice.id.in_(was_read)).values(read_at=helped.clock.now())
        await tx.execute(seen)
    unread = [*found[1::2], announcement]
    first, second, third = await pages(phone)
    assert [len(first), len(second), len(third)] == [100, 100, 30]
    assert [*first, *second, *third] == [str(one) for one in (*unread, *was_read)]
    assert (await phone.call("POST", f"/v1/notices/{announcement}/read")).status_code == 204
    assert [one for page in await pages(phone) for one in page][-1] == str(announcement)


async def test_what_is_read_between_two_pages_hides_nothing(helped: Service) -> None:
    phone = await helped.sign_in()
    found = {str(one) for one in await many(helped, phone, 205)}
    first = (await phone.call("GET", "/v1/notices")).json()
    for one in first["items"][::40]:
        assert (await phone.call("POST", f"/v1/notices/{one['id']}/read")).status_code == 204
    second = (await phone.call("GET", f"/v1/notices?cursor={first['next_cursor']}")).json()
    third = (await phone.call("GET", f"/v1/notices?cursor={second['next_cursor']}")).json()
    assert {one["id"] for page in (first, second, third) for one in page["items"]} == found
    assert third["next_cursor"] is None


async def test_a_stranger_reaches_every_announcement(helped: Service) -> None:
    try:
        async with helped.db.write() as tx:
            publish = partial(notices.publish, tx, helped.kit, until=None, now=helped.clock.now())
            made = {str(publish(title=f"Bảo trì {number}", body="Từ 22 giờ.").id) for number in range(101)}
        first = (await helped.http.get("/v1/notices")).json()
        rest = (await helped.http.get(f"/v1/notices?cursor={first['next_cursor']}")).json()
        assert (len(first["items"]), len(rest["items"]), rest["next_cursor"]) == (100, 1, None)
        assert {one["id"] for one in first["items"] + rest["items"]} == made
    finally:
        async with helped.db.write() as tx:
            await tx.execute(delete(Notice).where(Notice.account_id.is_(None)))


@pytest.mark.parametrize("place", ["", "unread", "unread|x", f"later|{UUID(int=7)}", str(UUID(int=7))])
async def test_a_place_that_no_list_of_notices_gave_out_is_refused(helped: Service, place: str) -> None:
    answer = await helped.http.get(f"/v1/notices?cursor={paging.cursor_of(place) or 'x'}")
    assert (answer.status_code, answer.json()["code"]) == (400, "cursor_invalid")


async def test_an_announcement_ends_with_its_day(helped: Service) -> None:
    await announced(helped, days=0)
    assert len((await helped.http.get("/v1/notices")).json()["items"]) == 1
    helped.pass_time(days=1)
    assert (await helped.http.get("/v1/notices")).json()["items"] == []


@pytest.mark.parametrize("kind", sorted(telling.WORDS))
async def test_every_kind_has_words_in_both_languages(helped: Service, kind: str) -> None:
    phone = await helped.sign_in()
    details = {
        "device": "Máy cũ", "by": "Máy mới", "phone": "055****456", "method": "certificate",
        "unit": "Sở Nội vụ", "change": "begun", "code": "SD260304-123456", "desk": "Đội hỗ trợ",
        "purpose": "recovery", "ended": "password|055****456", "kept": "nothing",
        "outcome": "rejected", "number": "000***191", "above": "UBND", "day": "01/03/2026", "reason": "Mất máy",
        "then": "tiếp nhận", "to": "An", "until": "02/03/2026", "what": "transfer", "count": "3", "last": "09/03/2026",
        "browser": "Firefox, Linux", "name": "Tôn Nữ An", "place": "192.0.2.0/24",
    }  # fmt: skip
    await told(helped, phone, kind, **details)
    await told(helped, phone, kind)
    full, bare = (await shown(phone))[::-1][:2]
    english = (await shown(phone, **{"Accept-Language": "en"}))[-1]
    for one in (full, bare, english):
        assert one["kind"] == kind and one["title"] and "{" not in one["body"]
    assert english["title"] != full["title"] and english["body"] != full["body"]
    assert "…" not in full["body"]
    assert full["can_deny"] is (kind in notices.DENIABLE)


async def test_the_official_mail_has_words_of_its_own(helped: Service) -> None:
    phone = await helped.sign_in()
    await told(helped, phone, "recovery_done", what="official_mail")
    assert "thư công vụ" in (await shown(phone))[0]["title"]


async def test_another_persons_notice_does_not_exist(helped: Service) -> None:
    phone, other = await helped.sign_in(), await helped.sign_in()
    mine = await told(helped, phone, "password_changed")
    for act in ("read", "deny"):
        for one in (mine, uuid4()):
            answer = await other.call("POST", f"/v1/notices/{one}/{act}")
            assert (answer.status_code, answer.json()["code"]) == (404, "notice_not_found")
        assert (await helped.http.post(f"/v1/notices/{mine}/{act}")).status_code == 401
    assert (await shown(phone))[0]["first"] is True


async def test_a_denial_opens_one_case_however_often_it_is_said(helped: Service) -> None:
    phone = await helped.sign_in()
    mine = await told(helped, phone, "phone_changed", phone="055****456")
    path = f"/v1/notices/{mine}/deny"
    first, *others = await asyncio.gather(*(phone.call("POST", path) for _ in range(6)))
    assert first.status_code == 201, first.text
    assert {one.content for one in others} == {first.content}
    assert first.json()["desk"] == {"code": "HUE", **DESK}
    async with helped.db.read() as tx:
        query = select(func.count()).select_from(Case).where(Case.account_id == await account_of(phone))
        assert await tx.scalar(query) == 1
    found = (await shown(phone))[0]
    assert found["can_deny"] is False and found["first"] is False
    (case,) = (await phone.call("GET", "/v1/support-cases")).json()["items"]
    assert "055****456" in case["messages"][0]["text"]


async def test_the_subject_of_a_denial_is_read_in_the_readers_language(helped: Service) -> None:
    phone = await helped.sign_in()
    for kind in ("password_changed", "phone_changed"):
        mine = await told(helped, phone, kind)
        assert (await phone.call("POST", f"/v1/notices/{mine}/deny")).status_code == 201
    own = {"subject": "Không phải tôi: Mật khẩu đã thay đổi", "text": "Chữ của tôi."}
    await phone.call("POST", "/v1/support-cases", own)
    subjects = {}
    for lang in ("vi", "en"):
        found = await phone.call("GET", "/v1/support-cases", **{"Accept-Language": lang})
        subjects[lang] = [one["subject"] for one in found.json()["items"]]
    assert subjects["vi"][0] == subjects["vi"][2] == subjects["en"][0] == own["subject"]
    assert subjects["en"][2] == "This was not me: Your password was changed"
    assert subjects["en"][1].startswith("This was not me: ") and subjects["en"][1] != subjects["vi"][1]
    assert all(part in english() for part in takeover.SUBJECT.split(": "))


async def test_only_some_kinds_and_only_for_a_month(helped: Service) -> None:
    phone = await helped.sign_in()
    late = await told(helped, phone, "password_changed")
    async with helped.db.write() as tx:
        before = helped.clock.now() - timedelta(days=30)
        await tx.execute(update(Notice).where(Notice.id == late).values(at=before))
    for one in (late, await told(helped, phone, "case_answered"), await announced(helped)):
        answer = await phone.call("POST", f"/v1/notices/{one}/deny")
        assert (answer.status_code, answer.json()["code"]) == (409, "notice_not_deniable")


async def test_a_new_phone_is_told_of_the_old_and_its_denial_freezes_the_account(helped: Service) -> None:
    person = helped.person()
    await helped.sign_in(person, helped.phone("Máy cũ"))
    newer = await helped.sign_in(person, helped.phone("Máy mới"))
    notice = (await shown(newer))[0]
    assert notice["kind"] == "device_replaced" and notice["can_deny"] is True
    assert "Máy cũ" in notice["body"] and "Máy mới" in notice["body"]
    answer = await newer.call("POST", f"/v1/notices/{notice['id']}/deny")
    assert answer.status_code == 201
    after = await newer.call("GET", "/v1/me")
    assert (after.status_code, after.json()["reason"]) == (401, "takeover_reported")
    phone = helped.phone()
    started = await phone.begin()
    back = await phone.bring(started["id"], await helped.consent(started["authorization_url"], person))
    assert (back.status_code, back.json()["code"]) == (403, "account_frozen")


async def test_the_freeze_does_not_wait_for_a_desk(helped: Service) -> None:
    person = helped.person()
    await helped.sign_in(person)
    newer = await helped.sign_in(person)
    notice = (await shown(newer))[0]
    async with helped.db.write() as tx:
        await tx.execute(update(Desk).values(removed_at=helped.clock.now()))
    answer = await newer.call("POST", f"/v1/notices/{notice['id']}/deny")
    assert (answer.status_code, answer.json()["code"]) == (503, "no_desk")
    assert (await newer.call("GET", "/v1/me")).json()["reason"] == "takeover_reported"


async def test_a_takeover_report_opens_one_case_and_says_its_code(helped: Service) -> None:
    person = helped.person()
    older = await helped.sign_in(person)
    await helped.sign_in(person)
    first, again = [await older.call("POST", "/v1/takeover-reports") for _ in range(2)]
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert first.json()["status"] == "frozen" and first.json()["hotline"] == "19001075"
    genuine = await helped.http.get(f"/v1/support-codes/{first.json()['code']}")
    assert genuine.json()["genuine"] is True
