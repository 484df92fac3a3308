"""The buttons, pressed by a browser without scripts, and by those who should not."""

from __future__ import annotations

import asyncio
import re
from typing import Any
from uuid import UUID, uuid4

import pytest

from backend.facts import Operator
from backend.kit import Kit
from backend.roles import dossier, managers, policy, queue, requests, review
from backend.roles.wish import Draft
from tests.workspace.office import TOKEN, Desk, Office


async def state(office: Office, request_id: UUID) -> str:
    async with office.service.db.read() as tx:
        found = await dossier.view(
            tx, office.service.kit, request_id, office.chi.account_id, now=office.service.clock.now()
        )
    return found.status


def word(decision: str, version: int = 1, reason: str = "") -> dict[str, Any]:
    return {"decision": decision, "version": version, "reason": reason}


async def test_an_approval_counts_at_once_and_can_be_taken_back_for_ten_seconds(
    office: Office, desk: Desk
) -> None:
    request_id = await office.asks("Trần Văn Bình")
    path = f"/workspace/requests/{request_id}"
    answer = await desk.send(f"{path}/decision", word("approved"))
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    page = await desk.page(path)
    assert "Đã được phê duyệt" in page and "Hoàn tác" in page and "Trả lại" not in page
    assert (await desk.send(f"{path}/undo", {})).status_code == 303
    assert await state(office, request_id) == "pending"
    await desk.send(f"{path}/decision", word("approved", version=3))
    office.service.pass_time(seconds=11)
    assert "Hoàn tác" not in await desk.page(path)
    late = await desk.send(f"{path}/undo", {})
    assert late.status_code == 409 and "Đã quá thời gian hoàn tác" in late.text
    assert await state(office, request_id) == "approved"


@pytest.mark.parametrize(("decision", "becomes"), [("rejected", "rejected"), ("returned", "returned")])
async def test_a_no_wants_a_reason_that_the_page_keeps_and_shows(
    office: Office, desk: Desk, decision: str, becomes: str
) -> None:
    request_id = await office.asks("Nguyễn Thị An")
    path = f"/workspace/requests/{request_id}"
    silent = await desk.send(f"{path}/decision", word(decision, reason="   "))
    assert silent.status_code == 422 and ">Vui lòng nêu lý do<" in silent.text
    assert await state(office, request_id) == "pending"
    await desk.send(f"{path}/decision", word(decision, reason="Thiếu số quyết định"))
    assert await state(office, request_id) == becomes
    assert "Lý do: Thiếu số quyết định" in await desk.page(path)


@pytest.mark.parametrize("service", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "reason", ["x" * 501, "a\u0301\u0301\u0301\u0301" * 20, "\u202eđảo", "không\u200b", "nul\0"]
)
async def test_tw10_a_reason_that_nobody_can_read_is_refused_and_nothing_changes(
    office: Office, desk: Desk, reason: str
) -> None:
    request_id = await office.asks("Phan Thị Giang")
    answer = await desk.send(f"/workspace/requests/{request_id}/decision", word("rejected", reason=reason))
    assert answer.status_code == 422
    assert await state(office, request_id) == "pending"


async def test_tw04_a_page_that_has_grown_old_is_told_and_changes_nothing(office: Office, desk: Desk) -> None:
    request_id = await office.asks("Huỳnh Văn Nam")
    path = f"/workspace/requests/{request_id}"
    await desk.send(f"{path}/decision", word("approved"))
    again = await desk.send(f"{path}/decision", word("rejected", reason="Không đồng ý"))
    assert again.status_code == 409
    assert re.search(r"Lê Thị Chi đã phê duyệt lúc \d\d/\d\d/\d{4} \d\d:\d\d", again.text)
    assert "Chưa có gì thay đổi" in again.text and "Đã được phê duyệt" in again.text
    assert await state(office, request_id) == "approved"


async def test_tw04_an_older_version_is_refused_with_the_fresh_row(office: Office, desk: Desk) -> None:
    request_id = await office.asks("Lê Quang Vinh")
    answer = await desk.send(f"/workspace/requests/{request_id}/decision", word("approved", version=7))
    assert answer.status_code == 409 and "Yêu cầu đã thay đổi" in answer.text and "Phê duyệt" in answer.text
    assert await state(office, request_id) == "pending"


async def test_tw03_many_tabs_press_at_once_and_one_decides(office: Office, desk: Desk) -> None:
    request_id = await office.asks("Mai Văn Tám")
    token = TOKEN.search(await desk.page("/workspace"))
    assert token is not None
    path = f"/workspace/requests/{request_id}/decision"
    words = [word("approved"), word("rejected", reason="Không")] * 8
    answers = await asyncio.gather(*(desk.send(path, one, token=token.group(1)) for one in words))
    assert sorted(answer.status_code for answer in answers) == [303] + [409] * 15


