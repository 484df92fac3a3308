"""Takes the journal's head out of the house: into a file that the operator names, and into the log (case A07).

Whoever has the database alone can put an old head row back and take away what came after it. A head that is already
elsewhere, on a disk or a log server that the database's administrator cannot write to, tells of it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import structlog

from backend.chain import Mark
from backend.db import Database
from backend.journal import Journal

EVERY = 60.0  # seconds: what is younger than the last head outside can still be cut unseen
TAIL = 400  # bytes: more than a line has
log = structlog.get_logger("journal")


class Heads:
    """Knows which head left last; `file` is the operator's, nothing where none is named."""

    def __init__(self, db: Database, journal: Journal, file: str) -> None:
        self._db, self._journal = db, journal
        self._file = Path(file) if file else None
        self._last: Mark | None = None

    async def keep(self, *, told: bool = False) -> None:
        """Append the head to the file unless it stands there; `told`: say it in the log as well."""
        async with self._db.read() as tx:
            mark = await self._journal.mark(tx)
        if mark is None or mark == self._last:
            return
        if told:
            log.info("journal_head", head=str(mark))
        if self._file is not None:
            await asyncio.to_thread(_append, self._file, str(mark))
        self._last = mark


@asynccontextmanager
async def leaving(heads: Heads, every: float = EVERY) -> AsyncIterator[None]:
    """Let heads leave from now on and once more at the end; a full disk stops nobody, the log says so."""
    task = asyncio.create_task(_each(heads, every))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        await _kept(heads)


async def _each(heads: Heads, every: float) -> None:
    while True:
        await _kept(heads)
        await asyncio.sleep(every)


async def _kept(heads: Heads) -> None:
    try:
        await heads.keep(told=True)
    except Exception as error:  # noqa: BLE001 - a database or a disk that is away comes back
        log.warning("journal_head_not_kept", kind=type(error).__name__)


def _append(file: Path, head: str) -> None:
    with os.fdopen(os.open(file, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600), "r+b") as out:
        out.seek(max(0, out.seek(0, os.SEEK_END) - TAIL))
        if out.read().decode(errors="replace").split()[-1:] == [head]:
            return  # another process of ours was here
        out.write(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ} {head}\n".encode())
        out.flush()
        os.fsync(out.fileno())
