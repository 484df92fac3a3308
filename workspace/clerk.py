"""Who works at a desk: read from the database at every request, as managers are (rule 616)."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers
from backend.accounts.ways_in.browser import BrowserSession
from backend.db import Database
from backend.kit import Kit
from backend.outside.clock import Clock
from backend.support import desks
from backend.support.cases import Clerk
from workspace.auth import SignedOut, Visit, rights_of
from workspace.forms import keep_written
from workspace.manager import AtDesk, Manager


async def clerk_of(request: Visit, db: Database, kit: Kit, clock: Clock) -> AtDesk:
    """Who is behind the desk's pages: raises NotAtADesk, for managers too who are no staff."""
    session: BrowserSession | None = request.user
    if session is None:
        raise SignedOut
    who = await rights_of(request, session, db, kit, clock)
    if who.speaks:
        request.scope["state"]["manager"] = Manager.of(session, who)
    if not who.desks:
        await keep_written(request)
        raise desks.NotAtADesk
    clerk = AtDesk.of(session, who)
    request.scope["state"]["clerk"] = clerk
    return clerk


async def clerk_in(tx: AsyncSession, kit: Kit, clerk: AtDesk) -> Clerk:
    """The same person for a use case, the right read anew in its transaction."""
    return Clerk(clerk.account_id, await numbers.blinds_of(tx, kit, clerk.account_id))
