"""What a form carries that nobody asked for, a foreign request among many, and texts that are none (cases TW06, TW07, TW10)."""

from __future__ import annotations

import re
import urllib.parse
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest
from msgspec.structs import force_setattr

from tests.workspace.aftermath import Hand, after
from tests.workspace.office import SAME_SITE, Desk, Office, Somebody
from tests.workspace.test_deciding import state
from tests.workspace.test_fresh import every_act, operators_acts

# a form is read before any row is asked, and a row does not know where it is kept
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)
MANY = 500
INVENTED = {
    "state": "active",
    "status": "approved",
    "unit_id": str(uuid4()),
    "approved_by": str(uuid4()),
    "decided_by": str(uuid4()),
    "by": str(uuid4()),
    "role": "manager",
    "account_id": str(uuid4()),
    "is_home": "1",
    "created_at": "2020-01-01",
    "__struct__": "x",
}


@pytest.mark.parametrize("name", INVENTED)
async def test_tw06_no_form_takes_a_field_that_its_page_does_not_have(
    office: Office, desk: Desk, name: str
) -> None:
    acts, operators = await every_act(office), operators_acts()
    above = await office.desk(office.ha)
    asked = [UUID(one) for path in acts for one in re.findall(r"requests/([0-9a-f-]{36})", path)]
    before = [await after(office, one) for one in asked]
    chi, ha = await Hand.of(desk, "/workspace"), await Hand.of(above, "/workspace")
    for path, form in (acts | operators).items():
        sent = form | {name: INVENTED[name]}
        answer = await (ha if path in operators else chi).press(path, sent)
        assert answer.status_code == 400 and "Biểu mẫu hoặc địa chỉ không hợp lệ" in answer.text, path
    assert [await after(office, one) for one in asked] == before
    await above.http.aclose()


@pytest.mark.parametrize("name", INVENTED)
async def test_tw06_nor_does_the_form_of_ones_own_wish(office: Office, name: str) -> None:
    who = await office.person("Tôn Thất Tự Phong")
    desk = await office.desk(who)
    hand = await Hand.of(desk, "/workspace/me")
    form = {"subject_type": "cong_chuc", "position": "chuyen_vien", "unit": office.unit}
    answer = await hand.press("/workspace/me/register", form | {name: INVENTED[name]})
    assert answer.status_code == 400 and "Biểu mẫu hoặc địa chỉ không hợp lệ" in answer.text
    assert "Đang chờ" not in await desk.page("/workspace/me")
    assert (await hand.press("/workspace/me/register", form)).status_code == 303
    await desk.http.aclose()


async def test_tw07_five_hundred_at_once_are_more_than_one_press_takes_and_none_is_decided(
    office: Office, desk: Desk
) -> None:
    mine = [await office.asks(f"Lý Thị Nhiều {number}", listed=True) for number in range(3)]
    foreign = await office.asks("Lý Thị Nơi Khác", unit=office.other)
    picks = [f"{one}:1" for one in (*mine, foreign, *(uuid4() for _ in range(MANY - 4)))]
    answer = await desk.send("/workspace/bulk", {"decision": "approved", "pick": picks, "reason": ""})
    assert answer.status_code == 422 and "Hãy chọn từ 1 đến 100 yêu cầu" in answer.text
    assert "Lý Thị Nơi Khác" not in answer.text
    assert [await state(office, one) for one in mine] == ["pending"] * 3
    assert (await after(office, foreign)).status == "pending"


async def test_tw07_of_five_hundred_where_so_many_are_allowed_the_foreign_one_alone_is_not_found(
    office: Office, desk: Desk
) -> None:
    mine = [await office.asks(f"Lý Văn Nhiều {number}", listed=True) for number in range(40)]
    foreign = await office.asks("Lý Văn Nơi Khác", unit=office.other)
    unknown = [uuid4() for _ in range(MANY - len(mine) - 1)]
    before, limits = await after(office, foreign), office.service.kit.limits
    usual = limits.bulk_most
    force_setattr(limits, "bulk_most", MANY)
    try:
        order = [*mine[:20], foreign, *unknown, *mine[20:]]
        form = {"decision": "approved", "pick": [f"{one}:1" for one in order], "reason": ""}
        answer = await desk.send("/workspace/bulk", form)
    finally:
        force_setattr(limits, "bulk_most", usual)
    assert answer.status_code == 303, answer.text
    told = await desk.page(answer.headers["location"])
    assert "Đã phê duyệt 40 yêu cầu" in told and f"{MANY - 40} yêu cầu không thay đổi" in told
    assert told.count("Không tìm thấy yêu cầu") == MANY - 40, "a foreign one looks like one that is not there"
    assert str(foreign) in told and "Lý Văn Nơi Khác" not in told
    assert {await state(office, one) for one in mine} == {"approved"}
    assert await after(office, foreign) == before


