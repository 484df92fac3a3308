"""Who the signed-in person is here: the units managed, asked of the database each time (rule 616)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from litestar import Response
from litestar.response import Redirect

from backend.accounts.ways_in.browser import BrowserSession
from backend.db import Database
from backend.errors import Forbidden, NotFound
from backend.kit import Kit
from backend.outside.clock import Clock
from backend.roles import rights
from backend.roles.authority import Authority, Post
from backend.support.models import Desk
from workspace.auth import SignedOut, Visit, rights_of
from workspace.forms import keep_written
from workspace.pages import page, with_choices

FIRST_PAGE = ("/workspace", "/workspace/")
RIGHTS = "rights"  # what the door has asked, for the rest of the call


class NothingManaged(Forbidden):
    """The person is known, and manages no unit; `askable` names the units whose managers can change that."""

    code = "nothing_managed"
    title = "Bạn chưa phụ trách đơn vị nào"


class DeskInstead(Forbidden):
    """Whoever works at a desk and manages no unit has another first page."""

    code = "desk_instead"
    title = "Bạn làm việc ở đầu mối hỗ trợ"


class OwnInstead(Forbidden):
    """Whoever manages nothing has the page of their own roles for a first page (case R24)."""

    code = "own_instead"
    title = "Trang của bạn là Vai trò của tôi"


class Manager(msgspec.Struct, frozen=True):
    """Somebody who decides, and for which units at this moment."""

    account_id: UUID
    name: str
    units: list[Post]  # none of a delegate, who decides what is lent and sees nothing else
    level: int  # of the sign-in at this browser
    authenticated_at: datetime

    @property
    def operates(self) -> bool:
        """Whether the person manages a root (rule 641)."""
        return any(post.is_root for post in self.units)

    @classmethod
    def of(cls, session: BrowserSession, who: Authority) -> Manager:
        """Whoever has this session, with the units that the database has just named."""
        return cls(session.account_id, session.full_name, who.units, session.level, session.authenticated_at)


class AtDesk(msgspec.Struct, frozen=True):
    """Somebody at the desk's pages, and which desks are theirs at this moment."""

    account_id: UUID
    name: str
    desks: list[Desk]
    authenticated_at: datetime

    @classmethod
    def of(cls, session: BrowserSession, who: Authority) -> AtDesk:
        """Whoever has this session, with the desks that the database has just named."""
        return cls(session.account_id, session.full_name, list(who.desks), session.authenticated_at)


async def manager_of(request: Visit, db: Database, kit: Kit, clock: Clock) -> Manager:
    """Who is behind a manager's pages: raises NothingManaged, DeskInstead, OwnInstead."""
    session: BrowserSession | None = request.user
    if session is None:
        raise SignedOut
    who = await rights_of(request, session, db, kit, clock)
    if who.desks and not who.speaks and request.url.path in FIRST_PAGE:
        raise DeskInstead
    if not who.speaks and request.method == "GET" and request.url.path in FIRST_PAGE:
        raise OwnInstead
    if not who.speaks:
        await keep_written(request)
        async with db.read() as tx:
            raise NothingManaged(askable=await rights.askable(tx, kit, who))
    manager = Manager.of(session, who)
    request.scope["state"]["manager"], request.scope["state"][RIGHTS] = manager, who
    if who.desks:  # the way to the desk's pages stands in the header
        request.scope["state"]["clerk"] = AtDesk.of(session, who)
    return manager


async def operator_of(request: Visit, db: Database, kit: Kit, clock: Clock) -> Manager:
    """Who is behind an operator's pages; to everybody else they are not there: raises NotFound."""
    try:
        manager = await manager_of(request, db, kit, clock)
    except NothingManaged as refusal:
        raise NotFound from refusal
    if not manager.operates:
        raise NotFound
    return manager


def nothing_managed(request: Visit, refusal: NothingManaged) -> Response[str]:
    """The 403 page that says whom to ask (rule 820)."""
    return page(
        request, "no_right.html", refusal=refusal, askable=refusal.facts["askable"], here="/workspace"
    )


def to_the_desk(visit: Visit, _: DeskInstead) -> Redirect:
    """From the first page of the workspace to the desk's."""
    return Redirect(with_choices("/workspace/support", visit), status_code=303)


def to_ones_own(visit: Visit, _: OwnInstead) -> Redirect:
    """From the first page of the workspace to one's own roles."""
    return Redirect(with_choices("/workspace/me", visit), status_code=303)
