"""Says "look again" to open pages; the page then asks for itself by its normal, guarded way (security R8).

Nothing personal travels here, and losing a message costs nothing: coming back always looks again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from litestar import Request, get
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.response import Stream

from backend.accounts import browser
from backend.accounts.browser import BrowserSession
from backend.db import Database
from backend.outbox.bell import Bell
from backend.outside.clock import Clock

HEARTBEAT = 15.0
PAUSE = 0.5  # many changes in a row make pages look twice a second at most
LOOK = b"id: 1\nevent: look\ndata:\n\n"
HELLO = b"id: 1\n\n"
STILL_HERE = b": still here\n\n"
SIGNED_OUT = b"event: signed-out\ndata:\n\n"


@get("/events", name="workspace.events")
async def events(
    request: Request[BrowserSession, Any, State],
    db: NamedDependency[Database],
    bell: NamedDependency[Bell],
    clock: NamedDependency[Clock],
) -> Stream:
    """The stream of one open page; it ends with the session."""
    missed = "last-event-id" in request.headers
    stream = _looks(db, bell, clock, request.user, missed=missed)
    return Stream(stream, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _looks(
    db: Database, bell: Bell, clock: Clock, session: BrowserSession, *, missed: bool
) -> AsyncIterator[bytes]:
    with bell.listener() as listener:
        yield LOOK if missed else HELLO
        while True:
            heard = await listener.wait(HEARTBEAT)
            if not await browser.is_live(db, session, clock.now()):
                yield SIGNED_OUT
                return
            yield LOOK if heard else STILL_HERE
            await asyncio.sleep(PAUSE)
