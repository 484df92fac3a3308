"""One's own roles in a browser: what one has, asks for and takes back, as on the phone (case R24; source 003)."""

from __future__ import annotations

from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from backend.accounts.ways_in.assurance import InsufficientAssurance
from backend.db import Database
from backend.errors import settle
from backend.kit import Kit
from backend.openness import Openness
from backend.outside.clock import Clock
from backend.roles import own, policy, progress, requests
from backend.roles.catalogue.in_force import in_force
from workspace import forms, fresh
from workspace.auth import Visit
from workspace.officer import Officer
from workspace.pages import page

HOME = "/workspace/me"
SHOWN = 20


class Place(msgspec.Struct, frozen=True):
    """Where in the list."""

    cursor: str = ""


class MeController(Controller):
    """What one holds, and each request of one's own."""

    path = "/me"
    opt = {"open_to": Openness.BROWSER}

    @get(name="workspace.me")
    async def show(
        self,
        request: Visit,
        officer: NamedDependency[Officer],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """Roles with what may be done, and the newest requests with their steps."""
        cursor = forms.query(request, Place).cursor or None
        async with db.read() as tx:
            roles = await own.roles_of(tx, kit, officer.account_id)
            asked = await own.mine(tx, kit, officer.account_id, now=clock.now(), cursor=cursor, most=SHOWN)
            waits = await requests.open_of(tx, officer.account_id)
            catalogue = await in_force(tx)
        held = [role for role in roles if role.state in policy.HELD]
        return page(
            request,
            "me.html",
            roles=roles,
            asked=asked.items,
            next_cursor=asked.next_cursor,
            waits=waits,
            homes={role.id for role in roles if role.kind == "home"},
            may_register=not held and waits is None,
            is_lent=any(role.resumes_on for role in held),
            catalogue=catalogue,
        )

    @get("/requests/{request_id:uuid}", name="workspace.my_request")
    async def one(
        self,
        request: Visit,
        request_id: FromPath[UUID],
        officer: NamedDependency[Officer],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """Who holds it, what was said, and in which systems it is in force."""
        async with db.read() as tx:
            mine = await own.one_of_mine(tx, kit, request_id, officer.account_id, now=clock.now())
            found, catalogue = await progress.detailed(tx, kit, mine), await in_force(tx)
        is_fresh = found.settled_at is not None and found.settled_at > clock.now()
        return page(request, "me_request.html", asked=found, catalogue=catalogue, is_fresh=is_fresh)

    @post("/requests/{request_id:uuid}/withdraw", name="workspace.my_withdraw")
    async def withdraw(
        self,
        request: Visit,
        request_id: FromPath[UUID],
        officer: NamedDependency[Officer],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str] | Redirect:
        """Take it back; what a manager began for another wants a sign-in of today."""
        form, back = await forms.read(request, forms.NoFields), f"{HOME}/requests/{request_id}"
        try:
            async with db.write() as tx:
                outcome = await requests.withdraw(
                    tx,
                    kit,
                    request_id,
                    by=officer.account_id,
                    level=officer.level,
                    authenticated_at=officer.authenticated_at,
                    now=clock.now(),
                )
        except InsufficientAssurance:
            if ask := await fresh.wanted(request, db, kit, clock, officer, form, back=back):
                return ask
            raise
        settle(outcome)
        return Redirect(back, status_code=303)
