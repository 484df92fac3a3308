"""The page on which the right to decide is lent, by a browser without scripts (rule 625)."""

from __future__ import annotations

import re
from datetime import date, timedelta

from sqlalchemy import update

from backend.roles import overdue
from backend.roles.models import RequestStep
from tests.workspace.office import Desk, Office


async def test_a_manager_lends_the_right_and_the_delegate_decides_in_that_capacity_until_it_is_taken_back(
    office: Office, desk: Desk
) -> None:
    deputy = await office.person("Nguyễn Văn Phó")
    await office.employ(deputy)
    waiting = await office.asks("Trần Thị Chờ")
    page = await desk.page("/workspace/delegations")
    assert 'name="units" value="' + office.unit + '" checked' in page, "the only unit is chosen already"
    form = {"to": "Nguyễn Văn Phó", "kinds": ["register", "end"], "units": [office.unit], "from": ""}
    wrong = await desk.send("/workspace/delegations", form | {"until": "31/02/2030"})
    assert wrong.status_code == 422 and "Nguyễn Văn Phó" in wrong.text and "31/02/2030" in wrong.text
    endless = await desk.send("/workspace/delegations", form | {"until": "31/12/9999"})
    assert endless.status_code == 422 and "không quá 180 ngày: ngày kết thúc chậm nhất là" in endless.text
    last = f"{office.service.clock.now() + timedelta(days=9):%d/%m/%Y}"
    given = await desk.send("/workspace/delegations", form | {"until": last})
    assert given.status_code == 303, given.text
    twice = await desk.send("/workspace/delegations", form | {"until": last})
    assert twice.status_code == 409 and "thu hồi trước" in twice.text
    other = await office.desk(deputy)
    assert "Trần Thị Chờ" in await other.page("/workspace")
    assert "<form" not in (await other.page("/workspace/delegations")).partition("<main")[2]
    asked = await other.page(f"/workspace/requests/{waiting}")
    assert "theo ủy quyền của Lê Thị Chi" in asked
    form = {"decision": "approved", "version": "1"}
    assert (await other.send(f"/workspace/requests/{waiting}/decision", form)).status_code == 303
    assert "theo ủy quyền của Lê Thị Chi đến hết " + last in await desk.page(f"/workspace/requests/{waiting}")
    ends = re.findall(
        r'action="(/workspace/delegations/[^"]+/end)"', await desk.page("/workspace/delegations")
    )
    assert (await desk.send(ends[0], {})).status_code == 303
    assert (await other.http.get("/workspace/people")).status_code == 403
    assert "Ủy quyền duyệt yêu cầu" in await desk.page("/workspace/audit")
    await other.http.aclose()


async def test_what_is_late_has_its_tab_and_its_badge(office: Office, desk: Desk) -> None:
    waiting = await office.asks("Lê Văn Muộn")
    assert "Không có yêu cầu nào khớp với bộ lọc" in await desk.page("/workspace", late="1")
    async with office.service.db.write() as tx:
        step = update(RequestStep).where(RequestStep.request_id == waiting)
        await tx.execute(step.values(due_on=date(2026, 3, 2)))
        await overdue.roll(tx, office.service.kit, now=office.service.clock.now())
    for who in (desk, await office.desk(office.ha)):
        page = await who.page("/workspace", late="1")
        assert "Lê Văn Muộn" in page and '<span class="badge wait">Quá hạn</span>' in page
        assert 'aria-current="page">Quá hạn' in page
