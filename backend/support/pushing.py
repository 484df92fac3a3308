"""What people are told about their roles is pushed too, once it stands (cases R08, D06).

A notice says from when it stands, written with the act itself: a word that is taken back before takes its push along,
and no crash forgets one. The push names nobody; what it is about is read in the app.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from sqlalchemy import select, update

from backend.db import Database
from backend.kit import Kit
from backend.outside.clock import Clock
from backend.rounds import rounds
from backend.support import notices
from backend.support.models import Notice
from backend.watch import Watch

LOOK = 2.0  # seconds between two looks
NEWS = timedelta(days=1)  # nobody is pushed what was told longer ago
AT_ONCE = 50


class Pushing:
    """Sends what is due; any number of processes may do so beside each other."""

    def __init__(self, db: Database, kit: Kit, clock: Clock) -> None:
        self._db, self._kit, self._clock = db, kit, clock
        self._watch = Watch(db)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`; where nobody has written since nothing was owed, nobody is asked."""
        seen: int | None = None

        async def look() -> None:
            nonlocal seen
            version = self._watch.version()
            if version is None or version != seen:
                seen = None if await self.round() else version

        await rounds(stop, LOOK, look)
        self._watch.close()

    async def round(self) -> bool:
        """Everything that is due now; whether anything is owed, now or later."""
        now, window = self._clock.now(), timedelta(seconds=self._kit.limits.undo_window)
        due = select(Notice.id).where(Notice.push_at <= now).order_by(Notice.push_at).limit(AT_ONCE)
        owed = select(Notice.id).where(Notice.push_at.is_not(None)).limit(1)
        while True:
            async with self._db.read() as tx:
                ids = list(await tx.scalars(due))
                if not ids:
                    return await tx.scalar(owed) is not None
            async with self._db.write() as tx:
                taken = update(Notice).where(Notice.id.in_(ids), Notice.push_at.is_not(None))
                sent = taken.values(push_at=None).returning(Notice.account_id, Notice.kind, Notice.at)
                for row in (await tx.execute(sent)).all():
                    if self._kit.phones is not None and row.account_id and row.at > now - NEWS:
                        title = notices.title_of(row.kind)
                        acted = row.at - window  # whom the act signs out hears of it too
                        self._kit.phones.tell_after(tx, row.account_id, row.kind, title, now=acted)
