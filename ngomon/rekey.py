"""Re-encrypts what older keys sealed, so that an old key can be given up (rule 905).

Reads work with every listed key at every moment, so this runs beside a living service, in
small transactions, and may be killed and started again: a row that is done is passed over.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

import ngomon.tables  # noqa: F401  (whatever it has imported is rotated)
from backend import sealed
from backend.account import Account
from backend.accounts.identity import called
from backend.crypto import KeyRing
from backend.db import Database
from backend.journal import KeyPrint
from backend.kit import Kit

BATCH = 200
WORDS = called.NameWord.__tablename__


class Report(NamedTuple):
    """How many values were sealed anew, and up to which journal entry older keys were given up, if any were."""

    rewritten: int
    closed: int | None


async def rotate(db: Database, kit: Kit, progress: Callable[[str, int], None], *, now: datetime) -> Report:
    """Seal everything under the newest key, then close the journal's entries and give older keys up.

    `progress` hears the column and how many were done in it. Raises Unreadable, JournalBroken, KeyMissing.
    """
    rewritten = await _everything(db, kit.keys, progress)
    async with db.read() as tx:
        older = KeyPrint.retired_at.is_(None) & (KeyPrint.key_id != kit.keys.newest)
        needless = await tx.scalar(select(KeyPrint.key_id).where(older).limit(1)) is None
    if needless:
        return Report(rewritten, None)
    closed = await kit.journal.close(db, now=now)
    # What a process that was still to be started anew wrote in between: from now on it writes nothing.
    return Report(rewritten + await _everything(db, kit.keys, progress, again=True), closed)


async def _everything(
    db: Database, keys: KeyRing, progress: Callable[[str, int], None], *, again: bool = False
) -> int:
    """How many values were under an older key; `again`: only what was found is told."""
    rewritten = 0
    for model in sealed.models():
        columns = [one for one in sealed.sealed_in(model) if not one.note.passing]
        last, done, full = None, Counter[str](), bool(columns)
        while full:
            async with db.write() as tx:
                last, full, count = await _batch(tx, keys, model, last)
            done += count
        told = [] if again else [one.field for one in columns]
        for field in dict.fromkeys([*told, *done]):
            if done[field] or field in told:
                progress(field, done[field])
        rewritten += done.total()
    return rewritten


async def _batch(
    tx: AsyncSession, keys: KeyRing, model: type[Any], last: Any
) -> tuple[Any, bool, Counter[str]]:
    """The rows after `last`: the last of them, whether there may be more, and how many of each column were old."""
    query = select(model).order_by(model.id).limit(BATCH).with_for_update()
    if last is not None:
        query = query.where(model.id > last)
    rows = list(await tx.scalars(query))
    done = Counter[str]()
    for row in rows:
        old = [one for one in sealed.sealed_in(model) if _is_old(getattr(row, one.column), keys)]
        if not old:
            continue
        texts = sealed.opened(keys, row)
        for one in old:
            setattr(row, one.column, keys.seal(one.field, row.id, texts[one.column]))
            done[one.field] += 1
        for column, makes in sealed.indexes_in(model).items():
            if getattr(row, column) is not None:  # what is not to be found any more stays so
                setattr(row, column, next(iter(makes(keys, row, texts)), None))
    if model is Account:
        await tx.flush()
        done[WORDS] = await _words(tx, keys, rows)
    return rows[-1].id if rows else last, len(rows) == BATCH, done


async def _words(tx: AsyncSession, keys: KeyRing, rows: Sequence[Account]) -> int:
    """Whoever is found by name is found under the newest key, whichever key the name itself was under."""
    found = await called.found_among(tx, [row.id for row in rows])
    names = {
        row.id: keys.open("accounts.full_name", row.id, row.full_name) for row in rows if row.id in found
    }
    return await called.follow(tx, keys, names)


def _is_old(value: bytes | None, keys: KeyRing) -> bool:
    return value is not None and value[1:5] != keys.newest
