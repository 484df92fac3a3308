"""The operator's page: what nobody decides, who decides for what, systems, files, the catalogue (rule 641)."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import Database
from backend.errors import Conflict, FieldsInvalid, Refusal
from backend.kit import Kit
from backend.openness import Openness
from backend.outbox import states
from backend.outside.clock import Clock
from backend.roles import appointing, carried, file_imports, managers, operating, unit_tree
from backend.roles.appointing import Wish
from backend.roles.carried import Vacancy
from backend.roles.catalogue.in_force import kept_version
from backend.roles.catalogue.writing import written
from backend.roles.managers import ManagerNotFound, ManagerView
from backend.roles.operating import Reach
from workspace import forms, fresh
from workspace.auth import Visit
from workspace.manager import Manager
from workspace.moving import day
from workspace.pages import errors_of, page
from workspace.systems import Glance

PLACE = "/workspace/operator"
DONE = ("appointed", "dismissed", *file_imports.KINDS)
VACANT_MOST = 100


class AppointmentForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """Who decides for what, from when until when."""

    person: str = ""
    unit: str = ""
    from_: str = ""
    until: str = ""

    def wish(self) -> Wish:
        """The same with its days read. Raises FieldsInvalid."""
        return Wish(self.person, self.unit, day("from", self.from_), day("until", self.until))


class EndForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """That whose right it is has been read, and how many requests nobody would decide then."""

    confirmed: str = ""
    undecided: str = "0"


class Said(msgspec.Struct, frozen=True):
    """What the page reports after a button, and how far down its list is."""

    done: str = ""
    cursor: str = ""


class Asked(NamedTuple):
    """An appointment whose end wants a second word, and how many requests nobody would decide."""

    one: ManagerView
    requests: int


class OperatorController(Controller):
    """The page, and its acts about appointments."""

    path = "/operator"
    opt = {"open_to": Openness.ROOT}

    @get(name="workspace.operator")
    async def show(
        self,
        request: Visit,
        operator: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """How things stand in the operator's units."""
        said = await fresh.left(request, db, kit, clock, operator, AppointmentForm, back=PLACE)
        return await _page(request, operator, db, kit, clock, said, kept=said is not None)

    @post("/appointments", name="workspace.appoint")
    async def appoint(
        self,
        request: Visit,
        operator: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str] | Redirect:
        """ "Giao phụ trách": from the very next request on, or from a day."""
        form = await forms.read(request, AppointmentForm)
        if ask := await fresh.wanted(request, db, kit, clock, operator, form, back=PLACE):
            return ask
        try:
            wish = form.wish()
            async with db.write() as tx:
                await appointing.appoint(tx, kit, wish, by=operator.account_id, now=clock.now())
        except (FieldsInvalid, Conflict) as refusal:
            return await _page(request, operator, db, kit, clock, form, refusal=refusal)
        return Redirect(f"{PLACE}?done=appointed", status_code=303)

    @post("/appointments/{appointment_id:uuid}/end", name="workspace.appointment_end")
    async def dismiss(
        self,
        request: Visit,
        appointment_id: FromPath[UUID],
        operator: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str] | Redirect:
        """ "Thôi phụ trách": the first press says whose right it is and what waits, the second takes it away."""
        form = await forms.read(request, EndForm)
        if ask := await fresh.wanted(request, db, kit, clock, operator, form, back=PLACE):
            return ask
        by = operator.account_id
        try:
            async with db.read() as tx:
                asked = Asked(*await appointing.weigh(tx, kit, appointment_id, by=by, now=clock.now()))
            if not form.confirmed or str(asked.requests) != form.undecided:
                return await _page(request, operator, db, kit, clock, asked=asked)
            async with db.write() as tx:
                now, leave = clock.now(), asked.requests > 0
                await appointing.dismiss(tx, kit, appointment_id, leave_undecided=leave, by=by, now=now)
        except (Conflict, ManagerNotFound) as refusal:
            return await _page(request, operator, db, kit, clock, refusal=refusal)
        return Redirect(f"{PLACE}?done=dismissed", status_code=303)

    @get("/catalogue", name="workspace.catalogue")
    async def catalogue(
        self, operator: NamedDependency[Manager], db: NamedDependency[Database]
    ) -> Response[str]:
        """The catalogue in force as its file, which an import finds unchanged."""
        del operator
        async with db.read() as tx:
            found = await kept_version(tx, None)
        assert found is not None  # without a version the shipped one is in force
        headers = {"Content-Disposition": f'attachment; filename="catalogue-{found[0]}.toml"'}
        return Response(written(found[2]), media_type="application/toml", headers=headers)


async def _page(
    request: Visit,
    operator: Manager,
    db: Database,
    kit: Kit,
    clock: Clock,
    said: AppointmentForm | None = None,
    *,
    refusal: Refusal | None = None,
    asked: Asked | None = None,
    kept: bool = False,
) -> Response[str]:
    told = forms.query(request, Said)
    async with db.read() as tx:
        reach = await operating.reach_of(tx, kit, operator.account_id, now=clock.now())
        vacant = await _vacant(tx, reach)
        appointments, cursor = await managers.some(tx, kit, reach.below(), cursor=told.cursor)
        systems = [Glance.of(one) for one in await states.overview(tx, clock.now())]
        catalogue = await kept_version(tx, None)
    return page(
        request,
        "operator.html",
        refusal=refusal,
        here=PLACE,
        vacant=vacant[:VACANT_MOST],
        more_vacant=len(vacant) > VACANT_MOST,
        most=VACANT_MOST,
        appointments=appointments,
        next_cursor=cursor,
        systems=systems,
        catalogue=catalogue,
        kinds=file_imports.KINDS,
        limit=kit.limits.upload_bytes >> 20,
        done=told.done if told.done in DONE and refusal is None else "",
        said=said or AppointmentForm(),
        asked=asked,
        kept=kept,
        errors=errors_of(refusal),
    )


async def _vacant(tx: AsyncSession, reach: Reach) -> list[Vacancy]:
    """What nobody at all decides for first, then what somebody above decides for meanwhile."""
    theirs = reach.within(await unit_tree.snapshot(tx))
    found = [one for one in await carried.vacancies(tx) if one.unit_code in theirs]
    return sorted(found, key=lambda one: (one.decided_by is not None, one.unit_code))
