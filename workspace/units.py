"""The units below a manager's own, and one of them (rules 613, 820)."""

from __future__ import annotations

import msgspec
from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from backend.db import Database
from backend.kit import Kit
from backend.openness import Openness
from backend.outside.clock import Clock
from backend.roles import unit_pages
from workspace import forms
from workspace.auth import Visit
from workspace.manager import Manager
from workspace.pages import page


class Place(msgspec.Struct, frozen=True):
    """Where in the tree, and from where on."""

    below: str = ""
    cursor: str = ""


class UnitsController(Controller):
    """The tree, two levels at a time, and a unit's page."""

    path = "/units"
    opt = {"open_to": Openness.MANAGER}

    @get(name="workspace.units")
    async def show(
        self,
        request: Visit,
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """The manager's units and what stands below them."""
        place, now = forms.query(request, Place), clock.now()
        async with db.read() as tx:
            branch = await unit_pages.tree(
                tx, kit, manager.account_id, below=place.below, cursor=place.cursor, now=now
            )
        return page(request, "units.html", branch=branch)

    @get("/{code:path}", name="workspace.unit")
    async def one(
        self,
        request: Visit,
        code: FromPath[str],
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """Who is in charge, who works there, what it was called."""
        place = forms.query(request, Place)
        async with db.read() as tx:
            found = await unit_pages.one(
                tx, kit, code.strip("/"), manager.account_id, now=clock.now(), cursor=place.cursor
            )
        return page(request, "unit.html", unit=found)
