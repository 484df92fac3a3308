"""Catalogues other than the shipped one, and how a test has one in force."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import msgspec
from sqlalchemy import delete, func, select

from backend.db import Database
from backend.roles.catalogue.entries import Catalogue
from backend.roles.catalogue.in_force import shipped, text_of
from backend.roles.models import CatalogueVersion


async def put_in_force(db: Database, catalogue: Catalogue) -> None:
    """As an import leaves it, and telling nobody."""
    async with db.write() as tx:
        newest = await tx.scalar(select(func.max(CatalogueVersion.version))) or 0
        row = CatalogueVersion(version=newest + 1, text=text_of(catalogue), imported_at=datetime.now(UTC))
        tx.add(row)


@asynccontextmanager
async def of_this_test(db: Database, catalogue: Catalogue) -> AsyncIterator[None]:
    """In force until the end of the block: other tests have the same database."""
    await put_in_force(db, catalogue)
    try:
        yield
    finally:
        await ship_again(db)


async def ship_again(db: Database) -> None:
    """The shipped one is in force again."""
    async with db.write() as tx:
        await tx.execute(delete(CatalogueVersion))


def certificates_count() -> Catalogue:
    """The shipped one, where a certificate vouches for civil servants, too."""
    kinds = dict(shipped().subject_types)
    kinds["cong_chuc"] = msgspec.structs.replace(kinds["cong_chuc"], vouched_by=("vneid", "certificate"))
    return msgspec.structs.replace(shipped(), subject_types=kinds)
