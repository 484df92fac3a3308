"""Two who open an account with one number in the same instant: one has it, and the other leaves nothing (rule 101)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from backend.account import Account
from backend.accounts.identity import people
from backend.accounts.identity.evidence import VNEID, Evidence
from backend.accounts.identity.identity_rows import HOLD
from backend.accounts.identity.numbers import new_number
from backend.accounts.models import Identifier
from backend.db import Database, new_id
from backend.kit import Kit

NOW = datetime(2026, 11, 1, tzinfo=UTC)
NUMBERS = {"national_id": "000090000001", "old_id_number": "000000001"}


def evidence(**numbers: str) -> Evidence:
    return Evidence(
        full_name="Nguyễn Văn Thử", level=2, by=VNEID, source="https://eid.example", identifiers=numbers
    )


async def rows(database: Database) -> tuple[int, int]:
    """Accounts, and numbers that are held."""
    async with database.read() as tx:
        accounts = await tx.scalar(select(func.count()).select_from(Account)) or 0
        return accounts, await tx.scalar(select(func.count()).select_from(Identifier)) or 0


async def test_of_two_at_once_one_opens_the_account_and_the_other_leaves_nothing(
    database: Database, kit: Kit
) -> None:
    async def opens() -> bool:
        try:
            async with database.write() as tx:
                await people.open_with(tx, kit, evidence(**NUMBERS), now=NOW)
                await asyncio.sleep(0.05)
        except people.AccountExists:
            return False
        return True

    assert sorted(await asyncio.gather(*(opens() for _ in range(4)))) == [False, False, False, True]
    assert await rows(database) == (1, 2)


async def test_whoever_loses_at_the_second_number_goes_on_in_the_same_transaction(
    database: Database, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the other's number was committed after it was looked for."""
    async with database.write() as tx:
        await people.open_with(tx, kit, evidence(old_id_number=NUMBERS["old_id_number"]), now=NOW)

    async def nobody(*_: object) -> None:
        return None

    monkeypatch.setattr(people, "holder_among", nobody)
    async with database.write() as tx:
        with pytest.raises(people.AccountExists):
            await people.open_with(tx, kit, evidence(**NUMBERS), now=NOW)
        tx.add(Account(id=new_id(), full_name=b"x", created_at=NOW))  # what the caller does then is kept
    assert await rows(database) == (2, 1)


async def test_a_number_is_held_once_whoever_writes_it(database: Database, kit: Kit) -> None:
    async with database.write() as tx:
        account = await people.open_with(tx, kit, evidence(national_id=NUMBERS["national_id"]), now=NOW)
        again = new_number(kit, account.id, "national_id", NUMBERS["national_id"], source="x", now=NOW)
        assert await HOLD.touched(tx, **again) == 0
