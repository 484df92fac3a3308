"""Of a unit with a manager of its own the manager above reads nothing but its name and counts (rule 613)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from backend.errors import FieldsInvalid, Refusal
from backend.roles import audit, audit_wanted, decisions, differences, person, policy, queue, unit_pages
from backend.roles.decisions import Wanted
from tests.backend.roles.test_delegations import lend
from tests.backend.roles.world import World


async def reads(world: World, who: str, request_id: UUID) -> bool:
    """Whether the page of a request opens; its name in a list is the same question."""
    async with world.db.read() as tx:
        named = await queue.name_for(tx, world.kit, request_id, world.people[who], now=world.now)
    try:
        await world.seen_by(who, request_id)
    except policy.RequestNotFound:
        assert named is None
        return False
    assert named is not None
    return True


async def opens(world: World, who: str, whom: str) -> bool:
    """Whether the page of a person opens."""
    async with world.db.read() as tx:
        try:
            await person.person(tx, world.kit, world.people[whom], world.people[who], now=world.now)
        except policy.RoleNotFound:
            return False
    return True


async def looked_up(world: World, who: str, name: str) -> bool:
    """Whether a name that is typed among the decisions is found."""
    async with world.db.read() as tx:
        try:
            found = await decisions.who_is(tx, world.kit, world.people[who], name, now=world.now)
        except FieldsInvalid:
            return False
    return found == world.people[name]


async def looked_up_in_the_journal(world: World, who: str, name: str) -> bool:
    """The same among the entries of the journal."""
    async with world.db.read() as tx:
        reader = world.people[who]
        try:
            found = await audit_wanted.who_is(tx, world.kit, reader, "person", name, now=world.now)
        except FieldsInvalid:
            return False
    return found == world.people[name]


async def journalled(world: World, who: str) -> set[str | None]:
    """Whom the audit page names as concerned."""
    async with world.db.read() as tx:
        lines, _ = await audit.of_units(tx, world.kit, world.people[who], now=world.now)
    return {line.subject for line in lines}


async def listed(world: World, who: str) -> list[str]:
    """Whose decisions are listed."""
    async with world.db.read() as tx:
        found = await decisions.decided(tx, world.kit, world.people[who], Wanted(), now=world.now)
    return [one.applicant for one in found.items]


async def test_requests_and_people_of_a_managed_unit_are_not_read_from_above(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    below = await world.employ("Bình", "NV-P", "Chi")
    asked = await world.ask("An", world.draft("amend", position="van_thu"))
    for who, sees in (("Chi", True), ("Giang", False), ("Dũng", False), ("Eve", False)):
        assert await reads(world, who, asked.id) is sees, who
        assert await opens(world, who, "An") is sees and await opens(world, who, "Bình") is sees, who
        assert await looked_up(world, who, "An") is sees, who
        assert await looked_up_in_the_journal(world, who, "An") is sees, who
        assert ("An" in await journalled(world, who)) is sees, who
        assert ("An" in await listed(world, who)) is sees, who
        async with world.db.read() as tx:
            found = await queue.people(tx, world.kit, world.people[who], q="An", now=world.now)
            assert bool(found.items) is sees, who
            if not sees:
                with pytest.raises(policy.RoleNotFound):
                    await queue.person(tx, world.kit, below.id, world.people[who], now=world.now)


async def test_the_manager_above_reads_what_they_decide_and_what_has_come_up_to_them(world: World) -> None:
    own = await world.ask("Chi")
    assert await reads(world, "Giang", own.id), "about the manager of the unit below decides the one above"
    await world.approve("Giang", own.id)
    assert await opens(world, "Giang", "Chi") and await reads(world, "Giang", own.id)
    assert "Chi" in await journalled(world, "Giang")
    late = await world.ask("An", world.draft(unit="NV-P"))
    assert not await reads(world, "Giang", late.id)
    world.pass_time(days=7)
    await world.roll()
    assert await reads(world, "Giang", late.id)
    await world.approve("Chi", late.id)
    assert await reads(world, "Giang", late.id), "it has come up, whoever has spoken since"
    assert not await opens(world, "Giang", "An"), "the person has not"


async def test_a_word_that_was_said_above_can_be_taken_back_when_another_manager_is_left(
    world: World,
) -> None:
    """The post ends with the manager's right: from then on the colleague's unit is the nearest."""
    role = await world.employ("Chi", "NV", "Giang")
    await world.appoint("Eve", "NV")
    ended = await world.end("Giang", role.id)
    assert await reads(world, "Giang", ended.id)
    asked = await world.ask("Chi", world.draft(unit="TC"))
    assert not await reads(world, "Giang", asked.id)


async def test_a_unit_without_a_manager_is_read_by_the_nearest_above_and_again_when_one_goes(
    world: World,
) -> None:
    await world.employ("Bình", "NV-P", "Chi")
    await world.appoint("Eve", "NV-P")
    assert not await opens(world, "Chi", "Bình") and await opens(world, "Eve", "Bình")
    await world.dismiss("Eve")
    assert await opens(world, "Chi", "Bình")


async def test_who_manages_the_root_opens_every_units_page_but_not_its_people(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    await world.employ("Chi", "NV", "Giang", position="truong_phong")
    async with world.db.read() as tx:
        page = await unit_pages.one(tx, world.kit, "NV", world.people["Giang"], now=world.now)
        theirs = {one.name: one.is_theirs for group in page.groups for one in group.people}
        assert theirs == {"An": False, "Chi": True}
        for who, code in (("Chi", "HUE"), ("Chi", "TC"), ("Dũng", "NV"), ("An", "NV")):
            with pytest.raises(Refusal, match="unit_not_found"):
                await unit_pages.one(tx, world.kit, code, world.people[who], now=world.now)
        found = await differences.page(tx, world.kit, world.people["Chi"], now=world.now)
        assert found.items == []


async def test_a_delegate_reads_what_is_lent_and_only_within_its_days(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    asked = await world.ask("Bình", world.draft(unit="NV-P"))
    await lend(world, "Chi", "An", "NV-P", from_on=world.today + timedelta(days=1))
    assert not await reads(world, "An", asked.id)
    world.pass_time(days=1)
    assert await reads(world, "An", asked.id), "from the first minute, though no worker has been there"
    assert not await opens(world, "An", "Bình")
    world.pass_time(days=10)
    assert not await reads(world, "An", asked.id)


async def test_one_s_own_words_are_read_while_the_unit_is_one_s_own_and_by_the_page_and_the_list_alike(
    world: World,
) -> None:
    asked = await world.ask("An")
    await world.approve("Chi", asked.id)
    await world.appoint("Eve", "NV")
    assert await reads(world, "Chi", asked.id) and "An" in await listed(world, "Chi")
    await world.dismiss("Chi")
    await world.appoint("Chi", "TC")
    assert not await reads(world, "Chi", asked.id)
    assert await listed(world, "Chi") == [] and not await looked_up(world, "Chi", "An")
    assert await listed(world, "Eve") == ["An"], "the unit's words stay the unit's"
    await world.appoint("Chi", "NV")
    assert await listed(world, "Chi") == ["An"]


async def test_what_a_delegate_has_said_is_listed_while_the_delegation_lasts(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    await lend(world, "Chi", "An", "NV")
    asked = await world.ask("Bình", world.draft(unit="NV"))
    await world.approve("An", asked.id)
    assert await listed(world, "An") == ["Bình"] and await looked_up(world, "An", "Bình")
    world.pass_time(days=40)
    assert await listed(world, "An") == [] and not await looked_up(world, "An", "Bình")
