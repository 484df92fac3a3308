"""The page of reviews: confirmed one by one or many at once, ended on the role's page, without script (rules 642, 820)."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, update

from backend.devices.models import Session
from backend.outside.clock import local_day
from backend.roles.confirming import starting
from backend.roles.confirming.models import ReviewedRole
from backend.roles.models import Role
from tests.workspace.office import Desk, Office

pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)
PATH = "/workspace/reviews"
PICK = re.compile(r'name="pick" value="([0-9a-f-]{36})" form="bulk"')


async def reviewed(office: Office, *names: str) -> list[UUID]:
    """People of Chi's unit, all in a review; their roles in the order of the names."""
    begun = [await office.has_role(name) for name in names]
    now = office.service.clock.now()
    async with office.service.db.write() as tx:
        due = local_day(now) + timedelta(days=10)
        await starting.start(tx, office.service.kit, [office.unit], due, by=None, now=now)
        roles = {row.request_id: row.id for row in await tx.scalars(select(Role))}
    return [roles[one] for one in begun]


async def states(office: Office, roles: list[UUID]) -> list[str]:
    async with office.service.db.read() as tx:
        return sorted(await tx.scalars(select(ReviewedRole.state).where(ReviewedRole.role_id.in_(roles))))


async def test_everybody_who_waits_is_confirmed_one_by_one_or_many_at_once(
    office: Office, desk: Desk
) -> None:
    assert "Không có vai trò nào chờ bạn xác nhận" in await desk.page(PATH)
    assert f'href="{PATH}"' in await desk.page("/workspace/people")
    roles = await reviewed(office, "Lý Thị Một", "Lý Thị Hai", "Lý Thị Ba")
    page = await desk.page(PATH)
    picks = PICK.findall(page)
    assert 'data-count="3"' in page and len(picks) == 3 and "Lý Thị Hai" in page
    assert "Confirm" in await desk.page(PATH, lang="en")
    await desk.page(PATH, lang="vi")
    one = await desk.send(PATH, {"pick": picks[:1]})
    assert (one.status_code, one.headers["location"]) == (303, f"{PATH}?confirmed=1&unchanged=0")
    assert "Đã xác nhận 1 vai trò" in await desk.page(one.headers["location"])
    many = await desk.send(PATH, {"pick": picks})
    assert many.headers["location"] == f"{PATH}?confirmed=2&unchanged=1"
    page = await desk.page(many.headers["location"])
    assert "1 vai trò không thay đổi" in page and 'data-count="0"' in page
    assert await states(office, roles) == ["confirmed"] * 3
    none = await desk.send(PATH, {})
    assert none.status_code == 422 and "Hãy chọn từ 1 đến 100 vai trò" in none.text
    assert (await desk.send(PATH, {"pick": ["x"]})).status_code == 400


async def test_an_end_is_asked_for_on_the_roles_own_page(office: Office, desk: Desk) -> None:
    (role,) = await reviewed(office, "Lý Thị Bốn")
    assert f'action="/workspace/people/{role}/end"' in await desk.page(PATH)
    assert "Lý do" in await desk.page(f"/workspace/people/{role}/end")
    ended = await desk.send(f"/workspace/people/{role}/end", {"reason": "Đã nghỉ hưu"})
    assert ended.status_code == 303
    assert "Lý Thị Bốn" not in await desk.page(PATH)


async def test_nobody_else_reads_or_confirms_it(office: Office, desk: Desk) -> None:
    await reviewed(office, "Lý Thị Năm")
    pick = PICK.findall(await desk.page(PATH))
    for who in (office.dung, office.ha):
        other = await office.desk(who)
        assert "Lý Thị Năm" not in await other.page(PATH)
        answer = await other.send(PATH, {"pick": pick})
        assert answer.headers["location"] == f"{PATH}?confirmed=0&unchanged=1"
        assert (await other.http.get(PATH, params={"cursor": "x"})).status_code == 400
        await other.http.aclose()
    assert "Lý Thị Năm" in await desk.page(PATH)


async def test_many_at_once_want_a_fresh_sign_in_and_one_that_of_the_day(office: Office, desk: Desk) -> None:
    await reviewed(office, "Lý Thị Sáu", "Lý Thị Bảy", "Lý Thị Tám")
    picks = PICK.findall(await desk.page(PATH))
    async with office.service.db.write() as tx:
        mine = update(Session).where(Session.account_id == office.chi.account_id)
        now = office.service.clock.now()
        await tx.execute(mine.values(authenticated_at=now - timedelta(minutes=16)))
    asked = await desk.send(PATH, {"pick": picks[:2]})
    assert asked.status_code == 403 and "fresh=1" in asked.text
    kept = re.search(r"kept%3D([0-9a-f-]{36})", asked.text)
    assert kept is not None
    page = await desk.page(PATH, kept=kept.group(1))
    assert page.count(" checked") == 2 and set(PICK.findall(page)) == set(picks[:2])
    assert (await desk.send(PATH, {"pick": picks[:1]})).status_code == 303
