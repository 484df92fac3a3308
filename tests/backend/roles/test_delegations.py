"""A manager lends the right to decide (rule 625): how far it goes, what it binds, and with what it ends."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import select

from backend.appointment import DELEGATE, Appointment
from backend.errors import FieldsInvalid, Refusal, settle
from backend.journal import Entry
from backend.roles import authority, delegations, inbox, managers
from backend.roles.catalogue.entries import Approval
from backend.roles.delegations import Wish
from backend.roles.movements import SUSPENSION
from tests.backend.roles.editions import bring_in
from tests.backend.roles.test_suspension import act, lift
from tests.backend.roles.world import World


async def lend(world: World, by: str, whom: str, *units: str, **more: object) -> UUID:
    """`by` lends `whom` the right; the first delegation's id."""
    wish: dict[str, Any] = {
        "to": str(world.people.get(whom, whom)),
        "kinds": list(delegations.KINDS),
        "units": list(units),
        "from_on": None,
        "until_on": world.today + timedelta(days=10),
    }
    async with world.db.write() as tx:
        given = await delegations.give(
            tx, world.kit, Wish(**(wish | more)), by=world.people[by], now=world.now
        )
    return settle(given)[0].id


async def take_back(world: World, by: str, one: UUID) -> None:
    async with world.db.write() as tx:
        done = await delegations.take_back(tx, world.kit, one, by=world.people[by], now=world.now)
    settle(done)


async def waits(world: World, who: str) -> set[UUID]:
    """What stands in somebody's list."""
    async with world.db.read() as tx:
        return {
            row.id for row in (await inbox.waiting(tx, world.kit, world.people[who], now=world.now)).items
        }


async def refusal_of(world: World, who: str, asked: UUID) -> str:
    """The code of the refusal of a yes."""
    with pytest.raises(Refusal) as no:
        await world.approve(who, asked)
    return no.value.code


async def ended(world: World, one: UUID) -> bool:
    async with world.db.read() as tx:
        return (await tx.get_one(Appointment, one)).ended_at is not None


async def test_a_delegate_decides_within_days_units_and_kinds_and_it_is_said_by_whose_right(
    world: World,
) -> None:
    await world.employ("An", "NV-P", "Chi")
    other = (await world.ask("Bình", world.draft(unit="NV"))).id
    one = await lend(world, "Chi", "An", "NV-P", kinds=["register"], from_on=world.today + timedelta(days=2))
    asked = (await world.ask("Eve", world.draft(unit="NV-P"))).id
    assert await waits(world, "An") == set() and await refusal_of(world, "An", asked) == "request_not_found"
    world.pass_time(days=2)
    await world.roll()
    assert await waits(world, "An") == {asked}, "nothing of another unit, nor of the unit above it"
    assert await refusal_of(world, "An", other) == "request_not_found"
    (why,) = (await world.seen_by("An", asked)).why_you
    assert (why.lent_by, why.lent_until) == ("Chi", world.today + timedelta(days=8))
    await world.approve("An", asked)
    (step,) = (await world.seen_by("Chi", asked)).steps
    assert (step.by, step.lent_by) == ("An", "Chi")
    async with world.db.read() as tx:
        said = await tx.scalar(
            select(Entry.fact).where(Entry.tag == "role.step_decided").order_by(Entry.seq.desc())
        )
    assert str(one) in str(said)
    amended = (await world.ask("Eve", world.draft("amend", position="van_thu"))).id
    assert await refusal_of(world, "An", amended) == "request_not_found", "a kind that was not lent"
    world.pass_time(days=9)
    late = (await world.ask("Giang", world.draft(unit="NV-P"))).id
    await world.roll()
    assert await waits(world, "An") == set() and await refusal_of(world, "An", late) == "request_not_found"
    assert await waits(world, "Chi") >= {other, amended}
    for reader in ("An", "Chi"):
        assert any(said.endswith("đã kết thúc.") for said in await world.told(reader))


