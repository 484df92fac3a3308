"""What managers and applicants see, and nothing of others."""

from __future__ import annotations

from uuid import UUID

import pytest

from backend.errors import Refusal
from backend.roles import authority, delegations, dossier, inbox, own, posts, queue
from backend.roles.views import InboxRow, PersonRow, RequestView
from tests.backend.roles.world import World


async def listed(world: World, name: str, **filters: str) -> list[InboxRow]:
    async with world.db.read() as tx:
        return (await inbox.waiting(tx, world.kit, world.people[name], now=world.now, **filters)).items  # type: ignore[arg-type]


async def people(world: World, name: str, q: str | None = None) -> list[PersonRow]:
    async with world.db.read() as tx:
        return (await queue.people(tx, world.kit, world.people[name], q=q, now=world.now)).items


async def view(world: World, name: str, request_id: UUID) -> RequestView:
    async with world.db.read() as tx:
        return await dossier.view(tx, world.kit, request_id, world.people[name], now=world.now)


async def test_a_queue_holds_what_waits_for_its_manager_alone(world: World) -> None:
    north = await world.ask("An")
    below = await world.ask("Bình", world.draft(unit="NV-P"))
    south = await world.ask("Eve", world.draft(unit="TC"))
    own = await world.ask("Chi")
    assert [row.id for row in await listed(world, "Chi")] == [north.id, below.id]
    assert [row.id for row in await listed(world, "Dũng")] == [south.id]
    assert [row.id for row in await listed(world, "Giang")] == [own.id]
    assert await listed(world, "Eve") == []
    (first, _) = await listed(world, "Chi")
    assert (first.applicant, first.unit, first.position, first.version) == (
        "An",
        "Đơn vị NV",
        "Chuyên viên",
        1,
    )


