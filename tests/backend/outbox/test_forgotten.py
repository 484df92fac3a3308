"""Whom a system has by our name, and we know nothing of it: as after a restore of what is older (rules 703, 1012)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from backend.outbox.models import Delivery, Link
from tests.backend.outbox.conftest import HUE, World, a_state
from tests.backend.outbox.test_comparing import compared, synced
from tests.backend.outbox.test_steering import USER
from tests.parts.quirky import QuirkyScim


@pytest.fixture(scope="module")
def quirky() -> Iterator[QuirkyScim]:
    part = QuirkyScim()
    yield part
    part.stop()


def members(held: Any) -> list[dict[str, str]]:
    """Of our group, as it stands there now."""
    ours = next(one for one in held.stores["Groups"].values() if one["externalId"] == HUE.external_id)
    found: list[dict[str, str]] = ours["members"]
    return found


async def test_somebody_of_ours_whom_a_restore_has_forgotten_is_told_of_again(
    world: World, quirky: QuirkyScim
) -> None:
    """Their role came after the backup: with no more than the right taken, the system would still let them in."""
    quirky.worlds.clear()
    system = await world.system(quirky.url("plain"), token=None)
    await synced(world, system)
    forgotten, nobody = await world.person(), "01a231b2-0000-7000-8000-000000000000"
    world.states[forgotten, 0] = a_state(forgotten, active=False, groups=())
    held = quirky.world("plain")
    for number, name in enumerate((str(forgotten), nobody, "một người")):
        user = {"userName": name, "active": True, "externalId": name, "schemas": [USER]}
        held.stores["Users"][f"u{number}"] = {"id": f"u{number}"} | user
        members(held).append({"value": f"u{number}"})
    for dry in (True, False):
        async with world.db.read() as tx:
            assert (await tx.scalars(select(Delivery.id).where(Delivery.account_id == forgotten))).all() == []
        found = [one.kind for one in await compared(world, system, dry=dry)]
        assert found == ["same", "stranger", "stranger", "stranger"]
    async with world.working():
        await world.until(forgotten, "synced")
    assert [held.stores["Users"][f"u{number}"]["active"] for number in range(3)] == [False, True, True]
    assert len(members(held)) == 1, "of nobody else's people more than our right is taken"


async def test_what_an_operator_has_passed_over_stays_so(world: World, quirky: QuirkyScim) -> None:
    quirky.worlds.clear()
    system = await world.system(quirky.url("plain"), token=None)
    await synced(world, system)
    skipped = await world.person()
    await world.decide(skipped, system)
    async with world.db.write() as tx:
        await tx.execute(update(Delivery).where(Delivery.account_id == skipped).values(state="skipped"))
        await tx.execute(delete(Link).where(Link.account_id == skipped))
    held = quirky.world("plain")
    user = {"id": "u", "userName": "u", "active": True, "externalId": str(skipped), "schemas": [USER]}
    held.stores["Users"]["u"] = user
    members(held).append({"value": "u"})
    assert "stranger" in [one.kind for one in await compared(world, system)]
    async with world.db.read() as tx:
        states = (await tx.scalars(select(Delivery.state).where(Delivery.account_id == skipped))).all()
    assert states == ["skipped"]
