"""People who have an account on the day of going live, from a file as long as a province (case R35).

The file proves nothing: who comes from it is `imported`, of level 1, and owned by nobody until VNeID has come
(`docs/joining.md`). It is read twice as a stream, first to see what is wrong, then to write in chunks; an account
that is there is left as it is, so that the same file goes on where it stopped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.identity.following import names_of
from backend.accounts.identity.numbers import NATIONAL_ID, OLD_ID, kind_of
from backend.accounts.models import Identifier
from backend.accounts.opening import AccountRow, Sealed, open_all, sealed_rows
from backend.accounts.phones import binding
from backend.accounts.phones.phones import read_phone
from backend.db import Database
from backend.errors import FieldsInvalid
from backend.imports.rows import Record, Row, RowError
from backend.kit import Kit
from backend.names import (
    clean_name,
    is_whole_birth_date,
    read_birth_date,
    read_born,
    same_birth_date,
    same_name,
)
from backend.outside.clock import local_day

COLUMNS = ("national_id", "full_name", "birth_date", "phone", "level", "opened_on")
REQUIRED = ("national_id", "full_name", "birth_date")
NUMBER = re.compile(r"[0-9]{12}|[0-9]{9}")
LEVELS = ("", "1", "2", "3")
KINDS = (NATIONAL_ID, OLD_ID)  # the index of numbers begins with them
CHUNK = 500  # rows in one transaction


class Count(msgspec.Struct):
    """What was found in the rows so far."""

    created: int = 0
    there: int = 0
    without_phone: int = 0  # the number receives no code, or serves too many; the person comes in without
    bad: int = 0


Told = Callable[[Record, list[RowError]], None]
Progress = Callable[[Count], None]


class AccountsImport:
    """One file of accounts; `look` says what it would do, `bring_in` does it, each reading it from its beginning."""

    def __init__(self, kit: Kit, now: datetime, *, invented: bool = False) -> None:
        self._kit, self._now, self._invented = kit, now, invented
        self._seen: set[int] = set()  # a digest of each number so far: a province of them fits into memory
        self._served: dict[int, int] = {}  # and of each phone, how many accounts it would serve

    async def look(self, db: Database, rows: Iterable[Record], *, bad: Told, progress: Progress) -> Count:
        """Read every row; `bad` hears of each that cannot be taken."""
        found = Count()
        self._seen.clear()
        self._served.clear()
        for part in _parts(rows):
            async with db.read() as tx:
                fresh, errors = await self._judged(tx, part, found)
                found.without_phone += await self._crowded(tx, fresh)
            for record in part:
                if record.line in errors:
                    bad(record, errors[record.line])
            found.created += len(fresh)
            progress(found)
        return found

    async def bring_in(
        self, db: Database, rows: Iterable[Record], *, by: UUID | None, progress: Progress
    ) -> Count:
        """Open the accounts that are not there yet, chunk by chunk; bad rows are passed over."""
        done = Count()
        self._seen.clear()
        for part in _parts(rows):
            async with db.read() as tx:
                fresh, _ = await self._judged(tx, part, done)
            sealed = [
                sealed_rows(self._kit, row, self._now) for row in fresh
            ]  # which takes longer than writing it
            async with db.write() as tx:
                await self._write(tx, sealed, by, done)
            progress(done)
        return done

    async def _judged(
        self, tx: AsyncSession, part: Sequence[Record], count: Count
    ) -> tuple[list[AccountRow], dict[int, list[RowError]]]:
        """The rows of people who have no account yet, and what is wrong with others, by line."""
        errors: list[RowError] = []
        rows = [row for record in part if (row := self._checked(record, errors, count))]
        bad = {error.line for error in errors}
        holders = await self._holders(tx, rows)
        fresh = []
        for row in rows:
            if row.line in bad:
                continue
            holder = holders.get(row.number)
            if holder is None:
                fresh.append(row)
            elif self._is_of(holder, row):
                count.there += 1
            else:
                errors.append(RowError(row.line, "national_id", "account_differs"))
        told: dict[int, list[RowError]] = {}
        for error in errors:
            told.setdefault(error.line, []).append(error)
        count.bad += len(told)
        return fresh, told

    def _checked(self, record: Record, errors: list[RowError], count: Count) -> AccountRow | None:
        row, before = Row(record, errors), len(errors)
        number = "".join(row.text("national_id", longest=20, required=True).split())
        if number and not NUMBER.fullmatch(number):
            row.wrong("national_id", "bad_national_id")
        name = clean_name(row.text("full_name", longest=120, required=True))
        born = _read(row, "birth_date", self._born, required=True)
        opened = _read(row, "opened_on", self._day)
        if row.text("level", longest=10) not in LEVELS:
            row.wrong("level", "bad_level")
        mark = int.from_bytes(self._kit.keys.blind(kind_of(number), number)[:8], "big")
        if number and mark in self._seen:
            row.wrong("national_id", "comes_twice_above")
        if len(errors) > before:
            return None
        self._seen.add(mark)
        phone = self._phone(row, count)
        return AccountRow(
            record.line, number, name, born, phone, date.fromisoformat(opened) if opened else None
        )

    def _phone(self, row: Row, count: Count) -> str | None:
        """A number that can receive a code; another one keeps nobody out."""
        text = row.text("phone", longest=25)
        try:
            return read_phone(text, allow_invented=self._invented) if text else None
        except FieldsInvalid:
            count.without_phone += 1
            return None

    async def _crowded(self, tx: AsyncSession, rows: Sequence[AccountRow]) -> int:
        """How many of these would come too late for their number."""
        most, late = self._kit.limits.accounts_per_phone, 0
        named = [tuple(self._kit.keys.blinds("phone", row.phone)) for row in rows if row.phone and most]
        for spellings, before in zip(named, await binding.counted(tx, named), strict=True):
            mark = int.from_bytes(spellings[0][:8], "big")
            served = self._served.get(mark, before)
            late += served >= most
            self._served[mark] = min(served + 1, most)
        return late

    def _born(self, text: str) -> str:
        return read_born(text, local_day(self._now))

    def _day(self, text: str) -> str:
        day = read_birth_date(text)
        if not is_whole_birth_date(day) or date.fromisoformat(day) > local_day(self._now):
            raise ValueError(text)
        return day

    async def _holders(self, tx: AsyncSession, rows: Sequence[AccountRow]) -> dict[str, Account]:
        """Who has an account under these numbers."""
        numbers = {blind: row.number for row in rows for blind in self._kit.keys.blinds(row.kind, row.number)}
        held = (
            select(Identifier.blind, Account)
            .join(Account, Account.id == Identifier.account_id)
            .where(
                Identifier.kind.in_(KINDS), Identifier.blind.in_(list(numbers)), Identifier.ended_at.is_(None)
            )
        )
        return {numbers[blind]: account for blind, account in await tx.execute(held)}

    def _is_of(self, account: Account, row: AccountRow) -> bool:
        name, born = names_of(self._kit, account)
        return same_name(name, row.full_name) and (born is None or same_birth_date(born, row.birth_date))

    async def _write(self, tx: AsyncSession, sealed: Sequence[Sealed], by: UUID | None, done: Count) -> None:
        """Those who have not opened an account meanwhile."""
        blinds = [one.number["blind"] for one in sealed]
        taken = set(
            await tx.scalars(
                select(Identifier.blind).where(
                    Identifier.kind.in_(KINDS), Identifier.blind.in_(blinds), Identifier.ended_at.is_(None)
                )
            )
        )
        fresh = [one for one in sealed if one.number["blind"] not in taken]
        done.without_phone += await open_all(tx, self._kit, fresh, by=by, now=self._now)
        done.created += len(fresh)


def _read(row: Row, column: str, reader: Callable[[str], str], *, required: bool = False) -> str:
    text = row.text(column, longest=30, required=required)
    try:
        return reader(text) if text else ""
    except ValueError:
        row.wrong(column, "bad_date")
        return ""


def _parts(rows: Iterable[Record]) -> Iterator[list[Record]]:
    reading = iter(rows)
    while part := list(islice(reading, CHUNK)):
        yield part