async def test_tw02_nobody_decides_about_themselves(office: Office, desk: Desk) -> None:
    service = office.service
    draft = Draft(kind="register", subject_type="cong_chuc", unit=office.unit, position="giam_doc", fields={})
    async with service.db.write() as tx:
        own = await requests.create(
            tx, service.kit, draft, by=office.chi.account_id, now=service.clock.now(), level=2
        )
    path = f"/workspace/requests/{own.id}"
    assert f'action="{path}/decision"' not in await desk.page(path)
    answer = await desk.send(f"{path}/decision", word("approved"))
    assert answer.status_code == 403 and policy.OwnRequest.title in answer.text
    assert f'value="{own.id}:' not in await desk.page("/workspace")
    above = await office.desk(office.ha)
    assert str(own.id) in await above.page("/workspace")
    await above.http.aclose()


@pytest.mark.parametrize("service", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "form",
    [
        {"decision": "approved", "version": 1, "unit_id": str(uuid4())},
        {"decision": "approved", "version": 1, "approved_by": str(uuid4())},
        {"decision": "approved", "version": 1, "state": "active"},
        {"decision": "approved", "version": 1, "role": "manager"},
        {"decision": "approved"},
        {"decision": "approved", "version": "eins"},
        {"decision": "approved", "version": 10**30},
        {"decision": "promoted", "version": 1},
        {"decision": ["approved", "rejected"], "version": 1},
        {},
    ],
)
async def test_tw06_a_form_that_is_not_the_pages_own_changes_nothing(
    office: Office, desk: Desk, form: dict[str, Any]
) -> None:
    request_id = await office.asks("Tôn Nữ Hoài")
    answer = await desk.send(f"/workspace/requests/{request_id}/decision", form)
    assert answer.status_code in {400, 409}, answer.text
    assert await state(office, request_id) == "pending"


async def test_tw07_many_at_once_are_decided_one_by_one_and_reported_so(office: Office, desk: Desk) -> None:
    mine = [await office.asks(f"Nguyễn Văn {name}", listed=True) for name in ("Một", "Hai", "Ba")]
    foreign = await office.asks("Người Đơn Vị Khác", unit=office.other)
    async with office.service.db.write() as tx:
        await review.approve(
            tx,
            office.service.kit,
            mine[2],
            version=1,
            by=office.chi.account_id,
            now=office.service.clock.now(),
        )
    picks = [f"{one}:1" for one in (*mine, foreign)]
    answer = await desk.send("/workspace/bulk", {"decision": "approved", "pick": picks, "reason": ""})
    assert answer.status_code == 303
    told = await desk.page(answer.headers["location"])
    assert "Đã phê duyệt 2 yêu cầu" in told and "2 yêu cầu không thay đổi" in told
    assert "Yêu cầu đã được xử lý" in told and "Không tìm thấy yêu cầu" in told
    assert "Người Đơn Vị Khác" not in told
    assert [await state(office, one) for one in mine] == ["approved"] * 3


async def test_many_are_refused_only_with_a_reason_and_never_without_a_pick(
    office: Office, desk: Desk
) -> None:
    request_id = await office.asks("Trương Định")
    pick = f"{request_id}:1"
    for form in (
        {"decision": "rejected", "pick": [pick], "reason": ""},
        {"decision": "approved", "reason": ""},
        {"decision": "approved", "pick": ["x"], "reason": ""},
        {"decision": "approved", "pick": [f"{uuid4()}:1" for _ in range(101)], "reason": ""},
    ):
        answer = await desk.send("/workspace/bulk", form)
        assert answer.status_code in {400, 422}, answer.text
    assert await state(office, request_id) == "pending"
    answer = await desk.send(
        "/workspace/bulk", {"decision": "rejected", "pick": [pick], "reason": "Sai đơn vị"}
    )
    assert "Đã từ chối 1 yêu cầu" in await desk.page(answer.headers["location"])
    assert await state(office, request_id) == "rejected"


async def role_of(office: Office, name: str) -> UUID:
    async with office.service.db.read() as tx:
        found = await queue.people(
            tx, office.service.kit, office.chi.account_id, q=name, now=office.service.clock.now()
        )
    return found.items[0].role_id


