"""Systems that are not as the standard says: everybody is in force all the same, or one clear word says why not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import pytest

from backend.outbox.models import System
from backend.outbox.reconcile import Comparison, Finding
from backend.outside.connectors import DeliveryError, GroupRef, Target
from backend.outside.connectors.learnt import Learnt, read_learnt
from backend.outside.connectors.scim import ScimConnector, connect
from backend.outside.http import Guarded
from tests.backend.outbox.conftest import DOCS, HUE, World, a_state
from tests.backend.outside.errands import mine
from tests.parts.processes import within
from tests.parts.quirky import QUIRKS, QuirkyScim

NEW = GroupRef("H57.02", "Phòng Cải cách hành chính")
WHOLE_SYSTEM = {
    "deafactive": "active_not_kept",
    "nomembers": "membership_not_kept",
    "html": "unreadable_reply",
    "elsewhere": "endpoint_missing",
}
SERVED = sorted(QUIRKS.keys() - WHOLE_SYSTEM.keys() - {"stickygroups"})
LEARNT = {
    "ignoremembersfilter": ["no_members_filter"],
    "blindmembersfilter": ["no_members_filter"],
    "refusefilters": ["no_filters"],
    "ignorefilters": ["no_filters"],
    "nogroups": ["no_groups"],
    "noent": ["loses:department", "loses:employee_number", "loses:organization", "loses:title"],
    "refuseent": ["loses:department", "loses:employee_number", "loses:organization"],
    "uppername": ["spells_names"],
    "fixednames": ["no_renaming"],
    "softdelete": ["hides_inactive"],
    "nopatch": ["no_patch"],
    "nopatchunsaid": ["no_patch"],
    "plain": [],
    "xextdecl": [],
    "numbers": [],
}


@pytest.fixture(scope="module")
def _quirky() -> Iterator[QuirkyScim]:
    part = QuirkyScim()
    yield part
    part.stop()


@pytest.fixture
def quirky(_quirky: QuirkyScim) -> QuirkyScim:
    """Every odd system, empty."""
    _quirky.worlds.clear()
    return _quirky


def connector_to(quirky: QuirkyScim, quirk: str, learnt: Learnt | None = None) -> ScimConnector:
    return connect(Target(quirky.url(quirk), None, 5.0), Guarded(["127.0.0.1"]), learnt or Learnt())


async def compared(world: World, system: System) -> list[Finding]:
    comparison = Comparison(world.db, world.kit, world.desired, world.people, world.clock, world.http)
    return [finding async for finding, _ in comparison.run(await world.system_now(system))]


@pytest.mark.parametrize("quirk", SERVED)
async def test_o22_everybody_is_in_force_and_a_second_comparison_finds_and_writes_nothing(
    on_sqlite: World, quirky: QuirkyScim, quirk: str
) -> None:
    world, held = on_sqlite, quirky.world(quirk)
    system = await world.system(quirky.url(quirk), token=None)
    people = [await world.person() for _ in range(4)]
    stays, moves, leaves, returns = people
    async with world.working():
        for account in people:
            await world.decide(account, system, title="123")
        for account in people:
            await world.until_version(account, 1, 60)
        await world.decide(moves, system, groups=[NEW], title="123")
        for account in (leaves, returns):
            await world.decide(account, system, active=False)
        for account in (moves, leaves, returns):
            await world.until_version(account, 2, 60)
        await world.decide(returns, system, title="123")
        await world.until_version(returns, 3, 60)
        await compared(world, system)
        async with within(60, "every delivery"):
            while "pending" in [row.state for account in people for row in await world.deliveries(account)]:
                await asyncio.sleep(0.1)
    groups = quirk != "nogroups"
    assert [held.user(account)["active"] for account in people] == [True, True, False, True]
    assert held.groups_of(stays) == ({HUE.external_id, DOCS.external_id} if groups else set())
    assert held.groups_of(moves) == ({NEW.external_id} if groups else set())
    assert (held.groups_of(leaves), len(held.groups_of(returns))) == (set(), 2 if groups else 0)
    before = len(held.writes)
    assert {finding.kind for finding in await compared(world, system)} == {"same"}
    assert len(held.writes) == before
    if quirk in LEARNT:
        learnt = read_learnt((await world.system_now(system)).learnt).words
        assert learnt == LEARNT[quirk]


@pytest.mark.parametrize(("quirk", "word"), WHOLE_SYSTEM.items())
async def test_what_is_a_systems_fault_is_said_of_the_system_and_costs_nobody_a_try(
    world: World, quirky: QuirkyScim, quirk: str, word: str
) -> None:
    system = await world.system(quirky.url(quirk), token=None)
    people = [await world.person() for _ in range(3)]
    async with world.working():
        for account in people:
            await world.decide(account, system)
        if quirk == "deafactive":
            for account in people:
                await world.until(account, "synced")
                await world.decide(account, system, active=False)
        await world.until_paused(system)
        async with within(20, "a word of what is wrong"):
            while not [
                row.error for account in people for row in await world.deliveries(account) if row.error
            ]:
                await asyncio.sleep(0.05)
    rows = [row for account in people for row in await world.deliveries(account) if row.state != "done"]
    assert {row.error for row in rows if row.error} == {word}
    assert {(row.state, row.attempts) for row in rows} == {("pending", 0)}  # nobody is parked for it


async def test_a_systems_fault_parks_nobody_however_often_it_is_tried(world: World) -> None:
    system, account = await world.system("http://127.0.0.1:9", token=None), await world.person()
    async with world.working():
        await world.decide(account, system)
        for tries in range(1, world.kit.limits.delivery_attempts + 2):
            await world.until_tried(account, tries)
            world.pass_time(seconds=400)
    (row,) = await world.deliveries(account)
    assert (row.state, row.error) == ("pending", "unreachable")


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
async def test_rule_707_what_a_system_calls_one_person_holds_up_nobody_else(
    world: World, quirky: QuirkyScim, name: str
) -> None:
    quirky.world("numbers").names.append(name)
    system = await world.system(quirky.url("numbers"), token=None)
    first, second = await world.person(), await world.person()
    async with world.working():
        await world.decide(first, system)
        await world.until(first, "retrying")
        await world.decide(second, system)
        await world.until(second, "synced")
    assert {row.error for row in await world.deliveries(first)} == {"unreadable_user"}


@pytest.mark.parametrize("quirk", ["ignoremembersfilter", "blindmembersfilter"])
async def test_whoever_is_in_a_group_is_asked_of_the_members_where_the_filter_lies(
    quirky: QuirkyScim, quirk: str
) -> None:
    held = quirky.world(quirk)
    first, newcomer = uuid4(), uuid4()
    connector = connector_to(quirky, quirk)
    await connector.apply(a_state(first), None, mine)
    await connector.apply(a_state(newcomer), None, mine)
    assert held.groups_of(newcomer) == held.groups_of(first) == {HUE.external_id, DOCS.external_id}
    again = connector_to(quirky, quirk)  # another process, which has learnt nothing yet
    await again.apply(a_state(first, active=False), None, mine)
    assert (held.groups_of(first), len(held.groups_of(newcomer))) == (set(), 2)


async def test_at_a_transfer_the_old_groups_are_gone_whatever_else_is_refused(quirky: QuirkyScim) -> None:
    held, account = quirky.world("plain"), uuid4()
    connector = connector_to(quirky, "plain")
    first = await connector.apply(a_state(account), None, mine)
    held.refused.add("title")
    with pytest.raises(DeliveryError, match="rejected_invalidValue"):
        await connector.apply(a_state(account, groups=[NEW], title="Trưởng phòng"), first.remote_id, mine)
    assert held.groups_of(account) == set()


async def test_a_leaver_gives_the_name_back_and_the_successor_gets_it(quirky: QuirkyScim) -> None:
    for quirk in ("plain", "softdelete", "uppername", "nopatch"):
        held, old, new = quirky.world(quirk), uuid4(), uuid4()
        connector = connector_to(quirky, quirk)
        post = {"user_name": "vanthu@so.hue.example"}
        first = await connector.apply(a_state(old, **post), None, mine)
        await connector.apply(a_state(old, active=False), first.remote_id, mine)
        await connector.apply(a_state(new, **post), None, mine)
        assert held.user(new)["userName"].lower() == "vanthu@so.hue.example"
        assert held.user(old)["active"] is False
        await connector.close()


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("quirk", ["softdelete", "frozenleavers"])
async def test_who_is_hidden_and_comes_back_is_in_force_again(
    quirky: QuirkyScim, quirk: str, named: bool
) -> None:
    held, account = quirky.world(quirk), uuid4()
    state = a_state(account) if named else a_state(account, user_name=str(account))
    remote_id = None
    for _ in range(3):
        connector = connector_to(quirky, quirk)
        remote_id = (await connector.apply(state, remote_id, mine)).remote_id
        assert (held.user(account)["active"], len(held.groups_of(account))) == (True, 2)
        remote_id = (await connector.apply(a_state(account, active=False), remote_id, mine)).remote_id
        assert (held.user(account)["active"], held.groups_of(account)) == (False, set())
        await connector.close()


async def test_what_a_system_turns_out_to_keep_after_all_is_written_again(quirky: QuirkyScim) -> None:
    held, account = quirky.world("plain"), uuid4()
    connector = connector_to(quirky, "plain", Learnt(loses=["title"]))
    first = await connector.apply(a_state(account), None, mine)
    assert "title" not in held.user(account)
    held.user(account)["title"] = "Chuyên viên"
    await connector.apply(a_state(account), first.remote_id, mine)
    await connector.apply(a_state(account, title="Trưởng phòng"), first.remote_id, mine)
    assert (held.user(account)["title"], connector.learnt.words) == ("Trưởng phòng", [])


async def test_what_was_learnt_of_a_system_is_forgotten_when_it_is_connected_again(
    world: World, quirky: QuirkyScim
) -> None:
    from backend.outbox import systems

    system, account = await world.system(quirky.url("nogroups"), token=None), await world.person()
    async with world.working():
        await world.decide(account, system)
        await world.until(account, "synced")
    assert read_learnt((await world.system_now(system)).learnt).words == ["no_groups"]
    world.pass_time(seconds=1)
    async with world.db.write() as tx:
        await systems.disable(tx, world.kit, system.name, by=None, now=world.clock.now())
    again = await world.system(quirky.url("plain"), token=None)
    assert (again.id, read_learnt(again.learnt).words) == (system.id, [])
