"""Whatever was sent when the session was over: the way back leads to a page that is there, with what was written (W05)."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from backend.account import Account
from backend.flows import Flow
from tests.workspace.counter import Counter, asks
from tests.workspace.office import TOKEN, Desk, Office, Somebody
from tests.workspace.test_fresh import signed_in_again
from tests.workspace.test_kept import session_over

# what a page keeps does not depend on where the rows are kept
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)
OVER = "/workspace/login?why=ended"
AGAIN = "vẫn còn đây"  # once it stands in every page, unseen, for the script to show


async def over(office: Office, desk: Desk, who: Somebody, path: str, form: dict[str, str], home: str) -> str:
    """The page behind the sign-in that follows a form which came too late."""
    token = TOKEN.search(await desk.page(home))
    assert token is not None
    await session_over(office, who)
    away = await desk.send(path, form, token=token.group(1))
    assert away.status_code == 303 and away.headers["location"].startswith(OVER), (path, away.status_code)
    return await signed_in_again(desk, office, away.headers["location"], who)


async def test_w05_no_form_of_a_manager_leads_back_to_a_page_that_is_not_there(
    office: Office, desk: Desk
) -> None:
    request, some = await office.asks("Lê Thị Trở Lại"), uuid4()
    for path in (
        f"/workspace/requests/{request}/opened", f"/workspace/requests/{request}/undo",
        f"/workspace/delegations/{some}/end", f"/workspace/people/{some}/return", "/workspace/filters",
        "/workspace/settings/notices", f"/workspace/settings/sessions/{some}/end", f"/workspace/systems/{some}/replay",
        "/workspace/people", "/workspace/audit", "/workspace/decisions",
    ):  # fmt: skip
        await over(office, desk, office.chi, path, {}, "/workspace")


@pytest.mark.parametrize(
    "path", ["joins/{0}/confirm", "joins/{0}/refuse", "names/{0}/confirm", "names/{0}/refuse"]
)
async def test_w05_nor_does_one_of_a_desk(
    office: Office, clerk: Somebody, counter: Counter, path: str
) -> None:
    await over(office, counter, clerk, f"/workspace/support/{path.format(uuid4())}", {}, "/workspace/support")


async def test_w05_what_a_clerk_has_written_is_there_again(
    office: Office, clerk: Somebody, counter: Counter
) -> None:
    _, case = await asks(office)
    home, words = "/workspace/support", "Viết dở khi phiên kết thúc"
    listed = await counter.page(home)
    (place,) = {part.split('"')[0] for part in listed.split(f'href="{home}/')[1:] if part[8] == "-"}
    for path, form in (
        (f"{home}/{place}", {"act": "answer", "text": words}),
        (f"{home}/new", {"person": "a@b.vn", "subject": "Tiêu đề dở", "text": words}),
        (f"{home}/counter", {"act": "answer", "code": case["code"], "text": words}),
    ):
        page = await over(office, counter, clerk, path, form, home)
        assert words in page and page.count(AGAIN) == 2, path
        assert all(value in page for value in form.values()), path


async def test_w05_what_somebody_has_wished_is_there_again(office: Office) -> None:
    who = await office.person("Lê Thị Đang Ước")
    desk = await office.desk(who)
    path = "/workspace/me/register"
    wish = {
        "subject_type": "cong_chuc",
        "unit": "Đơn vị viết dở",
        "position": "chuyen_vien",
        "effective_on": "31/12/2027",
    }
    page = await over(office, desk, who, path, wish, "/workspace/me")
    assert "Đơn vị viết dở" in page and "31/12/2027" in page and page.count(AGAIN) == 2
    page = await over(
        office, desk, who, "/workspace/me/missing-unit", {"text": "Phòng viết dở"}, "/workspace/me"
    )
    assert "Phòng viết dở" in page and page.count(AGAIN) == 2
    await desk.http.aclose()


async def test_w05_nothing_is_kept_for_somebody_who_is_gone(office: Office) -> None:
    who = await office.person("Lê Thị Đã Đi")
    desk = await office.desk(who)
    token = TOKEN.search(await desk.page("/workspace/me"))
    assert token is not None
    await session_over(office, who)
    async with office.service.db.write() as tx:
        await tx.execute(update(Account).where(Account.id == who.account_id).values(status="closed"))
    away = await desk.send("/workspace/me/missing-unit", {"text": "Viết sau khi xóa"}, token=token.group(1))
    assert away.status_code == 303 and "why=ended" not in away.headers["location"]
    async with office.service.db.read() as tx:
        kept = select(func.count()).where(Flow.kind == "kept_form", Flow.account_id == who.account_id)
        assert await tx.scalar(kept) == 0
    await desk.http.aclose()


async def test_w05_what_was_written_as_an_account_that_was_taken_over_is_its_persons(office: Office) -> None:
    before, after = await office.person("Lê Thị Gộp"), await office.person("Lê Thị Gộp")
    desk = await office.desk(before)
    token = TOKEN.search(await desk.page("/workspace/me"))
    assert token is not None
    await session_over(office, before)
    async with office.service.db.write() as tx:
        joined = update(Account).where(Account.id == before.account_id)
        await tx.execute(joined.values(status="closed", joined_into=after.account_id))
    away = await desk.send("/workspace/me/missing-unit", {"text": "Viết dở lúc gộp"}, token=token.group(1))
    page = await signed_in_again(desk, office, away.headers["location"], after)
    assert "Viết dở lúc gộp" in page
    async with office.service.db.write() as tx:  # nothing but the account was joined here
        again = update(Account).where(Account.id == before.account_id)
        await tx.execute(again.values(status="active", joined_into=None))
    await desk.http.aclose()
