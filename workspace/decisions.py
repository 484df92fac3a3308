"""One request in full, and the word that a manager says about it (rules 820, 611)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession

from backend.errors import Conflict, FieldsInvalid, Refusal, settle
from backend.kit import Kit
from backend.openness import Openness
from backend.roles import dossier, inbox, opened, policy, reasons, review
from backend.roles.views import RequestView
from workspace import forms, fresh, outcome, saying
from workspace.auth import Visit
from workspace.call import Call
from workspace.lists import PAGE
from workspace.manager import Manager
from workspace.pages import errors_of, go, lang_of, page


class DecideForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The word, its reason, and the version of the request that the manager saw."""

    decision: Literal["approved", "rejected", "returned"]
    version: int
    reason: str = ""
    keep: str = ""
    keep_reason: str = ""
    confirmed: str = ""
    usual: str = ""

    @property
    def why(self) -> str:
        """What was written, else the usual reason that was chosen."""
        return self.reason.strip() or self.usual


class Shown(msgspec.Struct, frozen=True):
    """Which request was decided just before."""

    after: UUID | None = None


class RequestController(Controller):
    """What one request is about, and what is done to it."""

    path = "/requests/{request_id:uuid}"
    opt = {"open_to": Openness.MANAGER}

    @get(name="workspace.request")
    async def show(self, call: NamedDependency[Call[Manager]], request_id: FromPath[UUID]) -> Response[str]:
        """Who asks for what, why here, what it changes where, and how far it has come."""
        back = f"/workspace/requests/{request_id}"
        said = await fresh.left(call, DecideForm, back=back)
        return await _page(call, request_id, said=said, kept=said is not None)

    @post("/decision", name="workspace.decide")
    async def decide(self, call: NamedDependency[Call[Manager]], request_id: FromPath[UUID]) -> Response[Any]:
        """Say the word; a page that had grown old is told so and changes nothing (rule 614).

        The next request opens, and the word just said can be taken back below it (W12).
        """
        form = await forms.read(call.request, DecideForm)
        back = f"/workspace/requests/{request_id}"
        if ask := await fresh.wanted(call, form, back=back):
            return ask
        try:
            async with call.write() as tx:
                outcome = await review.decide(
                    tx,
                    call.kit,
                    request_id,
                    form.decision,
                    form.why,
                    version=form.version,
                    by=call.who.account_id,
                    now=call.now(),
                    how=saying.how(form),
                )
            settle(outcome)
        except (Conflict, FieldsInvalid) as refusal:
            return await _page(call, request_id, refusal=refusal, said=form)
        async with call.read(goes_on=True) as tx:
            onward = await inbox.next_after(tx, call.kit, call.who.account_id, request_id, now=call.now())
        return go(call.request, f"/workspace/requests/{onward}?after={request_id}" if onward else back)

    @post("/opened", name="workspace.opened")
    async def note_opened(
        self, call: NamedDependency[Call[Manager]], request_id: FromPath[UUID]
    ) -> Response[Any]:
        """The page tells by itself that it lies open, for whoever else could decide (rule 631)."""
        await forms.read(call.request, forms.NoFields)
        now, reader = call.now(), call.who.account_id
        async with call.write() as tx:
            asked = await dossier.view(tx, call.kit, request_id, reader, now=now)
            if asked.why_not_decide is None:
                await opened.note(tx, request_id, by=reader, now=now)
        return Response(None, status_code=204)

    @post("/undo", name="workspace.undo")
    async def undo(self, call: NamedDependency[Call[Manager]], request_id: FromPath[UUID]) -> Response[Any]:
        """Take the word back while nothing has left the house; the server's clock decides (rule 702)."""
        await forms.read(call.request, forms.NoFields)
        try:
            async with call.write() as tx:
                outcome = await review.undo(tx, call.kit, request_id, by=call.who.account_id, now=call.now())
            settle(outcome)
        except Conflict as refusal:
            return await _page(call, request_id, refusal=refusal)
        return go(call.request, f"/workspace/requests/{request_id}")


async def _page(
    call: Call[Manager],
    request_id: UUID,
    *,
    refusal: Refusal | None = None,
    said: DecideForm | None = None,
    kept: bool = False,
) -> Response[str]:
    now = call.now()
    async with call.read() as tx:
        by = call.who.account_id
        waiting = await inbox.waiting(tx, call.kit, by, now=now, most=PAGE)
        asked = await dossier.view(tx, call.kit, request_id, by, now=now)
        onward = await inbox.next_beside(tx, call.kit, by, waiting, request_id, now=now)
        seen = await _seen(tx, call, asked, now)
        usual = await reasons.usual(tx, call.kit, [step.unit_id for step in asked.steps])
        last = await _last(tx, call.kit, call.request, call.who, now)
    return page(
        call.request,
        "request.html",
        refusal=refusal,
        here=f"/workspace/requests/{request_id}{f'?after={last.id}' if last else ''}",  # looked at again
        asked=asked,
        outcome=outcome.of(asked),
        matrix=outcome.matrix(asked.effects),
        stale=outcome.told(asked, refusal, lang_of(call.request)) if isinstance(refusal, Conflict) else "",
        errors=errors_of(refusal) if isinstance(refusal, FieldsInvalid) else [],
        kept=kept,
        queue=waiting,
        later=onward,
        seen=seen,
        usual=usual,
        last=last,
        last_outcome=outcome.of(last) if last else None,
        decided=outcome.done(asked, lang_of(call.request)),
        said=said or DecideForm("approved", asked.version),
    )


async def _seen(tx: AsyncSession, call: Call[Manager], asked: RequestView, now: datetime) -> opened.Seen:
    """Who else has it open, for whoever may decide it."""
    if asked.why_not_decide is not None:
        return opened.Seen([], is_new=False)
    return await opened.seen(tx, call.kit, asked.id, call.who.account_id, now=now)


async def _last(
    tx: AsyncSession, kit: Kit, request: Visit, manager: Manager, now: datetime
) -> RequestView | None:
    """The request decided just before, while that can be taken back."""
    after = forms.query(request, Shown).after
    if after is None:
        return None
    try:
        asked = await dossier.view(tx, kit, after, manager.account_id, now=now)
    except policy.RequestNotFound:
        return None
    return asked if asked.undo_until else None
