"""The desk: a name corrected by a document when a second clerk has read it too (rule 1107; case R37)."""

from __future__ import annotations

from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from backend.accounts.identity import correcting, documents
from backend.accounts.identity.documents import Draft
from backend.errors import Conflict, FieldError, FieldsInvalid, NotFound, Refusal, TooMany, gather, settle
from backend.openness import Openness
from workspace import forms, fresh
from workspace.call import Call
from workspace.clerk import clerk_in
from workspace.helping import holder
from workspace.manager import AtDesk
from workspace.pages import ages, errors_of, page

HOME = "/workspace/support/names"


class NameForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose name, as which paper has it, and what the clerk has seen."""

    national_id: str = ""
    full_name: str = ""
    document: str = ""
    document_number: str = ""
    grounds: str = ""


class PaperForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The number that the second clerk reads on the paper."""

    document_number: str = ""


class NamesController(Controller):
    """What waits, a new proposal, and the word of the second clerk."""

    path = "/support/names"
    opt = {"open_to": Openness.CLERK}

    @get(name="workspace.names")
    async def show(self, call: NamedDependency[Call[AtDesk]]) -> Response[str]:
        """What waits for a second clerk, and the form, as it was left."""
        left = await fresh.left(call, NameForm, back=HOME)
        return await _page(call, form=left, kept=left is not None)

    @post(name="workspace.name_propose", status_code=200)
    async def propose(self, call: NamedDependency[Call[AtDesk]]) -> Response[str] | Redirect:
        """One clerk's word; the person is told."""
        form, now = await forms.read(call.request, NameForm), call.now()
        if ask := await fresh.wanted(call, form, back=HOME):
            return ask
        draft = Draft(form.full_name, form.document, form.document_number, form.grounds)
        bad: list[FieldError] = []
        gather(bad, lambda: draft.tidy(now))
        try:
            account_id = settle(await forms.all_at_once(bad, holder(call, form.national_id)))
            async with call.write() as tx:
                who = await clerk_in(tx, call.kit, call.who)
                outcome = await correcting.propose(tx, call.kit, account_id, draft, clerk=who, now=now)
            settle(outcome)
        except (Conflict, FieldsInvalid, TooMany, correcting.OwnName) as refusal:
            return await _page(call, form=form, refusal=refusal)
        return Redirect(HOME, status_code=303)

    @post("/{proposal_id:uuid}/confirm", name="workspace.name_confirm", status_code=200)
    async def confirm(
        self, call: NamedDependency[Call[AtDesk]], proposal_id: FromPath[UUID]
    ) -> Response[str] | Redirect:
        """The second clerk's word: the account has the name, and every system is told."""
        form, now = await forms.read(call.request, PaperForm), call.now()
        if ask := await fresh.wanted(call, form, back=HOME):
            return ask
        try:
            async with call.write() as tx:
                who = await clerk_in(tx, call.kit, call.who)
                outcome = await correcting.confirm(
                    tx, call.kit, proposal_id, form.document_number, clerk=who, now=now
                )
            settle(outcome)
        except (Conflict, FieldsInvalid, NotFound, TooMany, correcting.OwnName) as refusal:
            return await _page(call, refusal=refusal)
        return Redirect(HOME, status_code=303)

    @post("/{proposal_id:uuid}/refuse", name="workspace.name_refuse", status_code=200)
    async def refuse(
        self, call: NamedDependency[Call[AtDesk]], proposal_id: FromPath[UUID]
    ) -> Response[str] | Redirect:
        """No, or the proposer's own second thought; nothing has changed."""
        await forms.read(call.request, forms.NoFields)
        try:
            async with call.write() as tx:
                who = await clerk_in(tx, call.kit, call.who)
                outcome = await correcting.refuse(tx, call.kit, proposal_id, clerk=who, now=call.now())
            settle(outcome)
        except (NotFound, correcting.OwnName) as refusal:
            return await _page(call, refusal=refusal)
        return Redirect(HOME, status_code=303)


async def _page(
    call: Call[AtDesk], *, form: NameForm | None = None, refusal: Refusal | None = None, kept: bool = False
) -> Response[str]:
    async with call.db.read() as tx:
        who = await clerk_in(tx, call.kit, call.who)
        waiting = await documents.listed(tx, call.kit, who, now=call.now())
    return page(
        call.request,
        "support_names.html",
        refusal=refusal,
        here=HOME,
        waiting=waiting,
        form=form or NameForm(),
        kept=kept,
        errors=errors_of(refusal, forms.boxes(NameForm)),
        age=ages(call.request, call.now()),
    )
