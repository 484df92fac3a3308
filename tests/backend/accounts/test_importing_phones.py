"""How many accounts one number serves holds for a list of a whole province too (R35, case A23)."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import func, select

from backend.account import Account
from backend.accounts import importing
from backend.accounts.importing import Count
from backend.accounts.models import Phone
from backend.accounts.phones.binding import bind_phone
from backend.crypto import KeyRing, new_secret_key
from backend.db import Database
from backend.errors import FieldsInvalid
from backend.kit import Kit
from backend.limits import Limits
from tests.backend.accounts.test_importing import NOW, account, bring_in, how_many, look, person
from tests.checker import check

CAP = Limits().accounts_per_phone
SHARED = "0550 000 700"


async def served(database: Database, kit: Kit, number: str = "+84550000700") -> int:
    query = select(func.count(Phone.account_id.distinct()))
    query = query.where(Phone.blind.in_(kit.keys.blinds("phone", number)), Phone.ended_at.is_(None))
    async with database.read() as tx:
        return int(await tx.scalar(query) or 0)


async def test_a23_a_list_gives_a_number_to_no_more_than_it_may_serve_and_everybody_comes_in(
    database: Database, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "CHUNK", 4)  # so that the number fills within a chunk and between two
    rows = [person(one, phone=SHARED) for one in range(1, 11)] + [person(11, phone="0550 000 701")]
    wanted = Count(created=11, without_phone=10 - CAP)
    assert await look(database, kit, *rows) == (wanted, []), "the plan says so before"
    assert await how_many(database) == 0
    assert await bring_in(database, kit, *rows) == wanted
    assert await served(database, kit) == CAP
    assert await served(database, kit, "+84550000701") == 1
    first = await account(database, kit, f"{1:012}")
    async with database.read() as tx:
        assert await tx.scalar(select(Phone.id).where(Phone.account_id == first.id)), (
            "who stands first has it"
        )
    again = [person(one, phone=SHARED) for one in range(12, 14)]
    assert await look(database, kit, *again) == (Count(created=2, without_phone=2), [])
    assert await bring_in(database, kit, *again) == Count(created=2, without_phone=2)
    assert await served(database, kit) == CAP
    await check(database, kit)


async def test_a23_a_list_counts_what_was_written_under_an_older_key(database: Database) -> None:
    old = new_secret_key()
    before = Kit.of(KeyRing.parse(old), Limits())
    await bring_in(database, before, *(person(one, phone=SHARED) for one in range(1, CAP + 1)))
    both = Kit.of(KeyRing.parse(f"{new_secret_key()},{old}"), Limits())
    assert await bring_in(database, both, person(20, phone=SHARED)) == Count(created=1, without_phone=1)
    assert await served(database, both) == CAP


async def test_a23_a_limit_that_is_off_counts_nothing(database: Database) -> None:
    kit = Kit.of(KeyRing.parse(new_secret_key()), Limits(accounts_per_phone=0))
    rows = [person(one, phone=SHARED) for one in range(1, 9)]
    assert await look(database, kit, *rows) == (Count(created=8), [])
    assert await bring_in(database, kit, *rows) == Count(created=8)
    assert await served(database, kit) == 8


async def test_a23_two_lists_and_people_who_bind_the_number_at_once_are_no_more_than_it_may_serve(
    database: Database, kit: Kit
) -> None:
    await bring_in(database, kit, *(person(one) for one in range(1, 7)))
    others = [await account(database, kit, f"{one:012}") for one in range(1, 7)]

    async def binds(owner: Account) -> None:
        try:
            async with database.write() as tx:
                await tx.get_one(Account, owner.id, with_for_update=True)
                await bind_phone(tx, kit, owner.id, "+84550000700", now=NOW)
        except FieldsInvalid:
            return

    numbers = [SHARED, "0550 000 702", "0550 000 703"]
    lists = [
        [person(first + one, phone=numbers[(one + turn) % 3]) for one in range(12)]
        for turn, first in enumerate((100, 200, 300))
    ]
    await asyncio.gather(*(bring_in(database, kit, *rows) for rows in lists), *(binds(one) for one in others))
    for number in ("+84550000700", "+84550000702", "+84550000703"):
        assert await served(database, kit, number) == CAP
    await check(database, kit)