async def test_tw02_nobody_decides_about_themselves_by_a_lent_right_nor_lends_it_on(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    await world.employ("Bình", "NV", "Chi")
    await lend(world, "Chi", "An", "NV")
    own = (await world.ask("An", world.draft("end", role_id=role.id))).id
    assert await waits(world, "An") == set() and await refusal_of(world, "An", own) == "own_request"
    with pytest.raises(Refusal) as no:
        await lend(world, "An", "Bình", "NV")
    assert no.value.code == "not_your_unit"
    async with world.db.read() as tx:
        who = await authority.of(tx, world.kit, world.people["An"], now=world.now)
    assert not who.posts and who.lent


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"to": "Người không có"}, "to"),
        ({"to": "Eve"}, "to"),  # no role in the unit
        ({"to": "Chi"}, "to"),  # oneself
        ({"kinds": []}, "kinds"),
        ({"kinds": ["suspension"]}, "kinds"),
        ({"units": []}, "units"),
        ({"units": ["TC"]}, "units"),  # another manager's
        ({"units": ["HUE"]}, "units"),
        ({"until_on": None}, "until"),
        ({"until_on": date(2026, 3, 1)}, "until"),
        ({"from_on": date(2026, 3, 1)}, "from"),
        ({"from_on": date(2027, 3, 4), "until_on": date(2027, 3, 5)}, "from"),
        ({"until_on": date(2026, 8, 30)}, "until"),
        ({"until_on": date(9999, 12, 31)}, "until"),
    ],
)
async def test_what_cannot_be_lent_names_its_field(world: World, more: dict[str, object], field: str) -> None:
    await world.employ("An", "NV", "Chi")
    given = {"to": "An", "units": ["NV"]} | more
    to, units = str(given.pop("to")), given.pop("units")
    with pytest.raises(FieldsInvalid) as no:
        await lend(world, "Chi", to, *units, **given)  # type: ignore[misc]
    assert field in {wrong.field for wrong in no.value.fields}


