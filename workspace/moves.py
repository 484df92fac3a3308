"""What a manager begins for somebody: a move, or a post beside the one that is there (rules 617, 619)."""

from __future__ import annotations

from typing import Literal, get_args
from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from backend.errors import Conflict, FieldError, FieldsInvalid, Refusal, settle
from backend.openness import Openness
from backend.outside.clock import local_day
from backend.roles import beside, carried, movements, queue, rows, starting
from backend.roles.catalogue.in_force import in_force
from workspace import forms, fresh, saying
from workspace.auth import Visit
from workspace.call import Call
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
    async def ask(self, call: NamedDependency[Call[Manager]], role_id: FromPath[UUID]) -> Response[str]:
        """Where to, as what, from when."""
        act, back = _act(call.request), call.path
        said = await fresh.left(call, MoveForm, back=back)
        return await _form(call, role_id, act, said or MoveForm(), kept=said is not None)

    @post(PATHS, name="workspace.move")
    async def begin(
        self, call: NamedDependency[Call[Manager]], role_id: FromPath[UUID]
    ) -> Response[str] | Redirect:
        """Begin it; what is this unit's to say is said at once, another unit is asked."""
        form = await forms.read(call.request, MoveForm)
        act, back = _act(call.request), call.path
        if ask := await fresh.wanted(call, form, back=back):
            return ask
        bad: list[FieldError] = []
        draft, note = form.draft(act, bad), form.reason.strip() or None
        by, how = call.who.account_id, saying.how(form)
        try:
            async with call.write() as tx:
                begun = starting.start(
                    tx, call.kit, role_id, draft, by=by, now=call.now(), note=note, how=how
                )
                outcome = await forms.all_at_once(bad, begun)
            made = settle(outcome)
        except (FieldsInvalid, Conflict) as refusal:
            return await _form(call, role_id, act, form, refusal=refusal)
        return Redirect(f"/workspace/requests/{made.id}", status_code=303)


def _act(request: Visit) -> Act:
    """What the address names."""
    return "concurrent" if request.url.path.endswith("/concurrent") else "transfer"


async def _form(
    call: Call[Manager],
    role_id: UUID,
    act: Act,
    form: MoveForm,
    *,
    refusal: Refusal | None = None,
    kept: bool = False,
) -> Response[str]:
    async with call.read() as tx:
        person = await queue.person(tx, call.kit, role_id, call.who.account_id, now=call.now())
        units, catalogue = await queue.units(tx), await in_force(tx)
        at_stake = await carried.outlook(tx, call.kit, await rows.role_now(tx, role_id))
        posts = await beside.standing_on(tx, role_id) if movements.MOVEMENTS[act].ends_beside else []
    return page(
        call.request,
        "transfer.html",
        refusal=refusal,
        here=f"/workspace/people/{role_id}/{act}",
        act=act,
        person=person,
        units=units,
        movements=offered(catalogue, act),
        positions=catalogue.positions_for(person.subject_type, local_day(call.now())),
        said=form,
        kept=kept,
        at_stake=at_stake,
        beside=posts,
        errors=errors_of(refusal, forms.boxes(MoveForm)),
    )
