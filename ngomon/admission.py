"""Lets a process go on only with the keys of the data (case O16).

The fingerprint of every key that the database has had stands in it. A key that is missing, foreign or given up ends
the process in one line before anything is read or sealed. A database that has no fingerprint yet gets one only after
the listed keys were proved on what is stored.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

import ngomon.tables  # noqa: F401  (whatever it has imported is tried)
from backend.chain import head_seal
from backend.crypto import KeyMissing, KeyRing, KeyTrouble, Unreadable
from backend.db import Database
from backend.journal import Entry, Head, Journal, KeyPrint, KeyRetired
from backend.sealed import Sealed, columns


async def admit(db: Database, keys: KeyRing, *, now: datetime) -> None:
    """Raises KeyTrouble unless these are the data's keys; a new one in front is remembered."""
    async with db.read() as tx:
        if await known(tx, keys):
            return
    async with db.write() as tx:
        head = await tx.get(Head, 1, with_for_update=True)  # one at a time
        prints = await _prints(tx)
        if _proved(prints, keys):
            return
        if prints:
            tx.add(_print_of(keys, keys.newest, now))
        else:
            await _adopt(tx, keys, head, now)
        await Journal(keys).begin(tx)


async def known(tx: AsyncSession, keys: KeyRing) -> bool:
    """Whether the database knows these keys as its own; raises KeyTrouble where it knows others."""
    return _proved(await _prints(tx), keys)


async def _prints(tx: AsyncSession) -> Sequence[KeyPrint]:
    return (await tx.scalars(select(KeyPrint))).all()


def _proved(prints: Sequence[KeyPrint], keys: KeyRing) -> bool:
    """Whether all of it is known and right; False where something new has to be written down."""
    for row in prints:
        if row.retired_at is not None:
            if row.key_id == keys.newest:
                raise KeyRetired(row.key_id)
        elif row.key_id not in keys.key_ids or not _fits(keys, row):
            raise KeyMissing(row.key_id)
    return any(row.key_id == keys.newest for row in prints)


def _fits(keys: KeyRing, row: KeyPrint) -> bool:
    return hmac.compare_digest(keys.fingerprint(row.key_id), row.proof)


async def _adopt(tx: AsyncSession, keys: KeyRing, head: Head | None, now: datetime) -> None:
    """Write the first fingerprints: of a new database, or of one that an earlier release has filled."""
    used = {keys.newest}
    if head is not None and head.seal:
        if head_seal(keys, head) != head.seal:  # KeyMissing when its key is not listed
            raise KeyTrouble(
                "the journal's head is not one that the keys in NGOMON_SECRET_KEYS made: are they this database's?"
            )
        used.add(head.key_id)
    opened, closed = 0, 0
    for sealed in (one for one in columns() if not one.note.passing):
        for key_id, right in (await _tried(tx, keys, sealed)).items():
            used.add(key_id)
            opened, closed = opened + right, closed + (not right)
    if closed and not opened:
        raise KeyTrouble("nothing that is stored opens with NGOMON_SECRET_KEYS: are they this database's?")
    for key_id in used:
        tx.add(_print_of(keys, key_id, now))
    for key_id in set(await tx.scalars(select(Entry.key_id).distinct())) - used:
        listed = key_id in keys.key_ids
        tx.add(_print_of(keys, key_id, now) if listed else _lost(key_id, now))


async def _tried(tx: AsyncSession, keys: KeyRing, sealed: Sealed) -> dict[bytes, bool]:
    """One value of a column under each key that it names, and whether it opens; raises KeyMissing."""
    column = getattr(sealed.model, sealed.column)
    named = func.substr(column, 2, 4)
    found: dict[bytes, bool] = {}
    for key_id in await tx.scalars(select(named).where(column.is_not(None)).distinct()):
        if key_id not in keys.key_ids:
            raise KeyMissing(key_id)
        query = select(sealed.model.id, column).where(named == key_id).limit(1)
        row_id, value = (await tx.execute(query)).one()
        try:
            keys.open(sealed.field, row_id, value)
            found[key_id] = True
        except Unreadable:
            found[key_id] = False
    return found


def _print_of(keys: KeyRing, key_id: bytes, now: datetime) -> KeyPrint:
    return KeyPrint(key_id=key_id, proof=keys.fingerprint(key_id), since=now)


def _lost(key_id: bytes, now: datetime) -> KeyPrint:
    """A key of old journal entries that an operator took from the list: those entries cannot be checked."""
    return KeyPrint(key_id=key_id, proof=b"", since=now, retired_at=now)
