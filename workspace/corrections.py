"""What a manager began and another unit returned: corrected, or taken back, by a manager of a unit concerned (R01)."""

from __future__ import annotations

from datetime import date
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
from backend.roles import corrections, dossier, policy, queue, requests
from backend.roles.catalogue.in_force import in_force
from backend.roles.views import RequestView
from workspace import forms, fresh, saying
from workspace.auth import Visit
from workspace.manager import Manager
from workspace.moving import PAPERS, MoveForm, offered
from workspace.pages import day, errors_of, page


class CorrectionController(Controller):
    """The form with what the request says now, and what is done with it."""

    path = "/requests/{request_id:uuid}"
    opt = {"open_to": Openness.MANAGER}

    @get("/correct", name="workspace.correcting")
    async def ask(
        self,
        request: Visit,
        request_id: FromPath[UUID],
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """Filled with what it said."""
        back = f"/workspace/requests/{request_id}/correct"
        said = await fresh.left(request, db, kit, clock, manager, MoveForm, back=back)
        return await _form(request, db, kit, clock, manager, request_id, said, kept=said is not None)

    @post("/correct", name="workspace.correct")
    async def correct(
        self,
        request: Visit,
        request_id: FromPath[UUID],
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str] | Redirect:
        """Every unit is asked again; this manager's word counts at once."""
        form = await forms.read(request, MoveForm)
        back = f"/workspace/requests/{request_id}/correct"
        if ask := await fresh.wanted(request, db, kit, clock, manager, form, back=back):
            return ask
        try:
            by = corrections.By(manager.account_id, manager.level, manager.authenticated_at)
            async with db.write() as tx:
                kind = await corrections.kind_of(tx, request_id)
                outcome = await corrections.resubmit(
                    tx,
                    kit,
                    request_id,
                    form.draft(kind),
                    by=by,
                    now=clock.now(),
                    note=form.reason.strip() or None,
                    how=saying.how(form),
                )
            settle(outcome)
        except (FieldsInvalid, Conflict) as refusal:
            return await _form(request, db, kit, clock, manager, request_id, form, refusal=refusal)
        return Redirect(f"/workspace/requests/{request_id}", status_code=303)

    @post("/withdraw", name="workspace.withdraw")
    async def withdraw(
        self,
        request: Visit,
        request_id: FromPath[UUID],
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str] | Redirect:
        """Take back what was begun here."""
        form, back = await forms.read(request, forms.NoFields), f"/workspace/requests/{request_id}"
        if ask := await fresh.wanted(request, db, kit, clock, manager, form, back=back):
            return ask
        async with db.write() as tx:
            outcome = await requests.withdraw(
                tx,
                kit,
                request_id,
                by=manager.account_id,
                level=manager.level,
                authenticated_at=manager.authenticated_at,
                now=clock.now(),
            )
        settle(outcome)
        return Redirect(f"/workspace/requests/{request_id}", status_code=303)


async def _form(
    request: Visit,
    db: Database,
    kit: Kit,
    clock: Clock,
    manager: Manager,
    request_id: UUID,
    form: MoveForm | None = None,
    *,
    refusal: Refusal | None = None,
    kept: bool = False,
) -> Response[str]:
    async with db.read() as tx:
        asked = await dossier.view(tx, kit, request_id, manager.account_id, now=clock.now())
        units, catalogue = await queue.units(tx), await in_force(tx)
    if not asked.may_correct:
        raise policy.NotReturned
    return page(
        request,
        "correct.html",
        refusal=refusal,
        here=f"/workspace/requests/{request_id}/correct",
        asked=asked,
        units=units,
        movements=offered(catalogue, asked.kind),
        positions=catalogue.positions_for(asked.subject_code, local_day(clock.now())),
        said=form or _filled(asked),
        kept=kept,
        errors=errors_of(refusal),
    )


def _filled(asked: RequestView) -> MoveForm:
    papers = {name: value for name, value in asked.papers.items() if name in PAPERS}
    if signed_on := papers.get("decision_date"):
        papers["decision_date"] = day(date.fromisoformat(signed_on))
    return MoveForm(
        movement=asked.movement,
        unit=asked.unit_code,
        position=asked.position_code,
        effective_on=day(asked.effective_on) if asked.effective_on else "",
        until=day(asked.until_on) if asked.until_on else "",
        **papers,
    )
