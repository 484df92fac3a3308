"""The people of a manager's units: who has which role, and one person with everything (rule 820)."""

from __future__ import annotations

from uuid import UUID

import msgspec
from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from backend.db import Database
from backend.kit import Kit
from backend.openness import Openness
from backend.outside.clock import Clock
from backend.roles import person, queue
from workspace import forms
from workspace.auth import Visit
from workspace.manager import Manager
from workspace.pages import page

PAGE = 25


class Filters(msgspec.Struct, frozen=True):
    """Who is looked for."""

    q: str = ""
    cursor: str = ""


class PeopleController(Controller):
    """The list, and one of it. What a manager begins for somebody: moves.py; what is done at once: acting.py."""

    path = "/people"
    opt = {"open_to": Openness.MANAGER}

    @get(name="workspace.people")
    async def show(
        self,
        request: Visit,
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """Everybody with a role in the manager's units."""
        filters = forms.query(request, Filters)
        async with db.read() as tx:
            found = await queue.people(
                tx,
                kit,
                manager.account_id,
                now=clock.now(),
                q=filters.q or None,
                cursor=filters.cursor or None,
                most=PAGE,
            )
        return page(
            request, "people.html", people=found.items, next_cursor=found.next_cursor, filters=filters
        )

    @get("/{account_id:uuid}", name="workspace.person")
    async def one(
        self,
        request: Visit,
        account_id: FromPath[UUID],
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """Every role with what was asked and decided, and what may be done."""
        async with db.read() as tx:
            found = await person.person(tx, kit, account_id, manager.account_id, now=clock.now())
        return page(request, "person.html", person=found)
