"""Whoever is signed in, as the holder of their own roles; managing something or not (case R24)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from backend.accounts.ways_in.browser import BrowserSession
from backend.db import Database
from backend.kit import Kit
from backend.outside.clock import Clock
from workspace.auth import SignedOut, Visit, rights_of
from workspace.manager import AtDesk, Manager


class Officer(msgspec.Struct, frozen=True):
    """Somebody at a browser who asks for themselves."""

    account_id: UUID
    name: str
    level: int  # of the sign-in at this browser
    authenticated_at: datetime
    session_id: UUID


async def officer_of(request: Visit, db: Database, kit: Kit, clock: Clock) -> Officer:
    """Who is behind the pages of one's own roles; what else is theirs stands in the header."""
    session: BrowserSession | None = request.user
    if session is None:
        raise SignedOut
    who = await rights_of(request, session, db, kit, clock)
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
