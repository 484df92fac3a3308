"""The units below a manager's own, and one of them (rules 613, 820)."""

from __future__ import annotations

import msgspec
from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from backend.openness import Openness
from backend.roles import unit_pages, unit_search
from workspace import forms
from workspace.call import Call
from workspace.manager import Manager
from workspace.pages import page


class Place(msgspec.Struct, frozen=True):
    """Where in the tree, by which words, and from where on."""

    below: str = ""
    q: str = ""
    cursor: str = ""


class UnitsController(Controller):
    """The tree, two levels at a time, and a unit's page."""

    path = "/units"
    opt = {"open_to": Openness.MANAGER}

    @get(name="workspace.units")
    async def show(self, call: NamedDependency[Call[Manager]]) -> Response[str]:
        """The manager's units and what stands below them."""
        place, now = forms.query(call.request, Place), call.now()
        async with call.read() as tx:
            branch = await unit_pages.tree(
                tx,
                call.kit,
                call.who.account_id,
                below=place.below,
                q=place.q.strip(),
                cursor=place.cursor,
                now=now,
            )
        return page(
            call.request, "units.html", branch=branch, q=place.q.strip(), longest=unit_search.Q_LONGEST
        )

    @get("/{code:path}", name="workspace.unit")
    async def one(self, call: NamedDependency[Call[Manager]], code: FromPath[str]) -> Response[str]:
        """Who is in charge, who works there, what it was called."""
        place = forms.query(call.request, Place)
        async with call.read() as tx:
            found = await unit_pages.one(
                tx, call.kit, code.strip("/"), call.who.account_id, now=call.now(), cursor=place.cursor
            )
        return page(call.request, "unit.html", unit=found)
