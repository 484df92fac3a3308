"""The desk: two accounts of one person, joined when a second clerk says so too (case R26)."""

from __future__ import annotations

from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from backend.errors import Conflict, FieldError, FieldsInvalid, NotFound, Refusal, TooMany, gather, settle
from backend.openness import Openness
from backend.roles import desk_joins, waiting_joins
from backend.roles.waiting_joins import Pair
from backend.support import texts
from workspace import forms, fresh
from workspace.call import Call
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
    async def show(self, call: NamedDependency[Call[AtDesk]]) -> Response[str]:
        """What waits for a second clerk, and the form, as it was left."""
        left = await fresh.left(call, JoinForm, back=HOME)
        return await _page(call, form=left, kept=left is not None)

    @post(name="workspace.join_propose", status_code=200)
    async def propose(self, call: NamedDependency[Call[AtDesk]]) -> Response[str] | Redirect:
        """One clerk's word; both people are told."""
        form, now = await forms.read(call.request, JoinForm), call.now()
        if ask := await fresh.wanted(call, form, back=HOME):
            return ask
        bad: list[FieldError] = []
        gather(bad, lambda: texts.line_of_the_desk("grounds", form.grounds))
        try:
            pair = settle(await forms.all_at_once(bad, _pair(call, form)))
            async with call.write() as tx:
                who = await clerk_in(tx, call.kit, call.who)
                outcome = await desk_joins.propose(tx, call.kit, pair, form.grounds, clerk=who, now=now)
            settle(outcome)
        except (Conflict, FieldsInvalid, TooMany, desk_joins.OwnJoin) as refusal:
            return await _page(call, form=form, refusal=refusal)
        return Redirect(HOME, status_code=303)

    @post("/{proposal_id:uuid}/confirm", name="workspace.join_confirm", status_code=200)
    async def confirm(
        self, call: NamedDependency[Call[AtDesk]], proposal_id: FromPath[UUID]
    ) -> Response[str] | Redirect:
        """The second clerk's word: the two accounts are one."""
        form = await forms.read(call.request, forms.NoFields)
        if ask := await fresh.wanted(call, form, back=HOME):
            return ask
        try:
            async with call.write() as tx:
                who = await clerk_in(tx, call.kit, call.who)
                outcome = await desk_joins.confirm(tx, call.kit, proposal_id, clerk=who, now=call.now())
            settle(outcome)
        except (Conflict, NotFound, desk_joins.OwnJoin) as refusal:
            return await _page(call, refusal=refusal)
        return Redirect(HOME, status_code=303)

    @post("/{proposal_id:uuid}/refuse", name="workspace.join_refuse", status_code=200)
    async def refuse(
        self, call: NamedDependency[Call[AtDesk]], proposal_id: FromPath[UUID]
    ) -> Response[str] | Redirect:
        """No, or the proposer's own second thought; nothing has changed."""
        await forms.read(call.request, forms.NoFields)
        try:
            async with call.write() as tx:
                who = await clerk_in(tx, call.kit, call.who)
                outcome = await desk_joins.refuse(tx, call.kit, proposal_id, clerk=who, now=call.now())
            settle(outcome)
        except (NotFound, desk_joins.OwnJoin) as refusal:
            return await _page(call, refusal=refusal)
        return Redirect(HOME, status_code=303)


async def _pair(call: Call[AtDesk], form: JoinForm) -> Pair | Refusal:
    """Who has the two numbers; that it was asked stays written down, whatever else is wrong with the form."""
    typed, old = form.national_id, form.old_id_number
    async with call.write() as tx:
        who = await clerk_in(tx, call.kit, call.who)
        return await desk_joins.looked_up(tx, call.kit, who, national_id=typed, old_id=old, now=call.now())


async def _page(
    call: Call[AtDesk], *, form: JoinForm | None = None, refusal: Refusal | None = None, kept: bool = False
) -> Response[str]:
    async with call.db.read() as tx:
        who = await clerk_in(tx, call.kit, call.who)
        waiting = await waiting_joins.listed(tx, call.kit, who, now=call.now())
    return page(
        call.request,
        "support_joins.html",
        refusal=refusal,
        here=HOME,
        waiting=waiting,
        form=form or JoinForm(),
        kept=kept,
        errors=errors_of(refusal, forms.boxes(JoinForm)),
        conflicts=refusal.facts.get("conflicts", []) if refusal else [],
        age=ages(call.request, call.now()),
    )
