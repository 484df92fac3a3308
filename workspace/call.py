"""One call of a page, by somebody who may make it: what every handler of the workspace is given (rules 616, 801)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

from litestar.di import NamedDependency
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import Database
from backend.devices.models import Session
from backend.hanging_up import has_hung_up
from backend.kit import Kit
from backend.openness import Openness
from backend.outside.clock import Clock
from backend.roles import authority
from backend.roles.authority import Authority
from backend.statements import Question, given
from workspace.auth import SAFE, SignedOut, Visit
from workspace.clerk import clerk_of
from workspace.manager import RIGHTS, AtDesk, Manager, manager_of, operator_of
from workspace.officer import Officer, officer_of


class Lives(NamedTuple):
    """A session that has not ended."""

    id: UUID


Who_co = TypeVar("Who_co", bound=Manager | AtDesk | Officer, covariant=True)
LIVES = Question(
    Lives, select(Session.id).where(Session.id == given("session", Session.id), Session.ended_at.is_(None))
)
WHO = {
    Openness.MANAGER: manager_of,
    Openness.ROOT: operator_of,
    Openness.CLERK: clerk_of,
    Openness.BROWSER: officer_of,
}


class Call(Generic[Who_co]):
    """The request, who makes it, and what it is answered from."""

    __slots__ = ("clock", "db", "kit", "request", "who")

    def __init__(self, request: Visit, who: Who_co, db: Database, kit: Kit, clock: Clock) -> None:
        self.request, self.who, self.db, self.kit, self.clock = request, who, db, kit, clock

    @property
    def path(self) -> str:
        """The address that was asked for, without its question."""
        return self.request.url.path

    @asynccontextmanager
    async def read(self, *, goes_on: bool = False) -> AsyncIterator[AsyncSession]:
        """A session for questions that knows what the door has just asked: what this person may do.

        Not after something was changed, which may have been that; `goes_on` to where the right is asked once more.
        """
        who: Authority | None = self.request.scope["state"].get(RIGHTS)
        async with self.db.read() as tx:
            if who is not None and (goes_on or self.request.method in SAFE):
                authority.remember(tx, who)
            yield tx

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncSession]:
        """One transaction of whoever still sits there when it is over: a session that ended while the call waited for
        its turn, or for a row, changes nothing. Raises SignedOut.
        """
        async with self.db.write() as tx:
            yield tx
            await self._ensure_there(tx)

    @asynccontextmanager
    async def part(self) -> AsyncIterator[AsyncSession]:
        """A session for the next part of a long answer: for whoever still sits there, and by the rights of now.

        Raises SignedOut: a session that has ended meanwhile is given no further part.
        """
        async with self.db.read() as tx:
            await self._ensure_there(tx)
            yield tx

    async def _ensure_there(self, tx: AsyncSession) -> None:
        if self.request.user is None or not await LIVES.all(tx, session=self.request.user.session_id):
            raise SignedOut

    async def is_given_up(self) -> bool:
        """Whether nobody waits for the answer any more; of a call without a body, before a long part of it."""
        return await has_hung_up(self.request.receive)

    def now(self) -> datetime:
        """What the product's clock says at this moment."""
        return self.clock.now()


async def call_of(
    request: Visit,
    db: NamedDependency[Database],
    kit: NamedDependency[Kit],
    clock: NamedDependency[Clock],
) -> Call[Any]:
    """The dependency behind every page: who may be here is what the handler itself says (its `open_to`)."""
    who = await WHO[request.route_handler.opt["open_to"]](request, db, kit, clock)
    return Call(request, who, db, kit, clock)
