"""The operator's page: what nobody decides, who decides for what, systems, files, the catalogue (rule 641)."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from backend.errors import Conflict, FieldError, FieldsInvalid, Refusal, gather
from backend.openness import Openness
from backend.outbox import states
from backend.roles import appointing, file_imports, managers, operating, vacancies
from backend.roles.appointing import Wish
from backend.roles.catalogue.in_force import kept_version
from backend.roles.catalogue.writing import written
from backend.roles.managers import ManagerNotFound, ManagerView
from workspace import field_labels, forms, fresh
from workspace.call import Call
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

    def wish(self, bad: list[FieldError]) -> Wish:
        """The same with its days read; what is unreadable is in `bad`."""
        first = gather(bad, lambda: day("from", self.from_))
        return Wish(self.person, self.unit, first, gather(bad, lambda: day("until", self.until)))


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
    async def show(self, call: NamedDependency[Call[Manager]]) -> Response[str]:
        """How things stand in the operator's units."""
        said = await fresh.left(call, AppointmentForm, back=PLACE)
        return await _page(call, said, kept=said is not None)

    @post("/appointments", name="workspace.appoint")
    async def appoint(self, call: NamedDependency[Call[Manager]]) -> Response[str] | Redirect:
        """ "Giao phụ trách": from the very next request on, or from a day."""
        form = await forms.read(call.request, AppointmentForm)
        if ask := await fresh.wanted(call, form, back=PLACE):
            return ask
        bad: list[FieldError] = []
        wish, by = form.wish(bad), call.who.account_id
        try:
            async with call.write() as tx:
                done = appointing.appoint(tx, call.kit, wish, by=by, now=call.now())
                await forms.all_at_once(bad, done)
        except (FieldsInvalid, Conflict) as refusal:
            return await _page(call, form, refusal=refusal)
        return Redirect(f"{PLACE}?done=appointed", status_code=303)

    @post("/appointments/{appointment_id:uuid}/end", name="workspace.appointment_end")
    async def dismiss(
        self, call: NamedDependency[Call[Manager]], appointment_id: FromPath[UUID]
    ) -> Response[str] | Redirect:
        """ "Thôi phụ trách": the first press says whose right it is and what waits, the second takes it away."""
        form = await forms.read(call.request, EndForm)
        if ask := await fresh.wanted(call, form, back=PLACE):
            return ask
        by = call.who.account_id
        try:
            async with call.read() as tx:
                asked = Asked(*await appointing.weigh(tx, call.kit, appointment_id, by=by, now=call.now()))
            if not form.confirmed or str(asked.requests) != form.undecided:
                return await _page(call, asked=asked)
            async with call.write() as tx:
                now, leave = call.now(), asked.requests > 0
                await appointing.dismiss(tx, call.kit, appointment_id, leave_undecided=leave, by=by, now=now)
        except (Conflict, ManagerNotFound) as refusal:
            return await _page(call, refusal=refusal)
        return Redirect(f"{PLACE}?done=dismissed", status_code=303)

    @get("/catalogue", name="workspace.catalogue")
    async def catalogue(self, call: NamedDependency[Call[Manager]]) -> Response[str]:
        """The catalogue in force as its file, which an import finds unchanged."""
        async with call.read() as tx:
            found = await kept_version(tx, None)
        assert found is not None  # without a version the shipped one is in force
        headers = {"Content-Disposition": f'attachment; filename="catalogue-{found[0]}.toml"'}
        return Response(written(found[2]), media_type="application/toml", headers=headers)


async def _page(
    call: Call[Manager],
    said: AppointmentForm | None = None,
    *,
    refusal: Refusal | None = None,
    asked: Asked | None = None,
    kept: bool = False,
) -> Response[str]:
    told = forms.query(call.request, Said)
    async with call.read() as tx:
        reach = await operating.reach_of(tx, call.kit, call.who.account_id, now=call.now())
        vacant = await vacancies.first(tx, reach.below(), VACANT_MOST + 1)
        appointments, cursor = await managers.some(tx, call.kit, reach.below(), cursor=told.cursor)
        systems = [Glance.of(one) for one in await states.overview(tx, call.now())]
        catalogue = await kept_version(tx, None)
    return page(
        call.request,
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
        limit=call.kit.limits.upload_bytes >> 20,
        done=told.done if told.done in DONE and refusal is None else "",
        said=said or AppointmentForm(),
        asked=asked,
        kept=kept,
        field_names=field_labels.OF_AN_APPOINTMENT,
        errors=errors_of(refusal, forms.boxes(AppointmentForm)),
    )
