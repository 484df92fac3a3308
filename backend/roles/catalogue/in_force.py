"""The catalogue in force: the newest that was imported, or the shipped one; held in memory by its version.

Every transaction asks the database for the newest version, which is one small read: what was imported is in force at
the next call in every process. The id of a version says which catalogue it is, in whatever database.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import has_waited, one_after_another
from backend.roles.catalogue.entries import Catalogue
from backend.roles.catalogue.reading import Found, read
from backend.roles.models import CatalogueVersion
from backend.statements import Question

SHIPPED = Path(__file__).with_name("shipped.toml")
CHANGING, HELD = "catalogue", "catalogue held"
MOST = 16  # catalogues in memory: a server that runs for years sees many versions
_KNOWN: dict[UUID, Catalogue] = {}


class Version(NamedTuple):
    """Which one."""

    id: UUID


_NEWEST = (
    select(CatalogueVersion.id)
    .where(CatalogueVersion.version > 0)
    .order_by(CatalogueVersion.version.desc())
    .limit(1)
)
NEWEST = Question(Version, _NEWEST)  # asked by every transaction; 0 is the shipped one, which has no row
NEWEST_ID = _NEWEST.scalar_subquery().label("catalogue")  # the same beside what else a statement answers


@cache
def shipped() -> Catalogue:
    """What is in force where nobody has imported anything."""
    return read(SHIPPED.read_bytes(), {}).catalogue


async def in_force(tx: AsyncSession, *beside: UUID | None) -> Catalogue:
    """The catalogue that counts in this transaction, from its first question to its end; `beside` is its NEWEST_ID."""
    found: Catalogue | None = tx.info.get(CHANGING)
    if found is None:
        found = tx.info[CHANGING] = await (_of(tx, beside[0]) if beside else _newest(tx))
    return found


async def hold_catalogue(tx: AsyncSession) -> Catalogue:
    """The same, and no other comes into force before the commit: for whoever writes what it decides.

    An import, which waits for all of these, so finds every role that it changes the meaning of.
    """
    if HELD not in tx.info:
        await one_after_another(tx, CHANGING, leaning=True)
        tx.info[HELD] = True
        if has_waited(tx):
            tx.info.pop(CHANGING, None)
    return await in_force(tx)


async def alone(tx: AsyncSession) -> Catalogue:
    """The same for whoever changes it: nobody else does, or leans on it, until the commit."""
    await one_after_another(tx, CHANGING)
    found = tx.info[CHANGING] = await _newest(tx)
    return found


async def newest_version(tx: AsyncSession) -> CatalogueVersion | None:
    """The row of the newest version, nothing while the shipped one is in force."""
    query = select(CatalogueVersion).order_by(CatalogueVersion.version.desc()).limit(1)
    found: CatalogueVersion | None = await tx.scalar(query)
    return found


async def kept_version(tx: AsyncSession, number: int | None) -> tuple[int, datetime | None, Catalogue] | None:
    """A version by its number, or the one in force: number, since when, and what it says; 0 is the shipped one."""
    query = select(CatalogueVersion).order_by(CatalogueVersion.version.desc()).limit(1)
    if number is not None:
        query = query.where(CatalogueVersion.version == number)
    row = await tx.scalar(query)
    if row is not None:
        return row.version, row.imported_at, catalogue_of(row.text)
    return (0, None, shipped()) if not number else None


def read_file(data: bytes) -> Found:
    """The catalogue of an operator's file; raises ImportRefused."""
    return read(data, shipped().movements)


def text_of(catalogue: Catalogue) -> str:
    """As a version keeps it."""
    return msgspec.json.encode(catalogue).decode()


def catalogue_of(text: str) -> Catalogue:
    """What a version says; of movements that it does not know yet what is shipped."""
    kept = msgspec.json.decode(text, type=Catalogue)
    return msgspec.structs.replace(kept, movements={**shipped().movements, **kept.movements})


async def _newest(tx: AsyncSession) -> Catalogue:
    newest = await NEWEST.maybe(tx)
    return await _of(tx, newest.id if newest is not None else None)


async def _of(tx: AsyncSession, version: UUID | None) -> Catalogue:
    if version is None:
        return shipped()
    if version not in _KNOWN:
        text = await tx.scalar(select(CatalogueVersion.text).where(CatalogueVersion.id == version))
        while len(_KNOWN) >= MOST:
            _KNOWN.pop(next(iter(_KNOWN)))
        _KNOWN[version] = catalogue_of(text or "")
    return _KNOWN[version]
