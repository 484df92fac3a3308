"""Which columns are sealed, by what they are found again, whose they are, and what erasure leaves of them.

It is said once, beside the column. Rotation (`ngomon/rekey.py`), admission of keys, erasure, the copy of everything and
`tests/checker.py` derive from it what they touch. Sealing itself stays a call where a value is written or read
(docs/decisions/0022): what it costs is seen there, and no ciphertext is opened that nobody asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, LargeBinary, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import DeclarativeBase, MappedColumn, mapped_column

from backend.crypto import KeyRing
from backend.db import Base

SEALED, INDEX = "sealed", "index"
QUIET = {"synchronize_session": False}
Makes = Callable[[KeyRing, Any, Mapping[str, str]], list[bytes]]


class Note(NamedTuple):
    """What is said of a sealed column. In a copy for the person it stands in the part `copied`; `withheld` says why it
    is in none; with neither it is copied by itself. `agency` says why no person's erasure touches it. What is `passing`
    lives for minutes, so no rotation carries it over: it ends with its key.
    """

    copied: str | None
    withheld: str | None
    agency: str | None
    passing: bool


class Whose(NamedTuple):
    """Whose rows these are: `column` holds the account, or the id of a row of `via`, whose they then are.

    On erasure they go; with `emptied` they stay, and say this instead (a text for a sealed column is sealed anew).
    """

    column: str
    via: str | None = None
    emptied: Mapping[str, str | None] | None = None
    also: str | None = None  # another column that holds an account whose it is as well


class Sealed(NamedTuple):
    """One sealed column and what is said of it."""

    model: type[Any]
    column: str
    note: Note

    @property
    def field(self) -> str:
        """How the column is named where it is sealed."""
        return f"{self.model.__tablename__}.{self.column}"


def sealed(
    *,
    copied: str | None = None,
    withheld: str | None = None,
    agency: str | None = None,
    passing: bool = False,
    **more: Any,
) -> MappedColumn[Any]:
    """A column of ciphertexts, each bound to its row."""
    return mapped_column(LargeBinary, info={SEALED: Note(copied, withheld, agency, passing)}, **more)


def index_of(makes: Makes, **more: Any) -> MappedColumn[Any]:
    """A keyed index of what the row has sealed. `makes` gives it under every live key, newest first, from the keys,
    the row and its opened texts by column; nothing where the row is not to be found.
    """
    return mapped_column(LargeBinary, info={INDEX: makes}, **more)


def equal(kind: str, column: str) -> Makes:
    """The index of a whole text."""
    return lambda keys, _, texts: keys.blinds(kind, texts[column])


def within(kind: str, column: str, name: str) -> Makes:
    """The index of one member of a sealed JSON text."""

    def makes(keys: KeyRing, _: object, texts: Mapping[str, str]) -> list[bytes]:
        value = msgspec.json.decode(texts[column]).get(name)
        return keys.blinds(kind, value) if value else []

    return makes


def models(base: type[DeclarativeBase] = Base) -> list[type[Any]]:
    """Every table that has been imported; whose rows others name come first."""
    known = {mapper.local_table: mapper.class_ for mapper in base.registry.mappers}
    return [known[table] for table in base.metadata.sorted_tables if table in known]


def sealed_in(model: type[Any]) -> list[Sealed]:
    """The sealed columns of one table."""
    return [Sealed(model, name, info[SEALED]) for name, info in _infos(model) if SEALED in info]


def indexes_in(model: type[Any]) -> dict[str, Makes]:
    """How the keyed indexes of one table are made, by column."""
    return {name: info[INDEX] for name, info in _infos(model) if INDEX in info}


def columns(base: type[DeclarativeBase] = Base) -> list[Sealed]:
    """Every sealed column that has been imported."""
    return [one for model in models(base) for one in sealed_in(model)]


def opened(keys: KeyRing, row: Any) -> dict[str, str]:
    """What a row has sealed, by column; raises Unreadable."""
    held = ((one, getattr(row, one.column)) for one in sealed_in(type(row)))
    return {one.column: keys.open(one.field, row.id, value) for one, value in held if value is not None}


def is_theirs(model: type[Any], account_id: UUID, base: type[DeclarativeBase] = Base) -> ColumnElement[bool]:
    """The rows of an account, in a table that says whose they are."""
    column = getattr(model, model.whose.column)
    if model.whose.via is None:
        holders = [column, *([getattr(model, model.whose.also)] if model.whose.also else [])]
        return or_(*(holder == account_id for holder in holders))
    above = next(one for one in models(base) if one.__tablename__ == model.whose.via)
    return column.in_(select(above.id).where(is_theirs(above, account_id, base)))  # type: ignore[no-any-return]


def theirs(base: type[DeclarativeBase] = Base) -> Iterator[type[Any]]:
    """The tables that hold rows of accounts."""
    return (model for model in models(base) if getattr(model, "whose", None) is not None)


async def erase(tx: AsyncSession, keys: KeyRing, account_id: UUID) -> None:
    """Delete or empty every row of an account, those that name others first."""
    for model in reversed(list(theirs())):
        mine = is_theirs(model, account_id)
        if model.whose.emptied is None:
            await tx.execute(delete(model).where(mine).execution_options(**QUIET))
        elif any(isinstance(model.whose.emptied.get(one.column), str) for one in sealed_in(model)):
            for row in list(await tx.scalars(select(model).where(mine))):
                empty(keys, row)
        elif model.whose.emptied:
            said = update(model).where(mine).values(**model.whose.emptied)
            await tx.execute(said.execution_options(**QUIET))


def empty(keys: KeyRing, row: Any, **instead: str) -> None:
    """Have one row say what it says after an erasure; `instead` are other words for it."""
    names = {one.column: one.field for one in sealed_in(type(row))}
    for name, value in {**row.whose.emptied, **instead}.items():
        is_text = name in names and value is not None
        setattr(row, name, keys.seal(names[name], row.id, value) if is_text else value)


async def copy_of(tx: AsyncSession, keys: KeyRing, account_id: UUID) -> list[dict[str, Any]]:
    """What an account has sealed that no other part of its copy shows and nothing withholds."""
    found = []
    for model in theirs():
        wanted = {one.column for one in sealed_in(model) if not (one.note.copied or one.note.withheld)}
        if not wanted:
            continue
        for row in await tx.scalars(select(model).where(is_theirs(model, account_id)).order_by(model.id)):
            texts = {name: text for name, text in opened(keys, row).items() if name in wanted}
            if texts:
                found.append({"what": model.__tablename__, "id": row.id, "texts": texts})
    return found


def _infos(model: type[Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(column.name, column.info) for column in model.__table__.columns]
