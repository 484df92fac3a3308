"""One's own roles in a browser: what one has, asks for and takes back, as on the phone (case R24; source 003)."""

from __future__ import annotations

from datetime import date
from functools import partial
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from backend.accounts.ways_in.assurance import InsufficientAssurance
from backend.errors import settle
from backend.openness import Openness
from backend.outside.clock import local_day
from backend.roles import own, policy, posts, progress, requests
from backend.roles.catalogue.in_force import in_force
from backend.roles.views import OwnRequest
from workspace import forms, fresh
from workspace.call import Call
from workspace.officer import Officer
from workspace.pages import page

HOME = "/workspace/me"
SHOWN = 20


class Place(msgspec.Struct, frozen=True):
    """Where in each list."""

    cursor: str = ""
    roles: str = ""


class MeController(Controller):
    """What one holds, and each request of one's own."""

    path = "/me"
    opt = {"open_to": Openness.BROWSER}

    @get(name="workspace.me")
    async def show(self, call: NamedDependency[Call[Officer]]) -> Response[str]:
        """Roles with what may be done, and the newest requests with their steps."""
        place = forms.query(call.request, Place)
        async with call.db.read() as tx:
            roles = await posts.roles_of(
                tx, call.kit, call.who.account_id, cursor=place.roles or None, most=SHOWN
            )
            asked = await own.mine(
                tx, call.kit, call.who.account_id, now=call.now(), cursor=place.cursor or None, most=SHOWN
            )
            waits = await requests.open_of(tx, call.who.account_id)
            catalogue = await in_force(tx)
            elsewhere = bool(place.roles) and await own.holds_role(tx, call.who.account_id)
        held = [role for role in roles.items if role.state in policy.HELD]
        return page(
            call.request,
            "me.html",
            roles=roles.items,
            older_roles=roles.next_cursor,
            asked=asked.items,
            next_cursor=asked.next_cursor,
            waits=waits,
            homes={role.id for role in roles.items if role.kind == "home"},
            may_register=not held and not elsewhere and waits is None,
            planned_on=partial(_planned_on, today=local_day(call.now())),
            is_lent=any(role.resumes_on for role in held),
            catalogue=catalogue,
        )

    @get("/requests/{request_id:uuid}", name="workspace.my_request")
    async def one(self, call: NamedDependency[Call[Officer]], request_id: FromPath[UUID]) -> Response[str]:
        """Who holds it, what was said, and in which systems it is in force."""
        async with call.db.read() as tx:
            mine = await own.one_of_mine(tx, call.kit, request_id, call.who.account_id, now=call.now())
            found, catalogue = await progress.detailed(tx, call.kit, mine), await in_force(tx)
        is_fresh = found.settled_at is not None and found.settled_at > call.now()
        return page(
            call.request,
            "me_request.html",
            asked=found,
            catalogue=catalogue,
            is_fresh=is_fresh,
            planned_on=_planned_on(found, today=local_day(call.now())),
        )

    @post("/requests/{request_id:uuid}/withdraw", name="workspace.my_withdraw")
    async def withdraw(
        self, call: NamedDependency[Call[Officer]], request_id: FromPath[UUID]
    ) -> Response[str] | Redirect:
        """Take it back; what a manager began for another wants a sign-in of today."""
        form, back = await forms.read(call.request, forms.NoFields), f"{HOME}/requests/{request_id}"
        try:
            async with call.write() as tx:
                outcome = await requests.withdraw(
                    tx,
                    call.kit,
                    request_id,
                    by=call.who.account_id,
                    level=call.who.level,
                    authenticated_at=call.who.authenticated_at,
                    now=call.now(),
                )
        except InsufficientAssurance:
            if ask := await fresh.wanted(call, form, back=back):
                return ask
            raise
        settle(outcome)
        return Redirect(back, status_code=303)


def _planned_on(one: OwnRequest, *, today: date) -> date | None:
    """The day to come for which it is granted: until then it is no role (rule 630)."""
    is_planned = one.status == policy.APPROVED and one.effective_on is not None and one.effective_on > today
    return one.effective_on if is_planned else None