BAD: dict[str, str | bytes] = {
    "1 MB": "lý do " * 170_000,
    "10,000 marks": "e" + "\u0301" * 10_000,
    "zalgo": "".join(letter + "\u0334\u0353\u0301\u0489" for letter in "không"),
    "right to left": "\u202eđổi chiều\u202c",
    "zero width": "kh\u200bông",
    "joined emoji": "\U0001f469\u200d\U0001f4bb",
    "nul": "kh\0ông",
    "a lone surrogate": b"%ED%A0%80",
    "not UTF-8": b"%FF%FE",
    "half of UTF-8": b"%E1%BB",
    "BOM": "\ufeffkhông",
    "private": "\ue000",
    "line separator": "a\u2028b",
}
GOOD = {
    "look-alikes": "Nguуen không thuộc đơn vị",
    "full width": "Ｎguyễn",
    "decomposed": "Kho\u0302ng đu\u0301ng",
    "two lines": "Dòng một\r\nDòng hai",
    "markup": "<b>{{7*7}}</b>",
    "emoji": "Không 🙂",
}
CLEAR = ("Nội dung quá dài", "Có ký tự không được phép", "Biểu mẫu hoặc địa chỉ không hợp lệ")


async def says(desk: Desk, path: str, reason: str | bytes, **more: Any) -> tuple[int, str]:
    """The form as the browser encodes it, or with bytes that no browser would send."""
    hand = await Hand.of(desk, "/workspace")
    form = urllib.parse.urlencode({"_csrf": hand.token, **more}, doseq=True).encode()
    typed = reason if isinstance(reason, bytes) else urllib.parse.quote_plus(reason.encode()).encode()
    headers = SAME_SITE | {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await desk.http.post(path, content=form + b"&reason=" + typed, headers=headers)
    return answer.status_code, answer.text


@pytest.mark.parametrize("name", BAD)
async def test_tw10_a_reason_that_is_no_text_is_refused_in_clear_words(
    office: Office, desk: Desk, name: str
) -> None:
    request_id = await office.asks("Phan Thị Lạ")
    before = await after(office, request_id)
    for path, form in (
        (f"/workspace/requests/{request_id}/decision", {"decision": "rejected", "version": 1}),
        (f"/workspace/requests/{request_id}/decision", {"decision": "returned", "version": 1}),
        ("/workspace/bulk", {"decision": "rejected", "pick": [f"{request_id}:1"]}),
    ):
        status, text = await says(desk, path, BAD[name], **form)
        assert status in {400, 413, 422}, (path, status, text)
        assert any(one in text for one in CLEAR) or status == 413, (path, status, text)
    assert await after(office, request_id) == before


@pytest.mark.parametrize("name", GOOD)
async def test_tw10_a_reason_that_only_looks_odd_is_kept_and_shown_as_it_is(
    office: Office, desk: Desk, name: str
) -> None:
    request_id = await office.asks("Phan Thị Thường")
    path = f"/workspace/requests/{request_id}"
    status, text = await says(desk, f"{path}/decision", GOOD[name], decision="rejected", version=1)
    assert status == 303, text
    page = unescape(await desk.page(path))
    kept = {"decomposed": "Không đúng", "two lines": "Dòng hai"}.get(name, GOOD[name])
    assert kept in page and ("49" not in page.split("Lý do:")[1][:40] or name != "markup")


@pytest.mark.parametrize("listed", ["Nguyễn Văn Giống", "Nguyễn Văn Giong"])
async def test_tw10_a_name_that_only_looks_like_the_listed_one_is_shown_to_whoever_approves(
    office: Office, desk: Desk, listed: str
) -> None:
    known = await office.person(listed)
    for typed, alike in (
        (listed, True),
        (listed.replace("y", "у"), False),
        (listed.replace("N", "Ｎ"), False),
    ):
        who = await office.person(typed)
        entry = Somebody(
            msgspec.structs.replace(who.persona, full_name=known.persona.full_name), who.account_id
        )
        await office.lists(entry)
        request_id = await office.asks_as(who)
        page = await desk.page(f"/workspace/requests/{request_id}")
        assert ("Họ tên ở danh bạ khác họ tên của tài khoản" in page) is not alike, typed
        many = {"decision": "approved", "pick": [f"{request_id}:1"], "reason": ""}
        told = await desk.page((await desk.send("/workspace/bulk", many)).headers["location"])
        assert ("hãy mở yêu cầu để quyết định riêng" in told) is not alike, typed


@pytest.mark.parametrize(("typed", "odd"), [("Ngu\u0443en Thị Lạ", True), ("H\u02bcBia Êban", False)])
async def test_tw10_letters_of_another_alphabet_are_told_where_no_directory_speaks(
    office: Office, desk: Desk, typed: str, odd: bool
) -> None:
    request_id = await office.asks_as(await office.person(typed))
    page = await desk.page(f"/workspace/requests/{request_id}")
    assert ("Họ tên có chữ cái của bảng chữ khác" in page) is odd
    assert ("Chữ cái lạ trong tên" in await desk.page("/workspace")) is odd
    many = {"decision": "approved", "pick": [f"{request_id}:1"], "reason": ""}
    told = await desk.page((await desk.send("/workspace/bulk", many)).headers["location"])
    assert ("hãy mở yêu cầu để quyết định riêng" in told) is odd
