"""The people of a manager's units: who has which role, and one person with everything (rule 820)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.ways_in import forms_left
from backend.kit import Kit
from backend.openness import Openness
from backend.roles import person, queue
from backend.roles.catalogue.in_force import in_force
from backend.roles.narrowed import Narrowed
from backend.roles.views import Page, PersonRow
from workspace import forms
from workspace.call import Call
from workspace.manager import Manager
from workspace.pages import page

PAGE, CHOICES = 25, 200  # lines of a page; units to choose from
LONGEST = 100  # letters of what is typed
HERE = "/workspace/people"
STATES = ("active", "suspended", "scheduled", "ended")
State = Literal["", "active", "suspended", "scheduled", "ended"]


class Filters(msgspec.Struct, frozen=True):
    """Who is looked for, as it stands in an address: what was typed is kept, and found again by `found`."""

    unit: str = ""
    position: str = ""
    state: State = ""
    found: str = ""
    cursor: str = ""

    @property
    def query(self) -> str:
        """The same as the end of an address."""
        return forms.query_of(self)


class Search(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was typed and chosen."""

    q: str = ""
    unit: str = ""
    position: str = ""
    state: State = ""


class PeopleController(Controller):
    """The list, and one of it. What a manager begins for somebody: moves.py; what is done at once: acting.py."""

    path = "/people"
    opt = {"open_to": Openness.MANAGER}

    @get(name="workspace.people")
    async def show(self, call: NamedDependency[Call[Manager]]) -> Response[str]:
        """Everybody with a role in the manager's units, or who of them was looked for."""
        filters, now = forms.query(call.request, Filters), call.now()
        narrowed = Narrowed(filters.unit, filters.position, filters.state)
        async with call.read() as tx:
            q = await _typed(tx, call.kit, filters.found, call.who, now) if filters.found else ""
            found = Page[PersonRow]([], None)
            if q is not None:
                found = await queue.people(
                    tx,
                    call.kit,
                    call.who.account_id,
                    now=now,
                    narrowed=narrowed,
                    q=q or None,
                    cursor=filters.cursor or None,
                    most=PAGE,
                )
            units = await queue.choices(tx, call.kit, call.who.account_id, now=now, most=CHOICES)
            posts = (await in_force(tx)).positions.values()
        return page(
            call.request,
            "people.html",
            here=f"{HERE}{filters.query}",
            people=found.items,
            next_cursor=found.next_cursor,
            filters=filters,
            q=q or "",
            forgotten=q is None,
            units=units,
            positions=posts,
            states=STATES,
        )

    @post(name="workspace.people_found")
    async def find(self, call: NamedDependency[Call[Manager]]) -> Redirect:
        """No name and no number in an address: what was typed is kept, sealed, for this person and some minutes."""
        typed = await forms.read(call.request, Search)
        filters = Filters(typed.unit, typed.position, typed.state)
        if q := typed.q.strip():
            left = forms_left.Left(HERE, q[:LONGEST])
            async with call.write() as tx:
                kept = await forms_left.keep(tx, call.kit, call.who.account_id, left, now=call.now())
            filters = msgspec.structs.replace(filters, found=str(kept))
        return Redirect(f"{HERE}{filters.query}", status_code=303)

    @get("/{account_id:uuid}", name="workspace.person")
    async def one(self, call: NamedDependency[Call[Manager]], account_id: FromPath[UUID]) -> Response[str]:
        """Every role with what was asked and decided, and what may be done."""
        place = forms.query(call.request, person.Place)
        async with call.read() as tx:
            found = await person.person(
                tx, call.kit, account_id, call.who.account_id, now=call.now(), place=place
            )
        return page(call.request, "person.html", person=found)


async def _typed(tx: AsyncSession, kit: Kit, found: str, manager: Manager, now: datetime) -> str | None:
    """What this person had typed; nothing once its minutes are over, and for anybody else."""
    try:
        return await forms_left.left_by(tx, kit, UUID(found), manager.account_id, page=HERE, now=now)
    except ValueError:
        return None
