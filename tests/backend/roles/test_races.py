"""Many hands on one button: one outcome, one entry, one version in the outbox."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable
from uuid import UUID

import pytest
from sqlalchemy import text

from backend.errors import Refusal
from backend.roles import review
from tests.backend.roles.world import World

WIDE = 32


async def outcomes(*acts: Awaitable[object]) -> Counter[str]:
    """How it ended for everybody; anything but a refusal is a failure of the test."""
    ends = await asyncio.gather(*acts, return_exceptions=True)
    for end in ends:
        if isinstance(end, BaseException) and not isinstance(end, Refusal):
            raise end
    return Counter(end.code if isinstance(end, Refusal) else "done" for end in ends)


async def test_tw03_one_of_many_approvals_counts(world: World) -> None:
    await world.system("Văn bản")
    asked = await world.ask("An")
    assert await outcomes(*(world.approve("Chi", asked.id) for _ in range(WIDE))) == {
        "done": 1,
        "already_decided": WIDE - 1,
    }
    assert await world.states("An") == ["NV:active"]
    assert len(await world.deliveries("An")) == 1
    assert (await world.tags()).count("role.request_decided") == 1


async def test_tw03_yes_against_no_has_one_winner(world: World) -> None:
    asked = await world.ask("An")
    ends = await outcomes(
        *(
            act
            for _ in range(WIDE // 2)
            for act in (world.approve("Chi", asked.id), world.reject("Chi", asked.id))
        )
    )
    assert ends == {"done": 1, "already_decided": WIDE - 1}
    status = (await world.request(asked.id)).status
    assert await world.states("An") == (["NV:active"] if status == "approved" else [])


async def test_tw03_yes_against_the_applicants_change_of_mind_has_one_winner(world: World) -> None:
    asked = await world.ask("An")
    ends = await outcomes(
        *(
            act
            for _ in range(WIDE // 2)
            for act in (world.approve("Chi", asked.id), world.withdraw("An", asked.id))
        )
    )
    assert ends == {"done": 1, "already_decided": WIDE - 1}
    assert (await world.request(asked.id)).status in {"approved", "withdrawn"}


async def test_tw05_release_against_refusal_leaves_one_home(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    asked = await world.ask("An", world.draft("transfer", "TC"))
    await outcomes(
        *(
            act
            for _ in range(WIDE // 2)
            for act in (world.approve("Chi", asked.id), world.reject("Dũng", asked.id))
        )
    )
    assert (await world.request(asked.id)).status == "rejected"
    assert await world.states("An") == ["NV:active"]


async def test_tw05_both_units_at_the_same_instant_make_one_transfer(world: World) -> None:
    await world.employ("An", "NV", "Chi")
    asked = await world.ask("An", world.draft("transfer", "TC"))
    assert await outcomes(world.approve("Chi", asked.id), world.approve("Dũng", asked.id)) == {"done": 2}
    assert await world.states("An") == ["NV:ended", "TC:active"]


async def test_one_of_many_requests_is_made(world: World) -> None:
    assert await outcomes(*(world.ask("An") for _ in range(WIDE))) == {"done": 1, "request_open": WIDE - 1}


async def test_the_same_key_makes_one_request(world: World) -> None:
    made = await asyncio.gather(*(world.ask("An", key="k1") for _ in range(WIDE // 2)))
    assert len({asked.id for asked in made}) == 1


async def test_undo_against_undo_has_one_winner(world: World) -> None:
    asked = await world.ask("An")
    await world.approve("Chi", asked.id)
    ends = await outcomes(*(world.undo("Chi", asked.id) for _ in range(WIDE // 2)))
    assert ends == {"done": 1, "undo_too_late": WIDE // 2 - 1}
    assert await world.states("An") == ["NV:undone"]


async def test_a_right_that_is_taken_at_that_instant_counts_or_not(world: World) -> None:
    asked = await world.ask("An")
    ends = await asyncio.gather(world.approve("Chi", asked.id), world.dismiss("Chi"), return_exceptions=True)
    assert ends[0] is not None
    assert await world.states("An") in (["NV:active"], [])
    if isinstance(ends[0], Refusal):
        assert ends[0].code == "request_not_found"


@pytest.mark.parametrize("rounds", [8])
async def test_tw05_at_no_instant_a_mover_has_none_or_two_homes(world: World, rounds: int) -> None:
    """A watcher reads while people are moved to and fro; every snapshot shows exactly one home each."""
    movers = ["An", "Bình", "Eve"]
    for name in movers:
        await world.employ(name, "NV", "Chi")
    over = asyncio.Event()
    watching = asyncio.create_task(_watch(world, len(movers), over))
    for turn in range(rounds):
        there, giver, taker = ("TC", "Chi", "Dũng") if turn % 2 == 0 else ("NV", "Dũng", "Chi")
        asked = [await world.ask(name, world.draft("transfer", there)) for name in movers]
        await asyncio.gather(*(world.approve(who, one.id) for one in asked for who in (giver, taker)))
        if turn % 3 == 2:
            await asyncio.gather(*(_change_ones_mind(world, one.id) for one in asked))
    over.set()
    seen, wrong = await watching
    assert wrong == []
    assert seen > rounds


async def _change_ones_mind(world: World, request_id: UUID) -> None:
    decided_by = (await world.request(request_id)).decided_by
    who = next(name for name, account_id in world.people.items() if account_id == decided_by)
    await world.undo(who, request_id)
    await world.approve(who, request_id)


async def _watch(world: World, homes: int, over: asyncio.Event) -> tuple[int, list[list[int]]]:
    seen, wrong = 0, []
    while not over.is_set():
        async with world.db.read() as tx:
            query = text("SELECT count(*) FROM roles WHERE state = 'active' AND is_home GROUP BY account_id")
            found = [row[0] for row in await tx.execute(query)]
        seen += 1
        if found != [1] * homes:
            wrong.append(found)
        await asyncio.sleep(0.002)
    return seen, wrong


@pytest.mark.parametrize("db", ["postgres"], indirect=True)  # SQLite has one writer: nobody comes between
async def test_a_right_that_decides_is_held_until_the_decision_is_written(world: World) -> None:
    asked = await world.ask("An")
    async with world.db.write() as tx:
        said = await review.approve(tx, world.kit, asked.id, version=1, by=world.people["Chi"], now=world.now)
        assert not isinstance(said, Refusal)
        taking = asyncio.create_task(world.dismiss("Chi"))
        while not taking.done() and not await _somebody_waits(world):
            await asyncio.sleep(0.01)
        assert not taking.done(), "the right was taken away between the question and the commit"
    await taking
    assert await world.states("An") == ["NV:active"]


async def _somebody_waits(world: World) -> bool:
    query = text(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    async with world.db.read() as tx:
        return bool(await tx.scalar(query))
