"""Brings the journal's rows to the walk that proves the chain, as the driver gives them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select, type_coerce
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.types import NullType

from backend.chain import Walk, Witness
from backend.db import Base

AT_ONCE = 2000  # entries that are read at once
LENGTH_OF_A_TIME = 26  # as SQLite keeps one
AS_IT_IS = NullType()
Progress = Callable[[int, int], None]  # how many there are, how many were seen


class Heard(NamedTuple):
    """What a witness hears of an entry."""

    tag: str
    subject: object
    fact: str


async def walked(
    tx: AsyncSession,
    walk: Walk,
    *,
    witness: Witness | None = None,
    progress: Callable[[int], None] | None = None,
) -> str | None:
    """Take a walk on from where it stands to the newest entry; the first trouble ends it.

    Rows are read as the driver gives them: objects for times and persons would cost more than the chain.
    """
    told = witness.tags if witness else frozenset()
    is_sqlite = tx.get_bind().dialect.name == "sqlite"
    plain = _of_sqlite if is_sqlite else _of_postgres
    journal = Base.metadata.tables["journal"]
    columns = [type_coerce(column, AS_IT_IS) for column in journal.c]
    rows = select(*columns).where(journal.c.seq > walk.count).order_by(journal.c.seq)
    stream = await tx.stream(rows.execution_options(yield_per=AT_ONCE))
    async for some in stream.partitions():
        for row in some:
            seq, at, tag, subject, by, fact, key_id, found = tuple(row)
            at_text, subject_text, by_text = plain(at, subject, by)
            if trouble := walk.step((seq, at_text, tag, subject_text, by_text, fact, key_id, found)):
                return trouble
            if witness is not None and tag in told:
                witness.hear(Heard(tag, subject_text, fact))
        if progress is not None:
            progress(walk.count)
    return None


def _of_sqlite(at: str, subject: str | None, by: str | None) -> tuple[str, str | None, str | None]:
    """A time and two persons as SQLite keeps them, in the form that is linked."""
    if (
        len(at) == LENGTH_OF_A_TIME and at[10] == " "
    ):  # whatever else somebody wrote there is linked by nobody
        rest = "" if at.endswith(".000000") else at[19:]
        at = f"{at[:10]}T{at[11:19]}{rest}+00:00"
    return at, _dashed(subject), _dashed(by)


def _dashed(plain: str | None) -> str | None:
    return plain and f"{plain[:8]}-{plain[8:12]}-{plain[12:16]}-{plain[16:20]}-{plain[20:]}"


def _of_postgres(at: datetime, subject: UUID | None, by: UUID | None) -> tuple[str, UUID | None, UUID | None]:
    """The same of PostgreSQL, whose driver knows both."""
    return at.astimezone(UTC).isoformat(), subject, by