async def test_to_is_an_account_a_number_or_a_name_that_only_one_has(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    for to in (world.numbers["An"], "an", str(world.people["An"]), "Giang"):
        await take_back(world, "Chi", await lend(world, "Chi", to, "NV", to=to))
    await lend(world, "Chi", "An", "NV", "NV-P")
    with pytest.raises(Refusal) as no:
        await lend(world, "Chi", "An", "NV")
    assert no.value.code == "already_delegated"
    world.people["An hai"] = world.people["An"]
    await world.person("An")
    await world.employ("An", "NV", "Chi")
    with pytest.raises(FieldsInvalid) as wrong:
        await lend(world, "Chi", "An", "NV", to="An")
    assert [field.code for field in wrong.value.fields] == ["ambiguous"]


async def test_it_ends_with_either_right_in_the_same_commit_and_an_undo_brings_it_back(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    one = await lend(world, "Chi", "An", "NV")
    with pytest.raises(Refusal):
        await take_back(world, "Dũng", one)
    gone = await world.end("Chi", role.id)
    assert await ended(world, one)
    await world.undo("Chi", gone.id)
    assert not await ended(world, one)
    world.pass_time(minutes=1)
    assert not any("đã kết thúc" in said for said in await world.told("An") if "ủy quyền" in said)
    async with world.db.write() as tx:
        await managers.remove(
            tx, world.kit, "NV", world.numbers["Chi"], by=None, now=world.now, leave_undecided=True
        )
    assert await ended(world, one), "the manager's own right ended"
    assert "manager.delegation_ended" in await world.tags()


async def test_the_second_word_is_bound_to_no_first_one_by_a_delegation(world: World) -> None:
    await bring_in(world, partial(replace, approvals=(Approval(needs=2, kind="register"),)))
    await world.appoint("Eve", "NV")
    asked = (await world.ask("Bình", world.draft(unit="NV"))).id
    await world.approve("Chi", asked)
    await world.approve("Eve", asked)
    await lend(world, "Chi", "Bình", "NV")
    asked = (await world.ask("An", world.draft(unit="NV"))).id
    await world.approve("Bình", asked)
    assert await refusal_of(world, "Bình", asked) == "second_person_needed"
    assert await refusal_of(world, "Chi", asked) == "second_person_bound"
    assert (await world.seen_by("Chi", asked)).why_not_decide is not None
    assert (await world.approve("Eve", asked)).status == "approved"


async def test_a_right_that_is_taken_away_while_the_page_was_open_decides_nothing(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    one = await lend(world, "Chi", "An", "NV")
    asked = (await world.ask("Bình", world.draft(unit="NV"))).id
    assert (await world.seen_by("An", asked)).why_not_decide is None
    await take_back(world, "Chi", one)
    with pytest.raises(Refusal):
        await take_back(world, "Chi", one)
    assert await refusal_of(world, "An", asked) == "request_not_found"
    async with world.db.read() as tx:
        held = await tx.scalars(select(Appointment.id).where(Appointment.stands(DELEGATE)))
        assert list(held) == []


async def test_tw02_nobodys_own_wish_is_decided_by_a_right_that_they_have_lent(world: World) -> None:
    await world.appoint("Eve", "HUE")
    await world.employ("An", "HUE", "Eve")
    await lend(world, "Giang", "An", "HUE")
    asked = (await world.ask("Giang", world.draft(unit="HUE"))).id
    assert asked not in await waits(world, "An")
    assert await refusal_of(world, "An", asked) == "request_not_found"
    await lend(world, "Eve", "An", "HUE")
    assert asked in await waits(world, "An"), "another manager's right counts"
    await world.approve("An", asked)


async def test_whoever_was_lent_it_as_the_manager_above_loses_it_with_that_right(world: World) -> None:
    one = await lend(world, "Chi", "Giang", "NV")
    await world.appoint("Eve", "HUE")
    async with world.db.write() as tx:
        await managers.remove(tx, world.kit, "HUE", world.numbers["Giang"], by=None, now=world.now)
    assert await ended(world, one)


async def test_what_comes_back_with_a_suspension_lifted_is_lent_to_nobody_who_has_left(world: World) -> None:
    chi = await world.employ("Chi", "NV", "Giang")
    an = await world.employ("An", "NV", "Chi")
    one = await lend(world, "Chi", "An", "NV")
    await world.appoint("Eve", "NV")
    await act(world, "Giang", chi.id, SUSPENSION)
    assert await ended(world, one)
    await world.end("Eve", an.id)
    world.pass_time(minutes=1)
    await lift(world, "Eve", chi.id)
    assert await ended(world, one)


async def test_whether_a_number_has_an_account_is_not_told(world: World) -> None:
    said = set()
    for to in (world.numbers["Eve"], "000999999999", "Người không có"):
        with pytest.raises(FieldsInvalid) as no:
            await lend(world, "Chi", to, "NV", to=to)
        said.add(tuple((wrong.field, wrong.code, wrong.message) for wrong in no.value.fields))
    assert len(said) == 1


async def test_who_says_the_second_word_by_somebodys_right_is_bound_as_they_are(world: World) -> None:
    for name in ("Eve", "An"):
        await world.employ(name, "NV", "Chi")
    for name in ("Eve", "Dũng"):
        await world.appoint(name, "NV")
    await bring_in(world, partial(replace, approvals=(Approval(needs=2, kind="register"),)))
    await lend(world, "Chi", "Eve", "NV")
    await lend(world, "Eve", "An", "NV")
    asked = (await world.ask("Bình", world.draft(unit="NV"))).id
    await world.approve("Chi", asked)
    assert await refusal_of(world, "An", asked) == "second_person_bound"
