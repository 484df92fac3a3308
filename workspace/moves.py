"""What a manager begins for somebody: a move, or a post beside the one that is there (rules 617, 619)."""

from __future__ import annotations

from typing import Literal, get_args
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from backend.db import Database
from backend.errors import Conflict, FieldsInvalid, Refusal, settle
from backend.kit import Kit
from backend.openness import Openness
from backend.outside.clock import Clock, local_day
from backend.roles import carried, queue, rows, starting
from backend.roles.catalogue.in_force import in_force
from workspace import forms, fresh, saying
from workspace.auth import Visit
from workspace.manager import Manager
from workspace.moving import MoveForm, offered
from workspace.pages import errors_of, page

Act = Literal["transfer", "concurrent"]
PATHS = [f"/{act}" for act in get_args(Act)]


class MoveController(Controller):
    """The form, and what is begun with it."""

    path = "/people/{role_id:uuid}"
    opt = {"open_to": Openness.MANAGER}

    @get(PATHS, name="workspace.moving")
    async def ask(
        self,
        request: Visit,
        role_id: FromPath[UUID],
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """Where to, as what, from when."""
        act, back = _act(request), request.url.path
        said = await fresh.left(request, db, kit, clock, manager, MoveForm, back=back)
        return await _form(
            request, db, kit, clock, manager, role_id, act, said or MoveForm(), kept=said is not None
        )

    @post(PATHS, name="workspace.move")
    async def begin(
        self,
        request: Visit,
        role_id: FromPath[UUID],
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str] | Redirect:
        """Begin it; what is this unit's to say is said at once, another unit is asked."""
        form = await forms.read(request, MoveForm)
        act, back = _act(request), request.url.path
        if ask := await fresh.wanted(request, db, kit, clock, manager, form, back=back):
            return ask
        try:
            async with db.write() as tx:
                outcome = await starting.start(
                    tx,
                    kit,
                    role_id,
                    form.draft(act),
                    by=manager.account_id,
                    now=clock.now(),
                    note=form.reason.strip() or None,
                    how=saying.how(form),
                )
            begun = settle(outcome)
        except (FieldsInvalid, Conflict) as refusal:
            return await _form(request, db, kit, clock, manager, role_id, act, form, refusal=refusal)
        return Redirect(f"/workspace/requests/{begun.id}", status_code=303)


def _act(request: Visit) -> Act:
    """What the address names."""
    return "concurrent" if request.url.path.endswith("/concurrent") else "transfer"


async def _form(
    request: Visit,
    db: Database,
    kit: Kit,
    clock: Clock,
    manager: Manager,
    role_id: UUID,
    act: Act,
    form: MoveForm,
    *,
    refusal: Refusal | None = None,
    kept: bool = False,
) -> Response[str]:
    async with db.read() as tx:
        person = await queue.person(tx, kit, role_id, manager.account_id, now=clock.now())
        units, catalogue = await queue.units(tx), await in_force(tx)
        at_stake = await carried.outlook(tx, kit, await rows.role_now(tx, role_id))
    return page(
        request,
        "transfer.html",
        refusal=refusal,
        here=f"/workspace/people/{role_id}/{act}",
        act=act,
        person=person,
        units=units,
        movements=offered(catalogue, act),
        positions=catalogue.positions_for(person.subject_type, local_day(clock.now())),
        said=form,
        kept=kept,
        at_stake=at_stake,
        errors=errors_of(refusal),
    )
