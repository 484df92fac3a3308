"""What a manager does to somebody at once: end a role, suspend and let back, let go (rules 622, 623, 820)."""

from __future__ import annotations

from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from backend.db import Database
from backend.errors import Conflict, FieldsInvalid, Refusal, settle
from backend.kit import Kit
from backend.openness import Openness
from backend.outside.clock import Clock
from backend.roles import acts, carried, movements, queue, rows
from workspace import forms, fresh, moving, saying
from workspace.auth import Visit
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
    keep: str = ""
    keep_reason: str = ""
    confirmed: str = ""

    def more(self) -> acts.More:
        """What stands beside the reason. Raises FieldsInvalid."""
        return acts.More(moving.day("effective_on", self.effective_on), moving.papers(self))


class ActController(Controller):
    """Each act asks first: whose role it is, and why."""

    path = "/people/{role_id:uuid}"
    opt = {"open_to": Openness.MANAGER}

    @get(PATHS, name="workspace.acting")
    async def ask(
        self,
        request: Visit,
        role_id: FromPath[UUID],
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """A place for the reason, and what goes with the role."""
        said = await fresh.left(request, db, kit, clock, manager, ActForm, back=request.url.path)
        return await _form(
            request, db, kit, clock, manager, role_id, said or ActForm(), kept=said is not None
        )

    @post(PATHS, name="workspace.act")
    async def act(
        self,
        request: Visit,
        role_id: FromPath[UUID],
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str] | Redirect:
        """Do it; the request that says so has its page."""
        form, move = await forms.read(request, ActForm), movements.MOVEMENTS[_act(request)]
        if ask := await fresh.wanted(request, db, kit, clock, manager, form, back=request.url.path):
            return ask
        try:
            async with db.write() as tx:
                outcome = await acts.act(
                    tx,
                    kit,
                    role_id,
                    move,
                    reason=form.reason,
                    by=manager.account_id,
                    now=clock.now(),
                    more=form.more(),
                    how=saying.how(form),
                )
            done = settle(outcome)
        except (FieldsInvalid, Conflict) as refusal:
            return await _form(request, db, kit, clock, manager, role_id, form, refusal=refusal)
        return Redirect(f"/workspace/requests/{done.id}", status_code=303)

    @post("/return", name="workspace.return")
    async def let_back(
        self,
        request: Visit,
        role_id: FromPath[UUID],
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str] | Redirect:
        """Whatever was suspended is in force again."""
        form = await forms.read(request, forms.NoFields)
        async with db.read() as tx:
            whose = (await queue.person(tx, kit, role_id, manager.account_id, now=clock.now())).account_id
        back = f"/workspace/people/{whose}"
        if ask := await fresh.wanted(request, db, kit, clock, manager, form, back=back):
            return ask
        async with db.write() as tx:
            outcome = await acts.lift(tx, kit, role_id, by=manager.account_id, now=clock.now())
        settle(outcome)
        return Redirect(back, status_code=303)


def _act(request: Visit) -> str:
    """The act that the address names."""
    return request.url.path.rsplit("/", 1)[1]


async def _form(
    request: Visit,
    db: Database,
    kit: Kit,
    clock: Clock,
    manager: Manager,
    role_id: UUID,
    form: ActForm,
    *,
    refusal: Refusal | None = None,
    kept: bool = False,
) -> Response[str]:
    async with db.read() as tx:
        person = await queue.person(tx, kit, role_id, manager.account_id, now=clock.now())
        at_stake = await carried.outlook(tx, kit, await rows.role_now(tx, role_id))
    return page(
        request,
        "act.html",
        refusal=refusal,
        here=request.url.path,
        act=_act(request),
        person=person,
        said=form,
        kept=kept,
        at_stake=at_stake,
        errors=errors_of(refusal),
    )
