"""Says "look again" to open pages; the page then asks for itself by its normal, guarded way (rules 616, 618).

Nothing personal travels here, and losing a message costs nothing: coming back always looks again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID
from weakref import WeakSet

from litestar import get
from litestar.di import NamedDependency
from litestar.response import Stream

from backend.accounts.ways_in import browser
from backend.accounts.ways_in.browser import BrowserSession
from backend.db import Database
from backend.errors import TooMany
from backend.kit import Kit
from backend.openness import Openness
from backend.outbox.bell import REQUESTS, Bell, Listener
from backend.outside.clock import Clock
from backend.roles import authority
from backend.roles.authority import Authority
from workspace.auth import SignedOut, Visit
from workspace.manager import Manager

HEARTBEAT = 15.0
PAUSE = 0.5  # many changes in a row make pages look twice a second at most
SPREAD = 0.4  # pages that hear the same look within these seconds, each at a moment of its own
MOST = 8  # open pages of one session that are told; each keeps a connection and asks the database (rule 805)
LOOK = b"id: 1\nevent: look\ndata:\n\n"
HELLO = b"id: 1\n\n"
STILL_HERE = b": still here\n\n"
SIGNED_OUT = b"event: signed-out\ndata:\n\n"


class TooManyStreams(TooMany):
    """The session has as many live pages as it may; the others are right whenever they are loaded again."""

    code = "too_many_streams"
    title = "Bạn mở quá nhiều trang cùng lúc, vui lòng đóng bớt"


class Place:
    """One open stream; it is given back when nobody holds it any more, begun or not."""

    def __init__(self, session_id: UUID) -> None:
        self.session_id = session_id


class Streams:
    """The open streams of this process."""

    def __init__(self) -> None:
        self._open: WeakSet[Place] = WeakSet()

    def enter(self, session_id: UUID) -> Place:
        """A place for one more; raises TooManyStreams."""
        if sum(place.session_id == session_id for place in self._open) >= MOST:
            raise TooManyStreams(retry_after=60)
        place = Place(session_id)
        self._open.add(place)
        return place

    def leave(self, place: Place) -> None:
        """The stream is over."""
        self._open.discard(place)


@get("/events", name="workspace.events", open_to=Openness.MANAGER)
async def events(
    request: Visit,
    manager: NamedDependency[Manager],  # noqa: ARG001 - asked for, so that only who may see the page may listen
    db: NamedDependency[Database],
    kit: NamedDependency[Kit],
    bell: NamedDependency[Bell],
    clock: NamedDependency[Clock],
    streams: NamedDependency[Streams],
) -> Stream:
    """The stream of one open page; it ends with the session, and with the right to see the page."""
    session = request.user
    if session is None:
        raise SignedOut
    place = streams.enter(session.session_id)
    missed = "last-event-id" in request.headers
    states = "states" in request.query_params
    looks = _looks(streams, place, db, kit, bell, clock, session, missed=missed, states=states)
    return Stream(looks, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _looks(
    streams: Streams,
    place: Place,
    db: Database,
    kit: Kit,
    bell: Bell,
    clock: Clock,
    session: BrowserSession,
    *,
    missed: bool,
    states: bool,
) -> AsyncIterator[bytes]:
    try:
        with bell.listener() as listener:
            yield LOOK if missed else HELLO
            who = await _authority(db, kit, clock, session.account_id)
            while True:
                heard = await _heard(listener, who, states=states)
                if heard:
                    await asyncio.sleep(SPREAD * (session.session_id.int % 100) / 100)
                if not await browser.is_live(db, session, clock.now()):
                    yield SIGNED_OUT
                    return
                who = await _authority(db, kit, clock, session.account_id)
                yield LOOK if heard or not who.speaks else STILL_HERE
                if not who.speaks:
                    return
                await asyncio.sleep(PAUSE)
    finally:
        streams.leave(place)


async def _heard(listener: Listener, who: Authority, *, states: bool) -> bool:
    """Whether something about the person's units changed before the next sign of life is due."""
    loop = asyncio.get_running_loop()
    until = loop.time() + HEARTBEAT
    while (left := until - loop.time()) > 0:
        if any(concerns(topic, who, states=states) for topic in await listener.wait(left)):
            return True
    return False


def concerns(topic: str, who: Authority, *, states: bool) -> bool:
    """A request at or below a unit of the person's or a lent one; how far systems are, if the page shows it."""
    name, _, path = topic.partition(":")
    if name != REQUESTS:
        return states
    return not path or who.stands_over(path) or any(path.startswith(lent.path) for lent in who.lent)


async def _authority(db: Database, kit: Kit, clock: Clock, account_id: UUID) -> Authority:
    async with db.read() as tx:
        return await authority.of(tx, kit, account_id, now=clock.now())
