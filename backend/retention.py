"""How long a row of each table lives, said once, beside its columns; one sweep forgets what is over (rule 911).

`Life` is for what ends by itself, `GoesWith` for what belongs to a row that ends, `Stays` for what no sweep may
forget, with the reason. The sweep and docs/personal-data.md derive from it what they do and say (docs/decisions/0024).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Date, Index, Integer, Select, and_, delete, exists, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from backend import sealed
from backend.db import Database
from backend.limits import Limits

BATCH = 500  # rows in one transaction: a few milliseconds for whoever waits behind it
PAUSE = 0.02  # seconds between two of them, in which the others get their turn


class Life(NamedTuple):
    """A row lives for `lasts` after the moment in the column `after`; where that is empty, it stays.

    `lasts` may name a limit, which counts days. `where` narrows it to some rows, in the words of their index. A column
    of whole numbers counts periods of `each` seconds of Unix time.
    """

    after: str
    lasts: timedelta | str
    where: str | None = None
    each: int = 1


class GoesWith(NamedTuple):
    """A row goes when the row of table `via` goes whose key is in `column`."""

    column: str
    via: str


class Stays(NamedTuple):
    """No sweep takes a row, and why."""

    why: str


def filled(table: str, column: str, only: str = "") -> Index:
    """An index of the rows that have something in a column which is mostly empty; of `only` some of them."""
    return index_where(
        f"ix_{table}_{column}", column, only=f"{column} IS NOT NULL{f' AND {only}' if only else ''}"
    )


def index_where(name: str, *columns: str, only: str, unique: bool = False) -> Index:
    """An index of the rows of which `only` is true, on both engines."""
    where = text(only)
    return Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


def lives_of(model: type[Any]) -> tuple[Life, ...]:
    """By what the rows of one table end."""
    said = model.retention
    return (said,) if isinstance(said, Life) else () if isinstance(said, GoesWith | Stays) else said


def lasting(life: Life, limits: Limits) -> timedelta:
    """How long that is in this installation."""
    return timedelta(days=getattr(limits, life.lasts)) if isinstance(life.lasts, str) else life.lasts


def due(model: type[Any], life: Life, limits: Limits, now: datetime) -> Select[Any]:
    """The keys of one batch of rows whose life is over, the oldest first; not of those that another row names."""
    column = model.__table__.c[life.after]
    query = select(*model.__table__.primary_key.columns).where(column < _end(column, life, limits, now))
    if life.where is not None:
        query = query.where(text(life.where))
    return query.where(*(~named for named in _named(model))).order_by(column).limit(BATCH)


async def sweep(
    db: Database, limits: Limits, now: datetime, stop: asyncio.Event | None = None
) -> dict[str, int]:
    """Forget everything whose life is over, in short transactions; how many rows of which table."""
    gone: dict[str, int] = {}
    for model in reversed(sealed.models()):  # whose rows name others come first
        for life in lives_of(model):
            count = BATCH
            while count == BATCH and not (stop is not None and stop.is_set()):
                if count := await _forget(db, model, due(model, life, limits, now)):
                    gone[model.__tablename__] = gone.get(model.__tablename__, 0) + count
                    await asyncio.sleep(PAUSE)
    return gone


async def _forget(db: Database, model: type[Any], batch: Select[Any]) -> int:
    async with db.read() as tx:  # mostly there is nothing, and then nobody has to wait for it
        if (await tx.execute(batch.limit(1))).first() is None:
            return 0
    async with db.write() as tx:
        keys = [tuple(key) for key in await tx.execute(batch.with_for_update(skip_locked=True, of=model))]
        for follower in _followers(model):
            await _delete(tx, follower, [follower.retention.column], keys)
        await _delete(tx, model, model.__table__.primary_key.columns.keys(), keys)
    return len(keys)


async def _delete(
    tx: AsyncSession, model: type[Any], names: Sequence[str], keys: Sequence[tuple[Any, ...]]
) -> None:
    columns = tuple_(*(model.__table__.c[name] for name in names))
    await tx.execute(delete(model).where(columns.in_(keys)).execution_options(synchronize_session=False))


def _end(column: Any, life: Life, limits: Limits, now: datetime) -> datetime | date | int:
    """What is older has ended."""
    end = now - lasting(life, limits)
    if isinstance(column.type, Integer):
        return int(end.timestamp()) // life.each
    return end.date() if isinstance(column.type, Date) else end


def _followers(model: type[Any]) -> Iterator[type[Any]]:
    """The tables whose rows go with those of `model`."""
    for other in sealed.models():
        if isinstance(other.retention, GoesWith) and other.retention.via == model.__tablename__:
            yield other


def _named(model: type[Any]) -> Iterator[ColumnElement[bool]]:
    """That a row of another table, which does not go with it, names a row of `model`."""
    followers = [follower.__table__ for follower in _followers(model)]
    for other in sealed.models():
        if other.__table__ in followers:
            continue
        for key in other.__table__.foreign_keys:
            if key.column.table is model.__table__:
                yield exists().where(and_(key.parent == key.column))
