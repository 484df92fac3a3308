"""What somebody chooses for this browser, and where else they are signed in (contract: settings)."""

from __future__ import annotations

from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from backend.accounts.ways_in import browser
from backend.devices import sessions
from backend.openness import Openness
from backend.roles import hearing
from workspace import forms
from workspace.auth import SignedOut
from workspace.call import Call
from workspace.manager import Manager
from workspace.pages import page

HERE = "/workspace/settings"


class HearingForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is ticked."""

    push: str = ""
    mail: str = ""


class SettingsController(Controller):
    """One page; what is chosen by a link is remembered by the browser (pages.CHOICES)."""

    path = "/settings"
    opt = {"open_to": Openness.MANAGER}

    @get(name="workspace.settings")
    async def show(self, call: NamedDependency[Call[Manager]]) -> Response[str]:
        """The choices and the sessions, the present one first."""
        if call.request.user is None:
            raise SignedOut
        mine = call.request.user.session_id
        async with call.db.read() as tx:
            found = await browser.sessions_of(tx, call.who.account_id, now=call.now())
            chosen = await hearing.of(tx, call.who.account_id)
        ordered = sorted(found, key=lambda one: one.id != mine)
        return page(call.request, "settings.html", here=HERE, sessions=ordered, mine=mine, chosen=chosen)

    @post("/notices", name="workspace.hearing")
    async def hear(self, call: NamedDependency[Call[Manager]]) -> Redirect:
        """By which ways one hears that something waits; a box that is not ticked is not sent."""
        form = await forms.read(call.request, HearingForm)
        choice = hearing.Choice(by_push=bool(form.push), by_mail=bool(form.mail))
        async with call.write() as tx:
            await hearing.choose(tx, call.who.account_id, choice)
        return Redirect(HERE, status_code=303)

    @post("/sessions/{session_id:uuid}/end", name="workspace.session_end")
    async def end(self, call: NamedDependency[Call[Manager]], session_id: FromPath[UUID]) -> Redirect:
        """End one of one's own; anybody else's does not exist."""
        await forms.read(call.request, forms.NoFields)
        async with call.write() as tx:
            await sessions.end_own(tx, call.kit, call.who.account_id, session_id, now=call.now())
        return Redirect(HERE, status_code=303)