async def test_a_transfer_waits_for_whom_it_has_not_heard(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    asked = await world.ask("An", world.draft("transfer", "TC"))
    assert (
        [row.id for row in await listed(world, "Chi")]
        == [row.id for row in await listed(world, "Dũng")]
        == [asked.id]
    )
    await world.approve("Chi", asked.id)
    assert await listed(world, "Chi") == []
    assert len(await listed(world, "Dũng")) == 1


async def test_a_queue_is_searched_by_name_number_kind_and_unit(world: World) -> None:
    await world.ask("An")
    bound = await world.ask("Bình", world.draft(unit="NV-P"))
    assert [row.id for row in await listed(world, "Chi", q="binh")] == [bound.id]
    assert [row.id for row in await listed(world, "Chi", q=world.numbers["Bình"])] == [bound.id]
    assert [row.id for row in await listed(world, "Chi", unit="NV-P")] == [bound.id]
    assert await listed(world, "Chi", kind="transfer") == []
    assert await listed(world, "Chi", q="%") == []


async def test_a_queue_goes_on_where_the_cursor_says(world: World) -> None:
    asked = [(await world.ask(name)).id for name in ("An", "Bình", "Eve")]
    async with world.db.read() as tx:
        first = await inbox.waiting(tx, world.kit, world.people["Chi"], most=2, now=world.now)
    await world.approve("Chi", asked[1])
    async with world.db.read() as tx:
        second = await inbox.waiting(
            tx, world.kit, world.people["Chi"], cursor=first.next_cursor, most=2, now=world.now
        )
    assert [row.id for row in (*first.items, *second.items)] == asked
    assert second.next_cursor is None


@pytest.mark.parametrize("cursor", ["!", "%%%", "AA", "x" * 500, "é"])
async def test_a_cursor_that_nobody_gave_out_is_refused(world: World, cursor: str) -> None:
    async with world.db.read() as tx:
        with pytest.raises(Refusal, match="cursor_invalid"):
            await own.mine(tx, world.kit, world.people["An"], now=world.now, cursor=cursor)


async def test_a_manager_reads_who_asks_for_what_and_what_it_changes(world: World) -> None:
    await world.system("Văn bản")
    asked = await world.ask("An", world.draft(fields={"rank": "specialist", "employee_code": "A1"}))
    seen = await view(world, "Chi", asked.id)
    assert (seen.applicant.name, seen.applicant.national_id, seen.applicant.level) == (
        "An",
        "000******000",
        2,
    )
    assert [(field.label, field.value) for field in seen.fields] == [
        ("Mã cán bộ", "A1"),
        ("Ngạch công chức", "Chuyên viên"),
    ]
    assert seen.why_not_decide is None
    assert [(why.duty, why.unit) for why in seen.why_you] == [("approve", "Đơn vị NV")]
    (effect,) = seen.effects
    assert [(change.text, change.value) for change in effect.changes] == [
        ("Cấp quyền sử dụng", ""),
        ("Chức vụ", "Chuyên viên"),
        ("Đơn vị", "Đơn vị NV"),
        ("Thêm vào nhóm", "Đơn vị NV"),
        ("Thêm vào nhóm", "Người dùng nội bộ"),
    ]


async def test_after_the_word_the_page_shows_it_and_the_time_to_undo(world: World) -> None:
    await world.system("Văn bản")
    asked = await world.ask("An")
    await world.approve("Chi", asked.id)
    seen = await view(world, "Chi", asked.id)
    assert (seen.status, seen.steps[0].decision, seen.steps[0].by) == ("approved", "approved", "Chi")
    assert [(sync.system, sync.state) for sync in seen.sync] == [("Văn bản", "held")]
    assert seen.undo_until is not None
    assert (seen.undo_until - world.now).total_seconds() == 10
    assert seen.why_not_decide is not None
    assert seen.why_not_decide.code == "already_decided"
    await world.appoint("Eve", "NV")
    assert (await view(world, "Eve", asked.id)).undo_until is None, "another's word"
    world.pass_time(seconds=10)
    assert (await view(world, "Chi", asked.id)).undo_until is None


async def test_a_request_of_another_unit_does_not_exist(world: World) -> None:
    asked = await world.ask("An")
    for name in ("Dũng", "Eve", "Bình", "Giang"):
        with pytest.raises(Refusal, match="request_not_found"):
            await view(world, name, asked.id)
        async with world.db.read() as tx:
            assert await queue.name_for(tx, world.kit, asked.id, world.people[name], now=world.now) is None


async def test_the_people_of_a_unit_are_its_managers_to_see(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    await world.employ("Bình", "NV-P", "Chi")
    await world.employ("Eve", "TC", "Dũng")
    assert [(row.name, row.unit_code, row.may_end) for row in await people(world, "Chi")] == [
        ("An", "NV", True),
        ("Bình", "NV-P", True),
    ]
    assert [row.name for row in await people(world, "Chi", "bì")] == ["Bình"]
    assert await people(world, "Giang") == []
    assert await people(world, "An") == []


async def test_a_manager_may_not_end_their_own_role(world: World) -> None:
    asked = await world.ask("Chi")
    await world.approve("Giang", asked.id)
    (row,) = await people(world, "Chi")
    assert (row.name, row.may_end) == ("Chi", False)


async def test_one_role_is_seen_by_the_nearest_manager_only(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    for name, sees in (("Chi", True), ("Giang", False), ("Dũng", False), ("An", False)):
        async with world.db.read() as tx:
            if sees:
                assert (
                    await queue.person(tx, world.kit, role.id, world.people[name], now=world.now)
                ).name == "An"
            else:
                with pytest.raises(Refusal, match="role_not_found"):
                    await queue.person(tx, world.kit, role.id, world.people[name], now=world.now)


async def test_one_sees_ones_own_requests_and_roles(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    await world.ask("Bình")
    async with world.db.read() as tx:
        page = await own.mine(tx, world.kit, world.people["An"], now=world.now)
        roles = await posts.current(tx, world.kit, world.people["An"])
    assert [(one.kind, one.status) for one in page.items] == [("register", "approved")]
    assert [(one.id, one.unit_code, one.state) for one in roles] == [(role.id, "NV", "active")]


async def test_what_was_undone_is_not_shown(world: World) -> None:
    asked = await world.ask("An")
    await world.approve("Chi", asked.id)
    await world.undo("Chi", asked.id)
    async with world.db.read() as tx:
        assert await posts.current(tx, world.kit, world.people["An"]) == []


async def test_units_stand_in_the_order_of_the_tree(world: World) -> None:
    async with world.db.read() as tx:
        tree = await queue.units(tx)
    assert [(unit.code, unit.depth) for unit in tree] == [("HUE", 0), ("NV", 1), ("NV-P", 2), ("TC", 1)]


async def test_of_more_units_than_one_chooses_from_there_is_no_list(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with world.db.read() as tx:
        who = await authority.of(tx, world.kit, world.people["Chi"], now=world.now)
        assert [unit.code for unit in await delegations.lendable(tx, who)] == ["NV", "NV-P"]
        monkeypatch.setattr(queue, "CHOICES", 3)
        monkeypatch.setattr(delegations, "CHOICES", 1)
        assert await queue.units(tx) == []
        assert [unit.code for unit in await delegations.lendable(tx, who)] == ["NV"], "what is managed"
