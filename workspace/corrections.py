"""What a manager began and another unit returned: corrected, or taken back, by a manager of a unit concerned (R01)."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from backend.errors import Conflict, FieldError, FieldsInvalid, Refusal, settle
from backend.openness import Openness
from backend.outside.clock import local_day
from backend.roles import corrections, dossier, policy, queue, requests
from backend.roles.catalogue.in_force import in_force
from backend.roles.views import RequestView
from workspace import forms, fresh, saying
from workspace.call import Call
from workspace.manager import Manager
from workspace.moving import PAPERS, MoveForm, offered
from workspace.pages import day, errors_of, page


class CorrectionController(Controller):
    """The form with what the request says now, and what is done with it."""

    path = "/requests/{request_id:uuid}"
    opt = {"open_to": Openness.MANAGER}

    @get("/correct", name="workspace.correcting")
    async def ask(self, call: NamedDependency[Call[Manager]], request_id: FromPath[UUID]) -> Response[str]:
        """Filled with what it said."""
        back = f"/workspace/requests/{request_id}/correct"
        said = await fresh.left(call, MoveForm, back=back)
        return await _form(call, request_id, said, kept=said is not None)

    @post("/correct", name="workspace.correct")
    async def correct(
        self, call: NamedDependency[Call[Manager]], request_id: FromPath[UUID]
    ) -> Response[str] | Redirect:
        """Every unit is asked again; this manager's word counts at once."""
        form = await forms.read(call.request, MoveForm)
        back = f"/workspace/requests/{request_id}/correct"
        if ask := await fresh.wanted(call, form, back=back):
            return ask
        by = corrections.By(call.who.account_id, call.who.level, call.who.authenticated_at)
        bad: list[FieldError] = []
        note, how = form.reason.strip() or None, saying.how(form)
        try:
            async with call.write() as tx:
                draft = form.draft(await corrections.kind_of(tx, request_id), bad)
                again = corrections.resubmit(
                    tx, call.kit, request_id, draft, by=by, now=call.now(), note=note, how=how
                )
                outcome = await forms.all_at_once(bad, again)
            settle(outcome)
        except (FieldsInvalid, Conflict) as refusal:
            return await _form(call, request_id, form, refusal=refusal)
        return Redirect(f"/workspace/requests/{request_id}", status_code=303)

    @post("/withdraw", name="workspace.withdraw")
    async def withdraw(
        self, call: NamedDependency[Call[Manager]], request_id: FromPath[UUID]
    ) -> Response[str] | Redirect:
        """Take back what was begun here."""
        form, back = await forms.read(call.request, forms.NoFields), f"/workspace/requests/{request_id}"
        if ask := await fresh.wanted(call, form, back=back):
            return ask
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
        settle(outcome)
        return Redirect(f"/workspace/requests/{request_id}", status_code=303)


async def _form(
    call: Call[Manager],
    request_id: UUID,
    form: MoveForm | None = None,
    *,
    refusal: Refusal | None = None,
    kept: bool = False,
) -> Response[str]:
    async with call.read() as tx:
        asked = await dossier.view(tx, call.kit, request_id, call.who.account_id, now=call.now())
        units, catalogue = await queue.units(tx), await in_force(tx)
    if not asked.may_correct:
        raise policy.NotReturned
    return page(
        call.request,
        "correct.html",
        refusal=refusal,
        here=f"/workspace/requests/{request_id}/correct",
        asked=asked,
        units=units,
        movements=offered(catalogue, asked.kind),
        positions=catalogue.positions_for(asked.subject_code, local_day(call.now())),
        said=form or _filled(asked),
        kept=kept,
        errors=errors_of(refusal, forms.boxes(MoveForm)),
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
        keeps=[post.id for post in asked.beside if post.kept],
        **papers,
    )
