"""The page says before the act that an appointment goes with the role, and keeps it by name (case R02)."""

from __future__ import annotations

from uuid import UUID

import pytest
from playwright.async_api import Browser, expect
from sqlalchemy import select

from backend.roles import authority, requests, review
from backend.roles.models import Role
from backend.roles.wish import Draft
from tests.parts.browser import axe
from tests.workspace.glass import at
from tests.workspace.office import Desk, Office

pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)


async def chis_post(office: Office) -> UUID:
    """Chi, who manages the first unit, has a post there."""
    service, now = office.service, office.service.clock.now()
    draft = Draft(
        kind="register", subject_type="cong_chuc", unit=office.unit, position="truong_phong", fields={}
    )
    async with service.db.write() as tx:
        asked = await requests.create(tx, service.kit, draft, by=office.chi.account_id, now=now, level=2)
        await review.approve(tx, service.kit, asked.id, version=1, by=office.ha.account_id, now=now)
        role = await tx.scalar(select(Role.id).where(Role.request_id == asked.id))
    assert role is not None
    return role


async def manages(office: Office) -> bool:
    async with office.service.db.read() as tx:
        return bool(
            (
                await authority.of(
                    tx, office.service.kit, office.chi.account_id, now=office.service.clock.now()
                )
            ).posts
        )


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no_scripts"])
@pytest.mark.parametrize("keep", [True, False], ids=["kept", "ended"])
async def test_r02_the_page_of_an_end_says_what_goes_with_it(
    office: Office, browser: Browser, scripts: bool, keep: bool
) -> None:
    role = await chis_post(office)
    await office.asks("Phùng Khắc Khoan")
    async with at(office, browser, office.ha, java_script_enabled=scripts) as context:
        page = await context.new_page()
        await page.goto(f"/workspace/people/{role}/end")
        await expect(page.get_by_text("quyền phụ trách kết thúc theo")).to_be_visible()
        await expect(page.get_by_text("Đơn vị sẽ không còn người được giao phê duyệt.")).to_be_visible()
        await expect(page.get_by_text("1 yêu cầu đang chờ đơn vị này duyệt.")).to_be_visible()
        await expect(page.get_by_text(f"Từ lúc đó do UBND thành phố {office.number} duyệt.")).to_be_visible()
        if scripts:
            assert await axe(page) == []
        if keep:
            await page.get_by_role("checkbox", name="Giữ quyền phụ trách").check()
            await page.get_by_role("textbox", name="Lý do giữ quyền phụ trách").fill("Chưa có người thay")
        await page.get_by_role("textbox", name="Lý do", exact=True).fill("Nghỉ hưu")
        await page.get_by_role("button", name="Kết thúc vai trò").click()
        await expect(page.get_by_role("button", name="Hoàn tác")).to_be_visible()
        await expect(page.get_by_text("Chưa có người thay")).to_have_count(1 if keep else 0)
    assert await manages(office) is keep


async def test_r02_the_deciding_page_says_so_too_and_bulk_leaves_it_out(office: Office) -> None:
    await chis_post(office)
    service, now = office.service, office.service.clock.now()
    async with service.db.write() as tx:
        asked = await requests.create(
            tx, service.kit, Draft(kind="end"), by=office.chi.account_id, now=now, level=2
        )
    ha: Desk = await office.desk(office.ha)
    path = f"/workspace/requests/{asked.id}"
    assert "quyền phụ trách kết thúc theo" in await ha.page(path)
    many = await ha.send("/workspace/bulk", {"decision": "approved", "pick": [f"{asked.id}:1"]})
    told = await ha.page(many.headers["location"])
    assert "Đã phê duyệt 0 yêu cầu" in told and "hãy mở yêu cầu để quyết định riêng" in told
    bare = {"decision": "approved", "version": 1, "keep": office.unit, "keep_reason": " "}
    refused = await ha.send(f"{path}/decision", bare)
    assert refused.status_code == 422 and "Vui lòng nêu lý do" in refused.text
    answer = await ha.send(f"{path}/decision", bare | {"keep_reason": "Chưa có người thay"})
    assert answer.status_code == 303
    assert "Giữ quyền phụ trách đơn vị cũ" in await ha.page(path)
    await ha.http.aclose()
    assert await manages(office)
