"""Whoever is signed in, as the holder of their own roles; managing something or not (case R24)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from litestar.di import NamedDependency

from backend.accounts.ways_in.browser import BrowserSession
from backend.db import Database
from backend.kit import Kit
from backend.outside.clock import Clock
from backend.roles import authority
from workspace.auth import SignedOut, Visit
from workspace.manager import AtDesk, Manager


class Officer(msgspec.Struct, frozen=True):
    """Somebody at a browser who asks for themselves."""

    account_id: UUID
    name: str
    level: int  # of the sign-in at this browser
    authenticated_at: datetime
    session_id: UUID


async def officer_of(
    request: Visit,
    db: NamedDependency[Database],
    kit: NamedDependency[Kit],
    clock: NamedDependency[Clock],
) -> Officer:
    """The dependency behind the pages of one's own roles; what else is theirs stands in the header."""
    session: BrowserSession | None = request.user
    if session is None:
        raise SignedOut
    async with db.read() as tx:
        who = await authority.of(tx, kit, session.account_id, now=clock.now())
    officer = Officer(
        session.account_id, session.full_name, session.level, session.authenticated_at, session.session_id
    )
    state = request.scope["state"]
    state["officer"] = officer
    if who.speaks:
        state["manager"] = Manager.of(session, who)
    if who.desks:
        state["clerk"] = AtDesk.of(session, who)
    return officer
