"""What became of many requests that got one word: told on a page of its own, and taken back together (case W03)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from backend import flows
from backend.caller import Caller
from backend.kit import Kit


class Result(msgspec.Struct, frozen=True):
    """What became of one of many: why it was held back, if it was."""

    id: UUID
    name: str
    refusal: str | None
    digits: str = ""


class Batch(msgspec.Struct, frozen=True):
    """One press: the word (or `undone`), each result, and until when all of it can be taken back."""

    word: str
    results: list[Result]
    undo_until: datetime | None

    @property
    def done(self) -> list[Result]:
        """Those that the word reached."""
        return [result for result in self.results if result.refusal is None]


BATCH = flows.Kind("batch", Batch)


async def keep(tx: AsyncSession, kit: Kit, account_id: UUID, batch: Batch, *, now: datetime) -> UUID:
    """Where its page finds it again, for the same person, for some minutes."""
    return (await BATCH.start(tx, kit, Caller(now), "done", batch, account_id=account_id)).id


async def batch_of(tx: AsyncSession, kit: Kit, batch_id: UUID, account_id: UUID, *, now: datetime) -> Batch:
    """What this person's press did; raises FlowNotFound for anybody else, or when its time is over."""
    flow = await BATCH.find(tx, kit, batch_id, Caller(now))
    if flow.row.account_id != account_id:
        raise flows.FlowNotFound
    return flow.data
