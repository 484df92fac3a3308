"""The deciding unit stands on every step that waits, whatever changes (rule 618)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from backend.account_rows import HELD, VOUCH
from backend.accounts.identity import following
from backend.accounts.identity.evidence import VNEID
from backend.db import lock_key
from backend.imports.plan import at_once
from backend.imports.rows import records
from backend.outbox.bell import REQUESTS, Bell
from backend.outside.eid.eid_claims import Person
from backend.roles import deciding, managers, units
from backend.roles.appointments import Days, ManagersImport
from backend.roles.models import RequestStep, RoleRequest
from tests.backend.roles.world import World
from tests.deciders import misplaced
from tests.parts.asked import heard


async def deciders(world: World, name: str) -> dict[str, str | None]:
    """By duty, the code of the unit that stands on the steps of somebody's open request."""
    codes = {unit_id: code for code, unit_id in world.units.items()}
    query = select(RequestStep).join(RoleRequest).where(RoleRequest.account_id == world.people[name])
    async with world.db.read() as tx:
        assert await misplaced(tx, world.kit) == []
        steps = (await tx.scalars(query)).all()
    return {step.duty: codes.get(step.decider_id) if step.decider_id else None for step in steps}


async def dismiss(world: World, name: str, unit: str) -> None:
    async with world.db.write() as tx:
        await managers.remove(
            tx, world.kit, unit, world.numbers[name], by=None, now=world.now, leave_undecided=True
        )


async def test_a_step_names_the_nearest_unit_with_a_manager_and_goes_up_and_down_with_them(
    world: World,
) -> None:
    await world.ask("An", world.draft(unit="NV-P"))
    assert await deciders(world, "An") == {"approve": "NV"}
    await world.appoint("Eve", "NV-P")
    assert await deciders(world, "An") == {"approve": "NV-P"}
    await dismiss(world, "Eve", "NV-P")
    await dismiss(world, "Chi", "NV")
    assert await deciders(world, "An") == {"approve": "HUE"}
    await world.dismiss("Giang")
    assert await deciders(world, "An") == {"approve": None}
    await world.appoint("An", "HUE")
    assert await deciders(world, "An") == {"approve": None}, "nobody decides about themselves"
    await world.appoint("Eve", "NV")
    assert await deciders(world, "An") == {"approve": "NV"}


async def test_managers_from_a_file_move_what_waits(world: World) -> None:
    await world.ask("An", world.draft(unit="NV-P"))
    named = [{"unit_code": "NV-P", "national_id": world.numbers["Eve"]}]
    async with world.db.write() as tx:
        await at_once(ManagersImport(world.kit, world.now), tx, list(records(named)), by=None)
    assert await deciders(world, "An") == {"approve": "NV-P"}


async def test_the_own_request_of_somebody_who_becomes_a_manager_goes_to_the_unit_above(world: World) -> None:
    await world.ask("An", world.draft(unit="NV"))
    await world.appoint("An", "NV")
    assert await deciders(world, "An") == {"approve": "HUE"}
    await dismiss(world, "An", "NV")
    assert await deciders(world, "An") == {"approve": "NV"}


async def test_a_right_that_begins_or_ends_on_a_day_moves_what_waits(world: World) -> None:
    await world.ask("An", world.draft(unit="NV-P"))
    days = Days(world.today + timedelta(days=1), world.today + timedelta(days=1))
    async with world.db.write() as tx:
        await managers.add(tx, world.kit, "NV-P", world.numbers["Eve"], by=None, now=world.now, days=days)
    assert await deciders(world, "An") == {"approve": "NV"}
    world.pass_time(days=1)
    await world.roll()
    assert await deciders(world, "An") == {"approve": "NV-P"}
    world.pass_time(days=1)
    await world.roll()
    assert await deciders(world, "An") == {"approve": "NV"}


async def test_a_unit_that_moves_takes_what_waits_with_it(world: World) -> None:
    await world.ask("An", world.draft(unit="NV-P"))
    moved = [{"code": "NV-P", "parent_code": "TC"}]
    async with world.db.write() as tx:
        await units.bring_in(tx, world.kit, records(moved), by=None, now=world.now)
    assert await deciders(world, "An") == {"approve": "TC"}


