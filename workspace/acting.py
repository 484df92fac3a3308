"""What a manager does to somebody at once: end a role, suspend and let back, let go (rules 622, 623, 820)."""

from __future__ import annotations

from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from backend.errors import Conflict, FieldError, FieldsInvalid, Refusal, gather, settle
from backend.openness import Openness
from backend.roles import acts, beside, carried, movements, queue, rows
from workspace import forms, fresh, moving, saying
from workspace.auth import Visit
from workspace.call import Call
from workspace.labels import ACTS
from workspace.manager import Manager
from workspace.pages import errors_of, page

PATHS = [f"/{act}" for act in ACTS]


class ActForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, from when, and on what ground."""

    reason: str = ""
    effective_on: str = ""
    decision_number: str = ""
    decision_date: str = ""
    signed_by: str = ""
    keeps: list[UUID] = []
    keep: str = ""
    keep_reason: str = ""
    confirmed: str = ""

    def more(self, bad: list[FieldError]) -> acts.More:
        """What stands beside the reason; what is unreadable is in `bad`."""
        bad += saying.wrong(self)
        day = gather(bad, lambda: moving.day("effective_on", self.effective_on))
        return acts.More(day, moving.papers(self, bad), tuple(self.keeps))


class ActController(Controller):
    """Each act asks first: whose role it is, and why."""

    path = "/people/{role_id:uuid}"
    opt = {"open_to": Openness.MANAGER}

    @get(PATHS, name="workspace.acting")
    async def ask(self, call: NamedDependency[Call[Manager]], role_id: FromPath[UUID]) -> Response[str]:
        """A place for the reason, and what goes with the role."""
        said = await fresh.left(call, ActForm, back=call.path)
        return await _form(call, role_id, said or ActForm(), kept=said is not None)

    @post(PATHS, name="workspace.act")
    async def act(
        self, call: NamedDependency[Call[Manager]], role_id: FromPath[UUID]
    ) -> Response[str] | Redirect:
        """Do it; the request that says so has its page."""
        form, move = await forms.read(call.request, ActForm), movements.MOVEMENTS[_act(call.request)]
        if ask := await fresh.wanted(call, form, back=call.path):
            return ask
        bad: list[FieldError] = []
        more, by, how = form.more(bad), call.who.account_id, saying.how(form)
        try:
            async with call.write() as tx:
                act = acts.act(
                    tx, call.kit, role_id, move, reason=form.reason, by=by, now=call.now(), more=more, how=how
                )
                outcome = await forms.all_at_once(bad, act)
            done = settle(outcome)
        except (FieldsInvalid, Conflict) as refusal:
            return await _form(call, role_id, form, refusal=refusal)
        return Redirect(f"/workspace/requests/{done.id}", status_code=303)

    @post("/return", name="workspace.return")
    async def let_back(
        self, call: NamedDependency[Call[Manager]], role_id: FromPath[UUID]
    ) -> Response[str] | Redirect:
        """Whatever was suspended is in force again."""
        form = await forms.read(call.request, forms.NoFields)
        async with call.db.read() as tx:
            whose = (
                await queue.person(tx, call.kit, role_id, call.who.account_id, now=call.now())
            ).account_id
        back = f"/workspace/people/{whose}"
        if ask := await fresh.wanted(call, form, back=back):
            return ask
        async with call.write() as tx:
            outcome = await acts.lift(tx, call.kit, role_id, by=call.who.account_id, now=call.now())
        settle(outcome)
        return Redirect(back, status_code=303)


def _act(request: Visit) -> str:
    """The act that the address names."""
    return request.url.path.rsplit("/", 1)[1]


async def _form(
    call: Call[Manager], role_id: UUID, form: ActForm, *, refusal: Refusal | None = None, kept: bool = False
) -> Response[str]:
    async with call.db.read() as tx:
        person = await queue.person(tx, call.kit, role_id, call.who.account_id, now=call.now())
        at_stake = await carried.outlook(tx, call.kit, await rows.role_now(tx, role_id))
        posts = await beside.standing_on(tx, role_id)
    return page(
        call.request,
        "act.html",
        refusal=refusal,
        here=call.path,
        act=_act(call.request),
        person=person,
        said=form,
        kept=kept,
        at_stake=at_stake,
        beside=posts,
        errors=errors_of(refusal, forms.boxes(ActForm)),
    )
