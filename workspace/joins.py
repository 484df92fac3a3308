"""The desk: two accounts of one person, joined when a second clerk says so too (case R26)."""

from __future__ import annotations

from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from backend.accounts.door import Door
from backend.errors import Conflict, FieldsInvalid, NotFound, Refusal, TooMany, settle
from backend.openness import Openness
from backend.outside.clock import Clock
from backend.roles import desk_joins, waiting_joins
from workspace import forms, fresh
from workspace.auth import Visit
from workspace.clerk import clerk_in
from workspace.manager import AtDesk
from workspace.pages import ages, errors_of, page

HOME = "/workspace/support/joins"


class JoinForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Both numbers, as the papers have them, and what the clerk has seen."""

    national_id: str = ""
    old_id_number: str = ""
    grounds: str = ""


class JoinsController(Controller):
    """What waits, a new proposal, and the word of the second clerk."""

    path = "/support/joins"
    opt = {"open_to": Openness.CLERK}

    @get(name="workspace.joins")
    async def show(
        self,
        request: Visit,
        clerk: NamedDependency[AtDesk],
        door: NamedDependency[Door],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """What waits for a second clerk, and the form, as it was left."""
        left = await fresh.left(request, door.db, door.kit, clock, clerk, JoinForm, back=HOME)
        return await _page(request, clerk, door, clock, form=left, kept=left is not None)

    @post(name="workspace.join_propose", status_code=200)
    async def propose(
        self,
        request: Visit,
        clerk: NamedDependency[AtDesk],
        door: NamedDependency[Door],
        clock: NamedDependency[Clock],
    ) -> Response[str] | Redirect:
        """One clerk's word; both people are told."""
        form, now = await forms.read(request, JoinForm), clock.now()
        if ask := await fresh.wanted(request, door.db, door.kit, clock, clerk, form, back=HOME):
            return ask
        try:
            async with door.db.write() as tx:
                who = await clerk_in(tx, door.kit, clerk)
                found = await desk_joins.looked_up(
                    tx, door.kit, who, national_id=form.national_id, old_id=form.old_id_number, now=now
                )
            pair = settle(found)
            async with door.db.write() as tx:
                who = await clerk_in(tx, door.kit, clerk)
                outcome = await desk_joins.propose(tx, door.kit, pair, form.grounds, clerk=who, now=now)
            settle(outcome)
        except (Conflict, FieldsInvalid, TooMany, desk_joins.OwnJoin) as refusal:
            return await _page(request, clerk, door, clock, form=form, refusal=refusal)
        return Redirect(HOME, status_code=303)

    @post("/{proposal_id:uuid}/confirm", name="workspace.join_confirm", status_code=200)
    async def confirm(
        self,
        request: Visit,
        proposal_id: FromPath[UUID],
        clerk: NamedDependency[AtDesk],
        door: NamedDependency[Door],
        clock: NamedDependency[Clock],
    ) -> Response[str] | Redirect:
        """The second clerk's word: the two accounts are one."""
        form = await forms.read(request, forms.NoFields)
        if ask := await fresh.wanted(request, door.db, door.kit, clock, clerk, form, back=HOME):
            return ask
        try:
            async with door.db.write() as tx:
                who = await clerk_in(tx, door.kit, clerk)
                outcome = await desk_joins.confirm(tx, door.kit, proposal_id, clerk=who, now=clock.now())
            settle(outcome)
        except (Conflict, NotFound, desk_joins.OwnJoin) as refusal:
            return await _page(request, clerk, door, clock, refusal=refusal)
        return Redirect(HOME, status_code=303)

    @post("/{proposal_id:uuid}/refuse", name="workspace.join_refuse", status_code=200)
    async def refuse(
        self,
        request: Visit,
        proposal_id: FromPath[UUID],
        clerk: NamedDependency[AtDesk],
        door: NamedDependency[Door],
        clock: NamedDependency[Clock],
    ) -> Response[str] | Redirect:
        """No, or the proposer's own second thought; nothing has changed."""
        await forms.read(request, forms.NoFields)
        try:
            async with door.db.write() as tx:
                who = await clerk_in(tx, door.kit, clerk)
                outcome = await desk_joins.refuse(tx, door.kit, proposal_id, clerk=who, now=clock.now())
            settle(outcome)
        except (NotFound, desk_joins.OwnJoin) as refusal:
            return await _page(request, clerk, door, clock, refusal=refusal)
        return Redirect(HOME, status_code=303)


async def _page(
    request: Visit,
    clerk: AtDesk,
    door: Door,
    clock: Clock,
    *,
    form: JoinForm | None = None,
    refusal: Refusal | None = None,
    kept: bool = False,
) -> Response[str]:
    async with door.db.read() as tx:
        who = await clerk_in(tx, door.kit, clerk)
        waiting = await waiting_joins.listed(tx, door.kit, who, now=clock.now())
    return page(
        request,
        "support_joins.html",
        refusal=refusal,
        here=HOME,
        waiting=waiting,
        form=form or JoinForm(),
        kept=kept,
        errors=errors_of(refusal),
        conflicts=refusal.facts.get("conflicts", []) if refusal else [],
        age=ages(request, clock.now()),
    )