async def test_a_step_waits_only_while_its_request_does(world: World) -> None:
    asked = await world.ask("An")
    await world.send_back("Chi", asked.id)
    assert await deciders(world, "An") == {"approve": None}
    await world.resubmit("An", asked.id)
    assert await deciders(world, "An") == {"approve": "NV"}
    await world.approve("Chi", asked.id)
    assert await deciders(world, "An") == {"approve": None}
    await world.undo("Chi", asked.id)
    assert await deciders(world, "An") == {"approve": "NV"}
    await world.withdraw("An", asked.id)
    assert await deciders(world, "An") == {"approve": None}


async def test_the_other_units_step_of_a_transfer_ends_with_a_no_and_waits_again_after_it(
    world: World,
) -> None:
    role = await world.employ("An", "NV", "Chi")
    world.pass_time(seconds=11)
    asked = await world.ask("An", world.draft("transfer", unit="TC", role_id=str(role.id)))
    assert await deciders(world, "An") == {"approve": None, "release": "NV", "receive": "TC"}
    await world.reject("Dũng", asked.id)
    assert await deciders(world, "An") == {"approve": None, "release": None, "receive": None}
    await world.undo("Dũng", asked.id)
    assert await deciders(world, "An") == {"approve": None, "release": "NV", "receive": "TC"}


async def test_an_appointment_that_ends_with_the_post_and_comes_back_moves_what_waits(world: World) -> None:
    role = await world.employ("Chi", "NV", "Giang")
    world.pass_time(seconds=11)
    await world.ask("An")
    ended = await world.end("Giang", role.id)
    assert await deciders(world, "An") == {"approve": "HUE"}
    await world.undo("Giang", ended.id)
    assert await deciders(world, "An") == {"approve": "NV"}


async def test_a_number_that_changes_is_asked_again_whose_it_is(world: World) -> None:
    """The e-ID corrects An's number: it is the one under which somebody decides for the unit."""
    await world.ask("An")
    async with world.db.write() as tx:
        await managers.add(tx, world.kit, "NV", "000999999999", by=None, now=world.now)
        await VOUCH.run(tx, account=world.people["An"], by=VNEID, now=world.now)
        account = await HELD.one(tx, account=world.people["An"])
        said = Person("test", "an", "000999999999", "An", "1990-01-02", None, 2)
        await following.refresh(tx, world.kit, account, said, VNEID, world.now)
    assert await deciders(world, "An") == {"approve": "HUE"}


@pytest.mark.parametrize("db", ["postgres"], indirect=True)
async def test_whoever_may_change_deciders_waits_before_touching_a_step(world: World) -> None:
    """The other way round two of them would wait for each other: one with the lock for the row, one with the row."""

    def order(asked: list[tuple[str, Any]]) -> list[str]:
        found = []
        for statement, values in asked:
            if "pg_advisory_xact_lock" in statement and lock_key(deciding.CHANGING) in values[0]:
                found.append("leans" if "shared" in statement else "waits")
            elif statement.startswith("UPDATE request_steps"):
                found.append("step")
        return found

    role = await world.employ("Chi", "NV", "Giang")
    world.pass_time(seconds=11)
    asked = await world.ask("Chi", world.draft("end", role_id=str(role.id)))
    with heard() as said:
        await world.approve("Giang", asked.id)
    assert order(said)[:2] == ["waits", "step"]
    with heard() as unsaid:
        await world.undo("Giang", asked.id)
    assert order(unsaid).index("leans") < order(unsaid).index("step")


async def test_what_an_earlier_release_wrote_beside_this_one_is_placed(world: World) -> None:
    await world.ask("An")
    gone = await world.ask("Bình")
    await world.withdraw("Bình", gone.id)
    async with world.db.write() as tx:
        await tx.execute(update(RequestStep).values(decider_id=None))
        late = update(RequestStep).where(RequestStep.request_id == gone.id)
        await tx.execute(late.values(decider_id=world.units["NV"]))
    await deciding.fill(world.db, world.kit, now=world.now)
    assert await deciders(world, "An") == {"approve": "NV"}
    assert await deciders(world, "Bình") == {"approve": None}


@pytest.mark.parametrize(("name", "unit"), [("An", "NV-P"), ("Bình", "TC")])
async def test_a_request_rings_with_the_way_to_its_unit(world: World, name: str, unit: str) -> None:
    with Bell(world.db).listener() as listener:
        await world.ask(name, world.draft(unit=unit))
        (topic,) = await listener.wait(1)
    assert topic.startswith(f"{REQUESTS}:/{world.units['HUE']}/") and topic.endswith(f"/{world.units[unit]}/")
