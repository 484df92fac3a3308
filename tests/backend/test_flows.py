"""Who may go on with a flow: its device key, its account where it has one, in its time, at its step (rules 110, 204)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from backend.caller import Caller, Who
from backend.db import Database
from backend.errors import Unproved
from backend.flows import FlowNotFound, FlowStepMismatch, Kind
from backend.kit import Kit

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
OWNER = uuid4()


class Kept(msgspec.Struct, frozen=True):
    """What the flows of these tests remember."""

    word: str


ANY, OTHER, OWN = Kind("login", Kept), Kind("recovery", Kept), Kind("method", Kept, own=True)


def caller(jkt: str | None = "key", account: UUID | None = OWNER, seconds: int = 0) -> Caller:
    now = NOW + timedelta(seconds=seconds)
    who = Who(account, uuid4(), "mobile", 2, now, 1, jkt, "vneid") if account else None
    return Caller(now, jkt, "192.0.2.1", who)


async def begun(db: Database, kit: Kit, kind: Kind[Kept]) -> UUID:
    async with db.write() as tx:
        return (await kind.start(tx, kit, caller(), "otp", Kept("first"))).id


async def test_the_caller_who_began_it_goes_on_and_what_it_remembers_is_there(
    database: Database, kit: Kit
) -> None:
    flow_id = await begun(database, kit, OWN)
    async with database.write() as tx:
        flow = await OWN.find(tx, kit, flow_id, caller(), "otp")
        assert (flow.data, flow.account) == (Kept("first"), OWNER)
        await flow.advance("password", Kept("second"))
        assert flow.data == Kept("second")
    async with database.read() as tx:
        assert (await flow.again(tx, "password")).data == Kept("second")
        with pytest.raises(FlowStepMismatch) as refused:
            await flow.again(tx, "otp")
    assert refused.value.facts == {"step": "password"}


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(caller("another"), id="another device"),
        pytest.param(caller(None), id="no device"),
        pytest.param(caller(account=uuid4()), id="another account on the same device"),
        pytest.param(caller(seconds=900), id="too late"),
    ],
)
async def test_nobody_else_finds_it_at_whatever_step(database: Database, kit: Kit, other: Caller) -> None:
    flow_id = await begun(database, kit, OWN)
    async with database.read() as tx:
        for step in (None, "otp", "done"):
            with pytest.raises(FlowNotFound):
                await OWN.find(tx, kit, flow_id, other, step)


async def test_a_flow_of_somebodys_own_wants_somebody(database: Database, kit: Kit) -> None:
    flow_id = await begun(database, kit, OWN)
    async with database.write() as tx:
        with pytest.raises(Unproved):
            await OWN.start(tx, kit, caller(account=None), "otp", Kept(""))
        with pytest.raises(Unproved):
            await OWN.find(tx, kit, flow_id, caller(account=None))


async def test_a_flow_is_found_as_what_it_is(database: Database, kit: Kit) -> None:
    flow_id = await begun(database, kit, ANY)
    async with database.read() as tx:
        assert (await ANY.find(tx, kit, flow_id, caller(account=uuid4()))).id == flow_id
        with pytest.raises(FlowNotFound):
            await OTHER.find(tx, kit, flow_id, caller())
