"""What is sealed, looked at after every test: that it opens in its row, and that nothing else holds a ciphertext."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import LargeBinary, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from backend import sealed
from backend.crypto import VERSION, Unreadable
from backend.kit import Kit

if TYPE_CHECKING:
    from tests.checker import Before

STAYS = {
    "sessions": " AND x.ended_at IS NULL",
    "deliveries": None,
    "links": None,
}  # of an account that was joined


async def rows(tx: AsyncSession, sql: str, **values: Any) -> list[Any]:
    """All rows of a plain question."""
    return list((await tx.execute(_question(sql), values)).all())


_question = cache(text)  # to read a long question takes longer than to ask it


async def encryption(tx: AsyncSession, kit: Kit, before: Before | None = None) -> list[str]:
    """Every sealed column opens in its row, every index is of what the row says, nothing else holds a ciphertext."""
    found = []
    begins = [VERSION + key_id for key_id in kit.keys.key_ids]
    for row in await _changed(tx, before):
        indexes, secret, table = sealed.indexes_in(type(row)), sealed.sealed_in(type(row)), row.__tablename__
        try:
            texts = sealed.opened(kit.keys, row)
        except Unreadable as error:
            if any(one.note.passing and getattr(row, one.column)[:5] not in begins for one in secret):
                continue  # it ends with its key
            found.append(f"{error} of {row.id} does not open")
            continue
        for column, makes in indexes.items():
            if (value := getattr(row, column)) is not None and value not in makes(kit.keys, row, texts):
                found.append(f"{table}.{column} of {row.id} is an index of something else")
    keys = {f"begin_{at}": begin for at, begin in enumerate(begins)}
    places = await rows(tx, _undeclared(len(keys)), **keys)
    found += [f"{row[0]} holds ciphertexts and does not say so" for row in places]
    left = await rows(tx, _joined())
    return found + [f"account {one[0]} was joined to another and something of it is left" for one in left]


async def _changed(tx: AsyncSession, before: Before | None) -> list[Any]:
    """The rows whose secrets and indexes are not as they were."""
    secret = [model for model in sealed.models() if sealed.sealed_in(model)]
    if before is None:
        there = {row[0] for row in await rows(tx, _there())}
        filled = [model for model in secret if model.__tablename__ in there]
        return [row for model in filled for row in await tx.scalars(select(model))]
    now = {tuple(row) for row in await rows(tx, _secrets())}
    fresh: dict[str, set[UUID]] = {}
    for table, row_id, *_ in now - before.rows:
        fresh.setdefault(table, set()).add(row_id if isinstance(row_id, UUID) else UUID(row_id))
    before.rows |= now
    return [
        row
        for model in secret
        if model.__tablename__ in fresh
        for row in await tx.scalars(select(model).where(model.id.in_(fresh[model.__tablename__])))
    ]


@cache
def _there() -> str:
    """One question for the tables that hold anything: most are empty after most tests."""
    return " UNION ALL ".join(
        f"SELECT '{model.__tablename__}' AS place WHERE EXISTS (SELECT 1 FROM {model.__tablename__})"
        for model in sealed.models()
    )


@cache
def _secrets() -> str:
    """One question for what every row has sealed, and for its indexes, asked after each test."""
    return " UNION ALL ".join(
        f"SELECT '{model.__tablename__}' AS place, id, '{column}' AS part, \"{column}\" AS value "
        f'FROM {model.__tablename__} WHERE "{column}" IS NOT NULL'
        for model in sealed.models()
        for column in (*(one.column for one in sealed.sealed_in(model)), *sealed.indexes_in(model))
    )


def _undeclared(keys: int) -> str:
    """One question for ciphertexts in columns that do not say so."""
    begins = ", ".join(f":begin_{at}" for at in range(keys))
    return " UNION ".join(
        f"SELECT '{column}' AS place FROM {model.__tablename__} WHERE substr(\"{column.name}\", 1, 5) IN ({begins})"
        for model in sealed.models()
        for column in model.__table__.columns
        if isinstance(column.type, LargeBinary) and not column.info
    )


@cache
def _joined() -> str:
    """The accounts that were joined to another one and still have something that is a person's."""
    tables = [model for model in sealed.theirs() if model.whose.column == "account_id"]
    left = " OR ".join(
        f"EXISTS (SELECT 1 FROM {name} x WHERE x.account_id = a.id{also})"
        for name in (model.__tablename__ for model in tables)
        if (also := STAYS.get(name, "")) is not None
    )
    return f"SELECT a.id FROM accounts a WHERE a.joined_into IS NOT NULL AND (a.status <> 'closed' OR {left})"
