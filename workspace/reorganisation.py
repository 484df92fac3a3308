"""One reorganisation: how far it is, and taking it back (rules 640, 641)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from backend.accounts.identity.people import full_names
from backend.errors import Conflict, Refusal
from backend.imports.plan import massive
from backend.openness import Openness
from backend.roles.reorganising import asking, carrying, listing, models
from backend.roles.reorganising import plan as planning
from backend.roles.reorganising.asking import Yes
from backend.roles.reorganising.reversing import ChangedSince
from workspace import forms, fresh
from workspace.call import Call
from workspace.manager import Manager
from workspace.pages import errors_of, page
from workspace.reorganisations import PLACE

NAMED = 100  # of whose roles have changed since
PATIENCE = timedelta(minutes=1)  # until it is said that no worker has begun


class ReverseForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who stays as they are now, and that a large part is meant."""

    leave_changed: str = ""
    brake_off: str = ""


class ReorganisationController(Controller):
    """The page of one run, and the button that takes it back."""

    path = "/reorganisations/{run_id:uuid}"
    opt = {"open_to": Openness.ROOT}

    @get(name="workspace.reorganisation")
    async def show(self, call: NamedDependency[Call[Manager]], run_id: FromPath[UUID]) -> Response[str]:
        """How many people are where they belong; asks again by itself while it runs."""
        back = f"{PLACE}/{run_id}"
        said = await fresh.left(call, ReverseForm, back=back)
        return await _page(call, run_id, said or ReverseForm(), kept=said is not None)

    @post("/reverse", name="workspace.reorganisation_reverse")
    async def reverse(
        self, call: NamedDependency[Call[Manager]], run_id: FromPath[UUID]
    ) -> Response[str] | Redirect:
        """ "Hoàn nguyên": it is written down and begun; the worker carries it."""
        form, back = await forms.read(call.request, ReverseForm), f"{PLACE}/{run_id}"
        if ask := await fresh.wanted(call, form, back=back):
            return ask
        yes = Yes(brake_off=bool(form.brake_off), leave_changed=bool(form.leave_changed))
        try:
            async with call.write() as tx:
                await asking.reverse(tx, call.kit, run_id, yes, by=call.who.account_id, now=call.now())
        except Conflict as refusal:
            return await _page(call, run_id, form, refusal=refusal)
        return Redirect(back, status_code=303)


async def _page(
    call: Call[Manager],
    run_id: UUID,
    said: ReverseForm,
    *,
    refusal: Refusal | None = None,
    kept: bool = False,
) -> Response[str]:
    changed = refusal if isinstance(refusal, ChangedSince) else None
    async with call.read() as tx:
        found = await asking.theirs(tx, call.kit, run_id, by=call.who.account_id, now=call.now())
        done = await carrying.how_far(tx, run_id, found.state)
        stakes = await planning.stakes_back(tx, run_id, found.people, found.acts)
        by = (
            (await full_names(tx, call.kit, [found.asked_by])).get(found.asked_by) if found.asked_by else None
        )
        names = await listing.names(tx, call.kit, changed.people[:NAMED]) if changed else []
    percent = call.kit.limits.mass_change_percent
    return page(
        call.request,
        "reorganisation.html",
        refusal=refusal,
        here=f"{PLACE}/{run_id}",
        run=found,
        by=by,
        done=min(done, found.people),
        is_running=found.state in carrying.STAGES,
        stands=found.state == models.RUNNING and not done and found.started_at + PATIENCE < call.now(),
        may_reverse=found.state == models.DONE,
        massive=massive(stakes, percent),
        percent=percent,
        changed=changed,
        names=names,
        said=said,
        kept=kept,
        errors=errors_of(refusal),
    )
