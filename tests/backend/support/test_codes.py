"""Case codes: unique by construction, however many are made at once, and not to be guessed."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select, update

from backend.crypto import KeyRing, new_secret_key
from backend.kit import Kit
from backend.support import cases, codes
from backend.support.models import Case, CaseDay
from tests.backend.support.conftest import World

DAY = date(2026, 3, 4)


async def opened(world: World, now: datetime | None = None) -> str:
    async with world.db.write() as tx:
        case = await cases.add(
            tx,
            world.kit,
            world.desk,
            subject="Không mở được trang",
            text="Trang báo lỗi",
            origin="app",
            account_id=world.person,
            by=world.person,
            now=now or world.now,
        )
    return case.code


async def test_many_codes_made_sixteen_wide_are_all_different(world: World) -> None:
    gate = asyncio.Semaphore(16)

    async def one() -> str:
        async with gate:
            return await opened(world)

    made = await asyncio.gather(*(one() for _ in range(200)))
    assert len(set(made)) == 200
    assert all(codes.is_code(code) and code.startswith("SD260304-") for code in made)
    numbers = sorted(int(code[-6:]) for code in made)
    assert numbers[-1] - numbers[0] > 100_000, "running numbers would lie side by side"


def test_the_permutation_takes_no_two_numbers_to_one() -> None:
    keys = KeyRing.parse(new_secret_key())
    sample = [*range(3000), *range(999_000, 1_000_000)]
    found = {codes.permuted(keys, keys.newest, DAY, number) for number in sample}
    assert len(found) == len(sample)
    assert all(0 <= number < 1_000_000 for number in found)


def test_another_day_and_another_key_are_another_permutation() -> None:
    one, other = KeyRing.parse(new_secret_key()), KeyRing.parse(new_secret_key())
    first = [codes.permuted(one, one.newest, DAY, number) for number in range(20)]
    assert first != [codes.permuted(one, one.newest, DAY + timedelta(days=1), number) for number in range(20)]
    assert first != [codes.permuted(other, other.newest, DAY, number) for number in range(20)]


async def test_the_day_is_that_of_viet_nam(world: World) -> None:
    assert (await opened(world, datetime(2026, 3, 4, 16, 59, tzinfo=UTC))).startswith("SD260304-")
    assert (await opened(world, datetime(2026, 3, 4, 17, 0, tzinfo=UTC))).startswith("SD260305-")


async def test_a_new_key_in_the_middle_of_the_day_changes_nothing(world: World) -> None:
    before = await opened(world)
    both = Kit.of(KeyRing(list({**_masters(), **world.kit.keys._masters}.values())), world.kit.limits)
    world.kit = both
    after = [await opened(world) for _ in range(20)]
    assert len({before, *after}) == 21
    async with world.db.read() as tx:
        day = (await tx.scalars(select(CaseDay))).one()
    assert day.key_id == both.keys.key_ids[1]


async def test_a_key_given_up_in_the_middle_of_the_day_makes_no_duplicate(world: World) -> None:
    before = [await opened(world) for _ in range(20)]
    async with world.db.write() as tx:
        await tx.execute(update(CaseDay).values(key_id=b"gone"))
    after = [await opened(world) for _ in range(20)]
    assert len({*before, *after}) == 40


async def test_the_millionth_case_is_the_last_of_a_day(world: World) -> None:
    await opened(world)
    async with world.db.write() as tx:
        await tx.execute(update(CaseDay).values(last=999_999))
    assert codes.is_code(await opened(world))
    with pytest.raises(codes.CodesExhausted):
        await opened(world)
    async with world.db.read() as tx:
        assert len((await tx.scalars(select(Case))).all()) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sd260304-123456",
        "SD260304-12345",
        "SD260304-1234567",
        " SD260304-123456",
        "SD260304-123456\n",
        "SD２60304-123456",
    ],
)
def test_what_is_not_a_code_is_none(text: str) -> None:
    assert not codes.is_code(text)


def _masters() -> dict[bytes, bytes]:
    return KeyRing.parse(new_secret_key())._masters
