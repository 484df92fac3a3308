"""The people of a manager's units: who has which role, ending one, moving somebody (rule 820)."""

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
from backend.outside.clock import Clock, local_day
from backend.roles import carried, queue, requests, review, rows
from backend.roles.catalogue.in_force import in_force
from workspace import forms, fresh, saying
from workspace.auth import Visit
from workspace.manager import Manager
from workspace.moving import TransferForm
from workspace.pages import errors_of, page

PAGE = 25


class Filters(msgspec.Struct, frozen=True):
    """Who is looked for."""

    q: str = ""
    cursor: str = ""


class EndForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a role ends."""

    reason: str = ""
    keep: str = ""
    keep_reason: str = ""
    confirmed: str = ""


class PeopleController(Controller):
    """The list, and the two acts that a manager may begin."""

    path = "/people"
    opt = {"open_to": Openness.MANAGER}

    @get(name="workspace.people")
    async def show(
        self,
        request: Visit,
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
    ) -> Response[str]:
        """Everybody with a role in the manager's units."""
        filters = forms.query(request, Filters)
        async with db.read() as tx:
            found = await queue.people(
                tx, kit, manager.account_id, q=filters.q or None, cursor=filters.cursor or None, most=PAGE
            )
        return page(
            request, "people.html", people=found.items, next_cursor=found.next_cursor, filters=filters
        )

    @get("/{role_id:uuid}/end", name="workspace.ending")
    async def ask_end(
        self,
        request: Visit,
        role_id: FromPath[UUID],
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """Whose role it is, and a place for the reason."""
        back = f"/workspace/people/{role_id}/end"
        said = await fresh.left(request, db, kit, clock, manager, EndForm, back=back)
        return await _ending(request, db, kit, manager, role_id, said or EndForm(), kept=said is not None)

    @post("/{role_id:uuid}/end", name="workspace.end")
    async def end(
        self,
        request: Visit,
        role_id: FromPath[UUID],
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str] | Redirect:
        """End it at once; the request that says so can be taken back for ten seconds."""
        form = await forms.read(request, EndForm)
        back = f"/workspace/people/{role_id}/end"
        if ask := await fresh.wanted(request, db, kit, clock, manager, form, back=back):
            return ask
        try:
            async with db.write() as tx:
                outcome = await review.end_role(
                    tx,
                    kit,
                    role_id,
                    reason=form.reason,
                    by=manager.account_id,
                    now=clock.now(),
                    how=saying.how(form),
                )
            ended = settle(outcome)
        except (FieldsInvalid, Conflict) as refusal:
            return await _ending(request, db, kit, manager, role_id, form, refusal=refusal)
        return Redirect(f"/workspace/requests/{ended.id}", status_code=303)

    @get("/{role_id:uuid}/transfer", name="workspace.transferring")
    async def ask_transfer(
        self,
        request: Visit,
        role_id: FromPath[UUID],
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """Where to, as what, from when."""
        back = f"/workspace/people/{role_id}/transfer"
        said = await fresh.left(request, db, kit, clock, manager, TransferForm, back=back)
        return await _transferring(
            request, db, kit, clock, manager, role_id, said or TransferForm(), kept=said is not None
        )

    @post("/{role_id:uuid}/transfer", name="workspace.transfer")
    async def transfer(
        self,
        request: Visit,
        role_id: FromPath[UUID],
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str] | Redirect:
        """Begin the transfer; this unit's word counts at once, the other unit is asked."""
        form = await forms.read(request, TransferForm)
        back = f"/workspace/people/{role_id}/transfer"
        if ask := await fresh.wanted(request, db, kit, clock, manager, form, back=back):
            return ask
        try:
            async with db.write() as tx:
                outcome = await requests.start_transfer(
                    tx,
                    kit,
                    role_id,
                    form.to_unit,
                    by=manager.account_id,
                    now=clock.now(),
                    position=form.position or None,
                    effective_on=form.day(),
                    note=form.note.strip() or None,
                    how=saying.how(form),
                )
            begun = settle(outcome)
        except (FieldsInvalid, Conflict) as refusal:
            return await _transferring(request, db, kit, clock, manager, role_id, form, refusal=refusal)
        return Redirect(f"/workspace/requests/{begun.id}", status_code=303)


async def _ending(
    request: Visit,
    db: Database,
    kit: Kit,
    manager: Manager,
    role_id: UUID,
    form: EndForm,
    *,
    refusal: Refusal | None = None,
    kept: bool = False,
) -> Response[str]:
    async with db.read() as tx:
        person = await queue.person(tx, kit, role_id, manager.account_id)
        at_stake = await carried.outlook(tx, kit, await rows.role_now(tx, role_id))
    return page(
        request,
        "end.html",
        refusal=refusal,
        here=f"/workspace/people/{role_id}/end",
        person=person,
        said=form,
        kept=kept,
        at_stake=at_stake,
        errors=errors_of(refusal),
    )


async def _transferring(
    request: Visit,
    db: Database,
    kit: Kit,
    clock: Clock,
    manager: Manager,
    role_id: UUID,
    form: TransferForm,
    *,
    refusal: Refusal | None = None,
    kept: bool = False,
) -> Response[str]:
    async with db.read() as tx:
        person = await queue.person(tx, kit, role_id, manager.account_id)
        units, catalogue = await queue.units(tx), await in_force(tx)
        at_stake = await carried.outlook(tx, kit, await rows.role_now(tx, role_id))
    return page(
        request,
        "transfer.html",
        refusal=refusal,
        here=f"/workspace/people/{role_id}/transfer",
        person=person,
        units=units,
        positions=catalogue.positions_for(person.subject_type, local_day(clock.now())),
        said=form,
        kept=kept,
        at_stake=at_stake,
        errors=errors_of(refusal),
    )
