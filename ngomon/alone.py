"""The sync worker as a process of its own; it sees to the desk's post too, and forgets what is over."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence
from socket import socket

from backend import figures
from backend.crypto import KeyRing
from backend.db import Database
from backend.kit import Kit
from backend.outbox.bell import Bell
from backend.outside.clock import Clock
from backend.roles.reorganising import carrying
from backend.rounds import rounds
from backend.settings import Settings
from backend.support.post import PostRoom
from ngomon import daily
from ngomon.health_port import health
from ngomon.tasks import being_here, forget, last_words, nightly_of, outgoing, worker_of


async def run_worker(settings: Settings, doors: Sequence[socket] = ()) -> None:
    """Deliver until SIGTERM or SIGINT, then finish what is held; these doors tell meanwhile how it is."""
    db, clock = Database(settings.database_url), Clock()
    keys = KeyRing.parse(settings.secret_keys)
    kit = Kit.of(keys, settings.limits, brand=settings.brand, days=settings.days)
    http = outgoing(settings)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        async with health(db, doors), Bell(db) as bell:
            post = PostRoom(db, kit, settings, clock)
            worker = worker_of(db, kit, clock, bell, http)
            nightly = nightly_of(db, kit, clock, http)
            forgetting = forget(db, settings.limits, clock, stop)
            carried = carrying.run(db, kit, clock, stop)
            counting = rounds(stop, figures.KEEP_SECONDS, lambda: figures.keep(db), later=True)
            being = being_here(db, clock, stop)
            days = daily.run(db, kit, clock, post, stop)
            delivering = (worker.run(stop), nightly.run(stop), post.run(stop), days)
            await asyncio.gather(*delivering, carried, forgetting, counting, being)
    finally:
        await last_words(db)
        await http.close()
        await db.close()
