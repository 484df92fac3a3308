"""People who have an account already come from a file, and nothing of it is taken for proved (case R35)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from backend.account import Account
from backend.accounts.identity.numbers import holder_of
from backend.accounts.importing import AccountsImport, Count
from backend.accounts.models import Identifier, Identity, Password, Phone
from backend.accounts.self import identity_page
from backend.db import Database
from backend.imports.rows import Record, RowError, records
from backend.journal import Entry
from backend.kit import Kit
from tests.checker import check

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
AN = {
    "national_id": "000090000001",
    "full_name": "Trần Thị An",
    "birth_date": "14/03/1990",
    "phone": "0550 000 001",
    "level": "3",
    "opened_on": "2021-05-06",
}


def person(number: int, **more: str) -> dict[str, str]:
    return AN | {"national_id": f"{number:012}", "full_name": f"Người {number}", "phone": ""} | more


async def look(
    database: Database, kit: Kit, *rows: dict[str, str]
) -> tuple[Count, list[tuple[int, str, str]]]:
    bad: list[tuple[int, str, str]] = []

    def told(_: Record, errors: list[RowError]) -> None:
        bad.extend((error.line, error.column, error.reason) for error in errors)

    job = AccountsImport(kit, NOW, invented=True)
    return await job.look(database, records(rows), bad=told, progress=lambda _: None), bad


async def bring_in(database: Database, kit: Kit, *rows: dict[str, str]) -> Count:
    job = AccountsImport(kit, NOW, invented=True)
    return await job.bring_in(database, records(rows), by=None, progress=lambda _: None)


async def account(database: Database, kit: Kit, number: str, kind: str = "national_id") -> Account:
    async with database.read() as tx:
        held = await holder_of(tx, kit, number, kind)
        assert held is not None
        return await tx.get_one(Account, held)


async def how_many(database: Database) -> int:
    async with database.read() as tx:
        return await tx.scalar(select(func.count()).select_from(Account)) or 0


async def test_r35_an_imported_account_is_of_level_1_and_unproved_whatever_the_file_says(
    database: Database, kit: Kit
) -> None:
    assert await bring_in(database, kit, AN) == Count(created=1)
    found = await account(database, kit, AN["national_id"])
    assert (found.assurance_level, found.vouched_by, found.vouched_at) == (1, "imported", None)
    assert found.created_at == datetime(2021, 5, 5, 17, 0, tzinfo=UTC)
    assert kit.keys.open("accounts.full_name", found.id, found.full_name) == "Trần Thị An"
    assert found.birth_date is not None
    assert kit.keys.open("accounts.birth_date", found.id, found.birth_date) == "1990-03-14"
    async with database.read() as tx:
        (phone,) = (await tx.scalars(select(Phone))).all()
        assert (await tx.scalars(select(Identity))).all() == []
        assert (await tx.scalars(select(Password))).all() == []
        tags = list(await tx.scalars(select(Entry.tag)))
    assert (phone.source, kit.keys.open("phones.number", phone.id, phone.number)) == (
        "imported",
        "+84550000001",
    )
    assert tags == ["accounts.imported"]
    await check(database, kit)


async def test_r35_a_list_of_old_accounts_verifies_nothing(database: Database, kit: Kit) -> None:
    await bring_in(database, kit, AN)
    found = await account(database, kit, "000090000001")
    async with database.read() as tx:
        shown = await identity_page.page(tx, kit, found)
    known = [one for one in shown.attributes if one.value is not None and one.name != "phone"]
    assert {one.name for one in known} == {"full_name", "national_id", "birth_date"}
    assert {(one.state, one.verified_at) for one in known} == {("unverified", None)}


async def test_r35_looking_changes_nothing_and_the_same_file_goes_on_where_it_stopped(
    database: Database, kit: Kit
) -> None:
    rows = [person(number) for number in range(1, 1203)]
    assert (await look(database, kit, *rows))[0] == Count(created=1202)
    assert await how_many(database) == 0
    await bring_in(database, kit, *rows[:700])
    assert await bring_in(database, kit, *rows) == Count(created=502, there=700)
    assert (await look(database, kit, *rows))[0] == Count(there=1202)
    assert await how_many(database) == 1202


async def test_r35_who_has_an_account_keeps_it_as_it_is(database: Database, kit: Kit) -> None:
    await bring_in(database, kit, AN)
    before = await account(database, kit, AN["national_id"])
    again = AN | {"full_name": "TRẦN THỊ AN", "birth_date": "1990", "phone": "0550 000 009", "opened_on": ""}
    assert await bring_in(database, kit, again) == Count(there=1)
    after = await account(database, kit, AN["national_id"])
    assert (before.full_name, before.version) == (after.full_name, after.version)
    for other in ({"full_name": "Trần Thị Ân"}, {"birth_date": "1991"}):
        found, bad = await look(database, kit, AN | other)
        assert found == Count(bad=1)
        assert bad == [(2, "national_id", "account_differs")]
        assert (await bring_in(database, kit, AN | other)).created == 0


BAD = [
    ({"national_id": ""}, "national_id", "required"),
    ({"national_id": "12345"}, "national_id", "bad_national_id"),
    ({"national_id": "٠٠٠٠٠٠٠٠٠٠٠٠"}, "national_id", "bad_national_id"),
    ({"full_name": " "}, "full_name", "required"),
    ({"birth_date": ""}, "birth_date", "required"),
    ({"birth_date": "30/02/1990"}, "birth_date", "bad_date"),
    ({"level": "4"}, "level", "bad_level"),
    ({"opened_on": "2021"}, "opened_on", "bad_date"),
    ({"opened_on": "03/03/2026"}, "opened_on", "bad_date"),
]


async def test_r35_a_bad_row_is_named_and_never_written(database: Database, kit: Kit) -> None:
    for changes, column, reason in BAD:
        found, bad = await look(database, kit, person(5), AN | changes)
        assert (found.created, bad) == (1, [(3, column, reason)]), changes
    assert (await look(database, kit, AN, AN | {"full_name": "Khác"}))[1] == [
        (3, "national_id", "comes_twice_above")
    ]
    assert await bring_in(database, kit, person(5), AN | {"level": "4"}, AN, AN) == Count(created=2, bad=2)


@pytest.mark.parametrize("phone", ["024 3825 0000", "gọi tôi", "0121 000 0001"])
async def test_r35_a_number_that_receives_no_code_keeps_nobody_out(
    database: Database, kit: Kit, phone: str
) -> None:
    assert await bring_in(database, kit, AN | {"phone": phone}) == Count(created=1, without_phone=1)
    async with database.read() as tx:
        assert (await tx.scalars(select(Phone))).all() == []


async def test_r35_nine_digits_are_an_old_number(database: Database, kit: Kit) -> None:
    await bring_in(database, kit, AN | {"national_id": "000 900 001"})
    await account(database, kit, "000900001", "old_id_number")
    async with database.read() as tx:
        assert list(await tx.scalars(select(Identifier.kind))) == ["old_id_number"]
