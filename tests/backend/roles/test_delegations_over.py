"""How long the right to decide is lent at most, and that it is over when one of the two never meant it (rule 625)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from backend.errors import FieldsInvalid, Refusal
from backend.roles import denied
from backend.roles.movements import SUSPENSION
from backend.support.models import Notice
from tests.backend.roles.test_delegations import ended, lend, refusal_of, waits
from tests.backend.roles.test_suspension import act, lift
from tests.backend.roles.world import World


async def deny(world: World, whose: str, delegation: UUID, *, by: str | None = None) -> None:
    """Somebody says "Không phải tôi" to the notice that a person got of a delegation."""
    session = await world.signed_in(by or whose)
    async with world.db.write() as tx:
        about = select(Notice.id).where(Notice.account_id == world.people[whose], Notice.about == delegation)
        notice, who = (await tx.scalars(about)).one(), world.people[by or whose]
        await denied.deny(tx, world.kit, notice, by=who, session_id=session, now=world.now)


async def test_the_error_of_a_delegation_without_an_end_names_the_last_day_that_may_be(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    first = world.today + timedelta(days=10)
    with pytest.raises(FieldsInvalid) as no:
        await lend(world, "Chi", "An", "NV", from_on=first, until_on=first + timedelta(days=181))
    (error,) = no.value.fields
    assert (error.field, error.code, error.places) == (
        "until",
        "too_far",
        {"days": "180", "last": "08/09/2026"},
    )
    await lend(world, "Chi", "An", "NV", from_on=first, until_on=first + timedelta(days=180))


@pytest.mark.parametrize("who", ["Chi", "An"])
async def test_it_was_not_me_said_to_a_delegation_ends_it_in_the_same_commit(world: World, who: str) -> None:
    await world.employ("An", "NV", "Chi")
    asked = (await world.ask("Bình", world.draft(unit="NV"))).id
    one, other = await lend(world, "Chi", "An", "NV"), await lend(world, "Chi", "An", "NV-P")
    assert await waits(world, "An") == {asked}
    await deny(world, who, one)
    await deny(world, who, one)  # said twice it is said once
    assert await ended(world, one) and not await ended(world, other)
    assert await waits(world, "An") == set()
    assert await refusal_of(world, "An", asked) == "request_not_found"
    assert (await world.tags()).count("manager.delegation_ended") == 1
    with pytest.raises(Refusal, match="notice_not_found"):
        await deny(world, who, other, by="Eve")
    assert not await ended(world, other)


async def test_a_delegation_that_was_denied_does_not_come_back_with_the_post(world: World) -> None:
    role = await world.employ("An", "NV", "Chi")
    one = await lend(world, "Chi", "An", "NV")
    await act(world, "Chi", role.id, SUSPENSION)
    assert await ended(world, one)
    await deny(world, "Chi", one)
    await lift(world, "Chi", role.id)
    assert await ended(world, one)
