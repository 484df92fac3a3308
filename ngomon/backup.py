"""The whole database as one sealed file, and back again into an empty one (rule 1011)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import Table, delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.crypto import KeyRing
from backend.db import Database
from backend.devices.models import RefreshToken, SeenProof, Session
from backend.facts import DataRestored
from backend.flows import Flow
from backend.kit import Kit
from backend.outbox import queue, systems
from backend.outbox.models import Link, System
from backend.outside.connectors.kinds import cannot
from backend.owed import queue as owed
from backend.roles import desired
from ngomon import migrations, rows
from ngomon.admission import known
from ngomon.sealed_file import FileTrouble, SealingWriter, appearing, lines, told_of

NOT_EMPTY = "the database is not empty: nothing was restored, and nothing of it was changed"
AHEAD = 1_000_000  # versions: no person's roles have changed so often since any backup


class Begin(msgspec.Struct, tag="begin"):
    """What the file is."""

    schema: str
    made_at: datetime


class Part(msgspec.Struct, tag="part"):
    """Behind it come the rows of one table."""

    table: str
    columns: list[str]


class End(msgspec.Struct, tag="end"):
    """How many rows of which table there were, and their sums."""

    tables: dict[str, tuple[int, str]]


Mark = Begin | Part | End


async def dump(db: Database, file: Path, key: bytes, now: datetime) -> End:
    """Write everything as it is at one moment, beside a living service; the file appears when it is whole."""
    with appearing(file) as out:
        writer, end = SealingWriter(out, key), End({})
        async with db.read() as tx:
            _mark(writer, Begin(await _schema_of(tx), now))
            for table in rows.tables():
                end.tables[str(table.name)] = await _dump(tx, writer, table)
        _mark(writer, end)
        writer.end()
    return end


async def _schema_of(tx: AsyncSession) -> str:
    """What the file will say: the schema of what stands in it; raises FileTrouble where this release knows another."""
    schema = str(await tx.scalar(text("SELECT version_num FROM alembic_version")))
    if schema != migrations.newest():
        raise FileTrouble(
            f"the database has schema {schema} and this release knows {migrations.newest()}: nothing was written"
        )
    return schema


async def _dump(tx: AsyncSession, writer: SealingWriter, table: Table) -> tuple[int, str]:
    _mark(writer, Part(str(table.name), rows.names(table)))
    summed = rows.Sum()
    async for row in rows.all_rows(tx, table):
        line = rows.written(row)
        summed.add(line)
        writer.line(line)
    return summed.whole


def verify(file: Path, key: bytes) -> tuple[Begin, End]:
    """Read the whole file and count again; raises FileTrouble."""
    begin, sums, said, current = None, dict[str, rows.Sum](), None, None
    with told_of(file), file.open("rb") as source:
        for line in lines(source, key):
            mark = _marked(line)
            match mark:
                case Begin():
                    begin = mark
                case Part():
                    current = sums.setdefault(mark.table, rows.Sum())
                case End():
                    said = mark
                case None:
                    if current is None:
                        raise FileTrouble("a row stands before its table")
                    current.add(line)
    if begin is None or said is None or said.tables != {name: one.whole for name, one in sums.items()}:
        raise FileTrouble("what the backup says of itself is not what stands in it")
    return begin, said


async def restore(
    db: Database, kit: Kit, keys: KeyRing, file: Path, key: bytes, now: datetime
) -> tuple[Begin, End]:
    """Bring everything into an empty database, in one transaction; raises FileTrouble, KeyTrouble."""
    begin, said = verify(file, key)
    if begin.schema != migrations.newest():
        raise FileTrouble(
            f"the backup is of schema {begin.schema}: restore it with the release that made it, then `ngomon migrate`"
        )
    if not await rows.is_empty(db):  # before its schema is touched
        raise FileTrouble(NOT_EMPTY)
    await migrations.migrate(db.url.render_as_string(hide_password=False))
    async with db.write() as tx:
        if not await rows.is_untouched(tx):
            raise FileTrouble(NOT_EMPTY)
        await rows.empty(tx)
        with told_of(file), file.open("rb") as source:
            await _fill(tx, lines(source, key))
        if not await known(tx, keys):
            raise FileTrouble("NGOMON_SECRET_KEYS are not those of the backup: nothing was restored")
        await _begin_again(tx, kit, begin, now)
    return begin, said


async def _fill(tx: AsyncSession, source: Iterator[bytes]) -> None:
    by_name = {table.name: table for table in rows.tables()}
    table: Table | None = None
    waiting: list[bytes] = []

    async def put() -> None:
        if table is not None:
            await rows.put(tx, table, [rows.read(table, line) for line in waiting])
        waiting.clear()

    for line in source:
        mark = _marked(line)
        if mark is None:
            waiting.append(line)
        if mark is not None or len(waiting) >= rows.AT_ONCE:
            await put()
        if isinstance(mark, Part):
            table = by_name[mark.table]
            if mark.columns != rows.names(table):
                raise FileTrouble(f"table {mark.table} of the backup has other columns")


async def _begin_again(tx: AsyncSession, kit: Kit, begin: Begin, now: datetime) -> None:
    """What is outside may be newer than what was restored: nobody is signed in, and every system is told anew."""
    for table in (RefreshToken, SeenProof, Flow):
        await tx.execute(delete(table))
    ended = {"ended_at": now, "end_reason": "restored"}
    await tx.execute(update(Session).where(Session.ended_at.is_(None)).values(**ended))
    await owed.forget(tx, now=now)  # whether it has left since, nobody can say (rule 720)
    ahead = {"role_version": Account.role_version + AHEAD, "version": Account.version + 1}
    await tx.execute(update(Account).values(active_session_id=None, epoch=Account.epoch + 1, **ahead))
    await tx.execute(update(Link).values(state="unknown"))  # what systems hold now has still to be read
    await tx.execute(update(System).values(reconciled_at=None, paused_until=None, failures=0))
    tx.expire_all()
    for system in await _told_only(tx):
        people = await systems.affected(tx, system, desired.people_in_scope)
        await queue.backfill(tx, system.id, people, now=now)
    kit.journal.record(tx, DataRestored(made_at=begin.made_at), by=None, now=now)


async def _told_only(tx: AsyncSession) -> list[System]:
    """Systems that cannot be compared are told of everybody again."""
    living = await tx.scalars(select(System).where(System.disabled_at.is_(None)))
    return [system for system in living if "no_read_back" in cannot(system.kind)]


def _mark(writer: SealingWriter, mark: Mark) -> None:
    writer.line(msgspec.json.encode(mark))


def _marked(line: bytes) -> Mark | None:
    """Rows are lists, marks are objects."""
    return msgspec.json.decode(line, type=Mark) if line.startswith(b"{") else None
