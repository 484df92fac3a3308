"""A flow that was begun is begun once: the same call under the same key is answered as the first time (rules 110, 801).

The key is the device's own, and the person's who is signed in. Only an answer is kept: what was refused is asked anew.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import msgspec
from sqlalchemy import LargeBinary, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from backend.accounts.passwords.passwords import TooBusy
from backend.caller import Caller
from backend.crypto import Unreadable
from backend.db import Base, UtcDateTime, insert_into, new_id
from backend.errors import KeyReused
from backend.retention import Life
from backend.sealed import Whose, sealed
from backend.trouble import StorageTrouble
from backend.words import mark as _

if TYPE_CHECKING:
    from backend.accounts.door import Door

Answer = TypeVar("Answer", bound=msgspec.Struct)
KNOWN = timedelta(hours=1)  # no flow lives longer
WORKS = timedelta(minutes=2)  # whoever has not answered by then has died with the process
LOOKS, PAUSE = 40, 0.25  # how often, and how many seconds apart, the second of two looks for the answer

_leaving: set[asyncio.Task[None]] = set()  # rows that a database in trouble has not let go yet
AT_WORK = _("Lần gửi trước của yêu cầu này vẫn đang được xử lý. Hãy gửi lại đúng yêu cầu ấy sau ít giây.")


class Begun(Base):
    """A call with a key that begins a flow, and what it was answered, once it is."""

    __tablename__ = "begun_calls"
    retention = Life("at", KNOWN)
    whose = Whose("account_id")

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    key: Mapped[bytes] = mapped_column(LargeBinary, unique=True)  # device, person, call and key, hashed
    account_id: Mapped[UUID | None] = mapped_column(index=True)
    said: Mapped[bytes] = sealed(
        passing=True, withheld="it lives for an hour, and repeats what a call was answered"
    )
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class Said(msgspec.Struct, frozen=True):
    """What is sealed: which body it was, and the answer to it."""

    body: str
    answer: str = ""


async def once(
    door: Door, caller: Caller, key: str | None, body: msgspec.Struct, make: Callable[[], Awaitable[Answer]]
) -> Answer:
    """What `make` answers; under a key that is known already, what it has answered. The body's type tells the call."""
    if key is None or caller.jkt is None:  # whoever shows no key of a device cannot be told from others
        return await make()
    row_id, said = new_id(), Said(hashlib.sha256(msgspec.json.encode(body)).hexdigest())
    who = caller.who.account_id if caller.who else None
    name = hashlib.sha256(f"{caller.jkt} {who} {type(body).__name__} {key}".encode()).digest()
    if (earlier := await _taken(door, caller, row_id, name, said)) is not None:
        return msgspec.Raw(earlier.encode())  # type: ignore[return-value]  # as it was, byte by byte
    try:
        answer = await make()
    except BaseException:
        await _free(door, row_id)
        raise
    said = Said(said.body, msgspec.json.encode(answer).decode())
    async with door.db.write() as tx:
        await tx.execute(update(Begun).where(Begun.id == row_id).values(said=_sealed(door, row_id, said)))
    return answer


async def _free(door: Door, row_id: UUID) -> None:
    """A call that is over leaves no row, whichever process it is sent to again.

    What is refused because the database is in trouble has its row taken away as soon as that answers again.
    """

    async def leave() -> None:
        async with door.db.write() as tx:
            await tx.execute(delete(Begun).where(Begun.id == row_id))

    async def later() -> None:
        until = time.monotonic() + WORKS.total_seconds()
        while time.monotonic() < until:
            await asyncio.sleep(PAUSE)
            with suppress(StorageTrouble):
                await leave()
                return

    try:
        await leave()
    except StorageTrouble:
        task = asyncio.create_task(later())
        _leaving.add(task)
        task.add_done_callback(_leaving.discard)
        raise


async def _taken(door: Door, caller: Caller, row_id: UUID, name: bytes, said: Said) -> str | None:
    """Take the key for this call, or the answer that is there; raises KeyReused, and TooBusy when none comes."""
    for look in range(LOOKS):
        async with door.db.write() as tx:
            over = (Begun.key == name, Begun.at <= caller.now - KNOWN)
            await tx.execute(delete(Begun).where(*over))
            values = {"id": row_id, "key": name, "at": caller.now, "said": _sealed(door, row_id, said)}
            if caller.who:
                values["account_id"] = caller.who.account_id
            new = insert_into(tx, Begun).values(**values).on_conflict_do_nothing()
            if await tx.scalar(new.returning(Begun.id)) is not None:
                return None
            there = await tx.scalar(select(Begun).where(Begun.key == name))
            if there is not None:
                earlier = _opened(door, there)
                if earlier is None or (not earlier.answer and there.at <= caller.now - WORKS):
                    await tx.execute(delete(Begun).where(Begun.id == there.id))
                elif earlier.body != said.body:
                    raise KeyReused
                elif earlier.answer:
                    return earlier.answer
        await asyncio.sleep(PAUSE if look else 0)
    raise TooBusy(AT_WORK, retry_after=2)


def _sealed(door: Door, row_id: UUID, said: Said) -> bytes:
    return door.kit.keys.seal("begun_calls.said", row_id, msgspec.json.encode(said).decode())


def _opened(door: Door, row: Begun) -> Said | None:
    """What was said; nothing when its key was given up meanwhile."""
    try:
        return msgspec.json.decode(door.kit.keys.open("begun_calls.said", row.id, row.said), type=Said)
    except Unreadable:
        return None
