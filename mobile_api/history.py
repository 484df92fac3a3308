"""Who tried to get in: `/v1/me/access-history` (rule 143)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from backend import paging
from backend.accounts.self import history
from backend.caller import Who
from backend.db import Database
from backend.kit import Kit
from backend.openness import Openness
from backend.outside.clock import Clock
from mobile_api import schemas_self as schemas
from mobile_api.answers import told

Cursor = Annotated[str | None, QueryParameter(max_length=300)]


class HistoryController(Controller):
    """Sign-ins and failed tries, with device and coarse place."""

    path = "/me/access-history"
    tags = ["me"]
    opt = {"open_to": Openness.SESSION}

    @get(operation_id="listAccessHistory", summary="Lịch sử truy cập · Access history")
    async def mine(
        self,
        request: Request[Who, Any, Any],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
        cursor: Cursor = None,
    ) -> schemas.AccessList:
        """Newest first, failures included; kept for a year."""
        async with db.read() as tx:
            found = await history.newest(
                tx,
                kit.limits,
                request.user.account_id,
                now=clock.now(),
                after=_position(cursor) if cursor else None,
                most=history.MOST + 1,
            )
        shown, more = paging.cut(found, history.MOST)
        onward = paging.cursor_of(f"{shown[-1].at.isoformat()}|{shown[-1].id}") if more else None
        return schemas.AccessList([told(schemas.AccessOut, line) for line in shown], onward)


def _position(cursor: str) -> history.Position:
    at, _, line = paging.place_of(cursor).partition("|")
    try:
        return paging.moment_of(at), UUID(line)
    except ValueError as error:
        raise paging.CursorInvalid from error