async def test_a_role_is_ended_with_a_reason_and_that_can_be_taken_back(office: Office, desk: Desk) -> None:
    await office.has_role("Phạm Ngũ Lão")
    path = f"/workspace/people/{await role_of(office, 'Phạm Ngũ Lão')}/end"
    assert "Phạm Ngũ Lão" in await desk.page(path)
    assert (await desk.send(path, {"reason": ""})).status_code == 422
    office.service.pass_time(seconds=11)
    ended = await desk.send(path, {"reason": "Nghỉ hưu"})
    assert ended.status_code == 303
    assert "Phạm Ngũ Lão" not in await desk.page("/workspace/people")
    assert (await desk.send(f"{ended.headers['location']}/undo", {})).status_code == 303
    assert "Phạm Ngũ Lão" in await desk.page("/workspace/people")


async def test_a_transfer_is_begun_and_the_other_unit_is_asked(office: Office, desk: Desk) -> None:
    await office.has_role("Trần Hưng Đạo")
    path = f"/workspace/people/{await role_of(office, 'Trần Hưng Đạo')}/transfer"
    page = await desk.page(path)
    assert f"Sở Tài chính {office.number}" in page and "Chuyên viên chính" in page
    form = {
        "unit": office.other,
        "position": "chuyen_vien",
        "effective_on": "",
        "reason": "Theo quyết định 12",
    }
    assert (await desk.send(path, form | {"unit": ""})).status_code == 422
    assert (await desk.send(path, form | {"effective_on": "31/12"})).status_code == 422
    begun = await desk.send(path, form)
    assert begun.status_code == 303, begun.text
    released = await desk.page(begun.headers["location"])
    assert "Đơn vị đang công tác đồng ý cho chuyển" in released and "Đơn vị mới tiếp nhận" in released
    receiver = await office.desk(office.dung)
    seen = await receiver.page(begun.headers["location"])
    assert "Theo quyết định 12" in seen and f"Bạn phụ trách Sở Tài chính {office.number}" in seen
    taken = await receiver.send(f"{begun.headers['location']}/decision", word("approved"))
    await receiver.http.aclose()
    assert taken.status_code == 303
    assert await state(office, UUID(begun.headers["location"].rpartition("/")[2])) == "approved"


async def test_a_strangers_role_cannot_be_touched(office: Office, desk: Desk) -> None:
    await office.has_role("Lý Thường Kiệt", unit=office.other)
    async with office.service.db.read() as tx:
        found = await queue.people(
            tx, office.service.kit, office.dung.account_id, q="Lý Thường Kiệt", now=office.service.clock.now()
        )
    for path in (f"/workspace/people/{found.items[0].role_id}/{what}" for what in ("end", "transfer")):
        assert (await desk.http.get(path)).status_code == 404
        form = {"reason": "x"} if path.endswith("end") else {"unit": office.root, "position": "chuyen_vien"}
        assert (await desk.send(path, form)).status_code in {403, 404}


async def test_the_journal_tells_what_was_done_and_by_whom(office: Office, desk: Desk) -> None:
    request_id = await office.asks("Nguyễn Trãi")
    await desk.send(f"/workspace/requests/{request_id}/decision", word("rejected", reason="Thiếu hồ sơ"))
    page = await desk.page("/workspace/audit", kind="role")
    assert "Nguyễn Trãi" in page and "Lê Thị Chi" in page and "Đã bị từ chối" in page
    assert "Thiếu hồ sơ" not in page
    assert "Nguyễn Trãi" not in await desk.page("/workspace/audit", kind="sync")
    other = await office.desk(office.dung)
    assert "Nguyễn Trãi" not in await other.page("/workspace/audit")
    await other.http.aclose()


async def test_a30_the_journal_page_names_the_operator_of_a_command(office: Office, desk: Desk) -> None:
    service, now = office.service, office.service.clock.now()
    keys, limits = service.kit.keys, service.kit.limits
    command = Kit.of(keys, limits, operator=Operator("vanhanh as root", "Phạm Thị Lan"))
    async with service.db.write() as tx:
        await managers.add(tx, command, office.unit, "000090799999", by=None, now=now)
    page = await desk.page("/workspace/audit", kind="manager")
    assert "Người vận hành Phạm Thị Lan (tài khoản máy chủ: vanhanh as root)" in page


async def test_a08_a_manager_is_warned_of_an_address_that_only_the_applicant_says_is_theirs(
    office: Office, desk: Desk
) -> None:
    warning = 'id="unproved-address"'
    typed = await office.asks("Nguyễn Văn Khai", official_email=f"quantri{office.number}@hue.example")
    assert warning in await desk.page(f"/workspace/requests/{typed}")
    none = await office.asks("Nguyễn Văn Không")
    assert warning not in await desk.page(f"/workspace/requests/{none}")
