"""Budgets in rolling windows, also when many spend at once (rule 209; cases TO07, TO08)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from sqlalchemy import delete

from backend import retention, tallies
from backend.errors import TooMany
from backend.kit import Kit
from backend.throttle import SPARE, Budget, Window, refund
from tests.service import Service

START = datetime(2026, 11, 1, 16, 50, tzinfo=UTC)  # ten minutes before midnight in Hà Nội
HOURLY = [Window(2, 3600)]


async def spend(
    service: Service, now: datetime, windows: list[Window] = HOURLY, who: str = "one"
) -> list[bytes]:
    async with service.db.write() as tx:
        return await service.kit.throttle.spend(tx, [("sms", who, windows)], now=now)


@pytest.fixture(autouse=True)
async def _no_budgets_yet(service: Service) -> None:
    """All databases of the run are shared; budgets of other tests are not needed any more."""
    async with service.db.write() as tx:
        await tx.execute(delete(Budget))


@pytest.mark.parametrize("minutes", [0, 5, 10, 15, 59])
async def test_to08_a_window_rolls_and_no_midnight_empties_it(service: Service, minutes: int) -> None:
    await spend(service, START)
    await spend(service, START)
    later = START + timedelta(minutes=minutes)
    with pytest.raises(TooMany) as refused:
        await spend(service, later)
    assert refused.value.retry_after == 3600 - minutes * 60
    again = later + timedelta(seconds=refused.value.retry_after)
    assert await spend(service, again), "there is room at the very second that Retry-After names"


async def test_the_tightest_of_several_windows_decides_and_the_longest_wait_is_told(service: Service) -> None:
    windows = [Window(1, 60), Window(2, 3600)]
    await spend(service, START, windows)
    with pytest.raises(TooMany) as refused:
        await spend(service, START + timedelta(seconds=59), windows)
    assert refused.value.retry_after == 1
    await spend(service, START + timedelta(seconds=60), windows)
    with pytest.raises(TooMany) as refused:
        await spend(service, START + timedelta(seconds=121), windows)
    assert refused.value.retry_after == 3600 - 121


async def test_one_full_budget_refuses_all_and_uses_none_of_the_others(service: Service) -> None:
    await spend(service, START, [Window(1, 60)], who="full")
    with pytest.raises(TooMany):
        async with service.db.write() as tx:
            wants = [("sms", "fresh", HOURLY), ("sms", "full", [Window(1, 60)])]
            await service.kit.throttle.spend(tx, wants, now=START)
    async with service.db.read() as tx:
        assert await service.kit.throttle.left(tx, "sms", "fresh", HOURLY, now=START) == 2


async def test_a_refusal_that_is_caught_and_committed_has_used_nothing(service: Service) -> None:
    await spend(service, START, [Window(1, 60)], who="full")
    before = await stamps(service, "full")
    async with service.db.write() as tx:
        with pytest.raises(TooMany):
            wants = [("sms", "fresh", HOURLY), ("sms", "full", [Window(1, 60)])]
            await service.kit.throttle.spend(tx, wants, now=START + timedelta(seconds=1))
    assert (await stamps(service, "full"), await stamps(service, "fresh")) == (before, [])


async def test_what_has_no_room_uses_nothing_where_it_refuses_nothing(service: Service) -> None:
    await spend(service, START, [Window(1, 60)], who="full")
    before = await stamps(service, "full")
    async with service.db.write() as tx:
        wants = [("sms", "full", [Window(1, 60)])]
        assert await service.kit.throttle.spend(tx, [], now=START, if_room=wants) == []
    assert await stamps(service, "full") == before


async def test_uses_that_no_window_counts_do_not_pile_up(service: Service) -> None:
    for minute in range(40):
        await spend(service, START + timedelta(minutes=minute), [Window(3, 60)])
    assert len(await stamps(service, "one")) <= 3 + SPARE


async def stamps(service: Service, who: str) -> list[float]:
    """What a budget holds."""
    async with service.db.read() as tx:
        found = await tx.get_one(Budget, service.kit.throttle.key("sms", who))
    return msgspec.json.decode(found.stamps, type=list[float])


async def test_to07_spends_at_once_never_pass_the_cap(service: Service) -> None:
    async def one() -> bool:
        try:
            await spend(service, START, [Window(5, 3600)])
        except TooMany:
            return False
        return True

    assert sum(await asyncio.gather(*(one() for _ in range(40)))) == 5


async def test_two_budgets_spent_crosswise_do_not_wait_for_each_other(service: Service) -> None:
    async def one(names: list[str]) -> None:
        async with service.db.write() as tx:
            await service.kit.throttle.spend(
                tx, [("sms", name, [Window(100, 60)]) for name in names], now=START
            )

    both = ["a", "b"]
    await asyncio.wait_for(
        asyncio.gather(*(one(both if turn % 2 else both[::-1]) for turn in range(30))), timeout=20
    )


async def test_what_is_refunded_can_be_spent_again_and_no_more(service: Service) -> None:
    await spend(service, START)
    keys = await spend(service, START)
    async with service.db.write() as tx:
        await refund(tx, keys, now=START)
    await spend(service, START)
    with pytest.raises(TooMany):
        await spend(service, START)


async def test_a_count_of_zero_counts_nothing(service: Service) -> None:
    for _ in range(10):
        await spend(service, START, [Window(0, 3600)])


async def test_uses_of_a_clock_that_ran_ahead_close_nothing_for_a_year(service: Service) -> None:
    for _ in range(2):
        await spend(service, START + timedelta(days=365))
    async with service.db.read() as tx:
        assert await service.kit.throttle.left(tx, "sms", "one", HOURLY, now=START) == 2
    for _ in range(2):
        await spend(service, START)
    for minutes in (0, -30):  # a clock that went back a little frees nothing
        with pytest.raises(TooMany):
            await spend(service, START + timedelta(minutes=minutes))


async def test_counts_of_a_clock_that_ran_ahead_close_nothing_for_a_year(service: Service) -> None:
    key, hour = service.kit.throttle.key("a province", "all"), [Window(2, 3600)]

    async def counted(now: datetime) -> int:
        async with service.db.write() as tx:
            return (await tallies.add(tx, [tallies.Want(key, hour)], now=now))[0]

    for _ in range(2):
        await counted(START + timedelta(days=365))
    assert [await counted(START) for _ in range(2)] == [0, 0]
    assert await counted(START) > 0
    assert await counted(START - timedelta(minutes=30)) > 0, "a clock that went back a little frees nothing"


async def test_sweeping_forgets_only_what_is_over(service: Service) -> None:
    await spend(service, START, who="old")
    later = START + timedelta(minutes=40)
    await spend(service, later, who="young")
    await retention.sweep(service.db, service.kit.limits, START + timedelta(minutes=61))
    async with service.db.read() as tx:
        assert await tx.get(Budget, service.kit.throttle.key("sms", "old")) is None
        assert await tx.get(Budget, service.kit.throttle.key("sms", "young")) is not None


def test_a_budget_is_stored_under_a_keyed_name_only(kit: Kit) -> None:
    assert b"550" not in kit.throttle.key("sms phone", "+84550123456")
    assert kit.throttle.key("a", "b") != kit.throttle.key("b", "a")


async def test_a13_a_budget_that_is_given_back_fails_nobody_who_waits_for_it(service: Service) -> None:
    many = [Window(9, 3600)]
    await spend(service, START, many)

    async def give_back() -> None:
        async with service.db.write() as tx:
            await service.kit.throttle.forget(tx, [("sms", "one"), ("sms", "two")])

    async with service.db.write() as tx:
        await service.kit.throttle.spend(tx, [("sms", "one", many)], now=START)
        first = asyncio.create_task(give_back())
        await asyncio.sleep(0.3)  # it waits for the row, and whoever spends waits behind it
        behind = asyncio.create_task(spend(service, START, many))
        await asyncio.sleep(0.3)
    await first
    assert await behind
    async with service.db.read() as tx:
        assert await service.kit.throttle.left(tx, "sms", "one", many, now=START) >= 8, "it was given back"
