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
from backend.errors import TooMany
from backend.openness import Openness
from backend.outbox.bell import REQUESTS, Bell, Listener
from backend.roles import authority
from backend.roles.authority import Authority
from workspace.auth import SignedOut
from workspace.call import Call
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
    call: NamedDependency[Call[Manager]],
    bell: NamedDependency[Bell],
    streams: NamedDependency[Streams],
) -> Stream:
    """The stream of one open page; it ends with the session, and with the right to see the page."""
    session = call.request.user
    if session is None:
        raise SignedOut
    place = streams.enter(session.session_id)
    missed = "last-event-id" in call.request.headers
    states = "states" in call.request.query_params
    looks = _looks(call, streams, place, bell, session, missed=missed, states=states)
    return Stream(looks, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _looks(
    call: Call[Manager],
    streams: Streams,
    place: Place,
    bell: Bell,
    session: BrowserSession,
    *,
    missed: bool,
    states: bool,
) -> AsyncIterator[bytes]:
    try:
        with bell.listener() as listener:
            yield LOOK if missed else HELLO
            who = await _authority(call)
            while True:
                heard = await _heard(listener, who, states=states)
                if heard:
                    await asyncio.sleep(SPREAD * (session.session_id.int % 100) / 100)
                if not await browser.is_live(call.db, session, call.now()):
                    yield SIGNED_OUT
                    return
                who = await _authority(call)
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


async def _authority(call: Call[Manager]) -> Authority:
    async with call.db.read() as tx:
        return await authority.of(tx, call.kit, call.who.account_id, now=call.now())
