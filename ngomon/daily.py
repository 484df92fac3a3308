"""What goes on beside the worker from day to day: reviews of roles, and the mail of the morning (rules 628, 642)."""

from __future__ import annotations

import asyncio

from backend.db import Database
from backend.kit import Kit
from backend.outside.clock import Clock
from backend.roles import morning
from backend.roles.confirming import rolling
from backend.rounds import rounds
from backend.support.post import PostRoom

MINUTE = 60


async def run(db: Database, kit: Kit, clock: Clock, post: PostRoom, stop: asyncio.Event) -> None:
    """Once a minute until `stop`; mails are owed only where they can leave."""

    async def review() -> None:
        await rolling.sweep(db, kit, now=clock.now())

    async def mail() -> None:
        if post.sends:
            await morning.round_(db, kit, now=clock.now())

    await asyncio.gather(rounds(stop, MINUTE, review), rounds(stop, MINUTE, mail))
