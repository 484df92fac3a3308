"""What ends with a home post is shown before, and what is to be kept is chosen (rule 619; contract: concurrent posts)."""

from __future__ import annotations

from uuid import UUID

import pytest
from sqlalchemy import select

from backend.errors import settle
from backend.roles import managers, review, starting
from backend.roles.models import Role
from backend.roles.wish import Draft
from tests.workspace.office import Desk, Office, Somebody
from tests.workspace.test_me import says, send


async def two_posts(office: Office, who: Somebody) -> tuple[UUID, UUID]:
    """A specialist of Chi's unit who is also a clerk in Dũng's; both roles."""
    service, request_id = office.service, await office.employ(who)
    async with service.db.write() as tx:
        home = await tx.scalar(select(Role.id).where(Role.request_id == request_id))
        assert home is not None
        draft, now = Draft(kind="concurrent", unit=office.other, position="van_thu"), service.clock.now()
        by = office.chi.account_id
        made = settle(await starting.start(tx, service.kit, home, draft, by=by, now=now))
        by = office.dung.account_id
        settle(await review.approve(tx, service.kit, made.id, version=None, by=by, now=now))
        beside = await tx.scalar(select(Role.id).where(Role.request_id == made.id))
    assert beside is not None
    return home, beside


async def state(office: Office, role_id: UUID) -> str:
    async with office.service.db.read() as tx:
        return (await tx.get_one(Role, role_id)).state


@pytest.mark.parametrize("keeps", [True, False])
async def test_a_manager_sees_before_an_end_what_ends_too_and_keeps_it_by_name(
    office: Office, desk: Desk, keeps: bool
) -> None:
    home, beside = await two_posts(office, await office.person("Cao Thị Kiêm"))
    form = await desk.page(f"/workspace/people/{home}/end")
    assert f'name="keeps" value="{beside}"' in form and f"Văn thư · Sở Tài chính {office.number}" in form
    said = {"reason": "Thôi giữ chức vụ"} | ({"keeps": str(beside)} if keeps else {})
    done = await desk.send(f"/workspace/people/{home}/end", said)
    assert done.status_code == 303, done.text
    shown = await desk.page(done.headers["location"])
    words = "Kiêm nhiệm giữ lại" if keeps else "Kiêm nhiệm kết thúc theo"
    assert words in shown and f"Sở Tài chính {office.number}" in shown
    assert (await state(office, home), await state(office, beside)) == (
        "ended",
        "active" if keeps else "ended",
    )


async def test_what_does_not_stand_on_the_post_is_refused_on_the_form_and_the_ticks_stay(
    office: Office, desk: Desk
) -> None:
    home, beside = await two_posts(office, await office.person("Cao Văn Nhầm"))
    stranger, _ = await two_posts(office, await office.person("Cao Văn Khác"))
    form = {"reason": "Thôi việc", "keeps": [str(beside), str(stranger)]}
    wrong = await desk.send(f"/workspace/people/{home}/end", form)
    assert wrong.status_code == 422 and "Không phải vai trò kiêm nhiệm đi cùng vai trò này" in wrong.text
    assert f'value="{beside}" checked' in wrong.text and "Thôi việc" in wrong.text
    assert (await desk.send(f"/workspace/people/{home}/end", form | {"keeps": "x"})).status_code == 400
    assert await state(office, home) == "active"


async def test_a_move_keeps_what_is_named_and_its_correction_shows_what_it_kept(
    office: Office, desk: Desk
) -> None:
    home, beside = await two_posts(office, await office.person("Cao Thị Chuyển"))
    path = f"/workspace/people/{home}/transfer"
    assert "không làm kiêm nhiệm kết thúc" in await desk.page(path)
    form = {"unit": office.root, "position": "chuyen_vien"}
    begun = await desk.send(path, form | {"keeps": str(beside)})
    assert begun.status_code == 303, begun.text
    asked = begun.headers["location"]
    assert "Kiêm nhiệm giữ lại" in await desk.page(asked)
    await says(office, office.ha, asked, "returned")
    office.service.pass_time(seconds=11)
    assert f'value="{beside}" checked' in await desk.page(f"{asked}/correct")
    again = await desk.send(f"{asked}/correct", form | {"position": "van_thu"})
    assert again.status_code == 303, again.text
    shown = await desk.page(asked)
    assert "Kiêm nhiệm kết thúc theo" in shown
    assert '<th scope="row">Kiêm nhiệm giữ lại</th>' in shown, "what a correction let go stands side by side"
    await says(office, office.ha, asked, "approved")
    assert await state(office, beside) == "ended"


async def test_whoever_leaves_is_shown_what_ends_and_can_keep_none(office: Office, desk: Desk) -> None:
    home, beside = await two_posts(office, await office.person("Cao Văn Nghỉ"))
    form = await desk.page(f"/workspace/people/{home}/separation")
    assert "Kết thúc cùng lúc:" in form and "Văn thư" in form and 'name="keeps"' not in form
    assert "Tạm ngưng cùng lúc:" in await desk.page(f"/workspace/people/{home}/suspension")
    kept = {"reason": "Nghỉ hưu", "keeps": str(beside)}
    assert (await desk.send(f"/workspace/people/{home}/separation", kept)).status_code == 422
    assert await state(office, beside) == "active"


async def test_one_s_own_forms_offer_the_posts_and_say_that_the_right_to_decide_goes_too(
    office: Office,
) -> None:
    who, service = await office.person("Cao Thị Tự"), office.service
    home, beside = await two_posts(office, who)
    async with service.db.write() as tx:
        number, now = who.persona.national_id, service.clock.now()
        await managers.add(tx, service.kit, office.unit, number, by=None, now=now)
    desk = await office.desk(who)
    for act in ("end", "transfer", "amend"):
        form = await desk.page(f"/workspace/me/roles/{home}/{act}")
        assert f'name="keeps" value="{beside}"' in form and 'id="at-stake"' in form, act
    post = {"subject_type": "cong_chuc", "position": "chuyen_vien", "unit": office.unit}
    amended = await send(
        desk, f"/workspace/me/roles/{home}/amend", **post, keeps=str(beside), **{"fields.employee_code": "K1"}
    )
    assert amended.startswith("/workspace/me/requests/"), "what stays in the unit ends nothing"
    await send(desk, f"{amended}/withdraw")
    asked = await send(desk, f"/workspace/me/roles/{home}/end", keeps=str(beside), **{"fields.reason": "Hết"})
    shown = await desk.page(asked)
    assert "Kiêm nhiệm giữ lại: Văn thư" in shown
    await says(office, office.ha, asked, "returned")
    office.service.pass_time(seconds=11)
    assert f'value="{beside}" checked' in await desk.page(f"{asked}/correct")
    await desk.http.aclose()
