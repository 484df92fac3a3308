"""Many requests, one word: each in a transaction of its own, told on one page, taken back together (W03, W11, F3)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from backend.errors import FieldError, FieldsInvalid, Refusal, settle
from backend.openness import Openness
from backend.roles import batches, queue, review
from backend.roles import forms as role_forms
from backend.roles.batches import Batch, Result
from backend.roles.carried import How
from workspace import forms, fresh, lists
from workspace.call import Call
from workspace.forms import FormMalformed
from workspace.lists import Filters
from workspace.manager import Manager
from workspace.pages import page

AGAIN = "/workspace/bulk"


class BulkForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Many requests, one word. A pick is `request:version`, so that a stale row is told so."""

    decision: Literal["approved", "rejected"]
    pick: list[str] = []
    reason: str = ""
    usual: str = ""

    @property
    def why(self) -> str:
        """What was written, else the usual reason that was chosen."""
        return self.reason.strip() or self.usual


class BulkController(Controller):
    """The press, its result, and taking it back."""

    path = "/bulk"
    opt = {"open_to": Openness.MANAGER}

    @get(name="workspace.bulk_again")
    async def again(self, call: NamedDependency[Call[Manager]]) -> Response[str] | Redirect:
        """Back from a fresher sign-in: the same requests, with the same ticks, as far as they still wait."""
        form = await fresh.left(call, BulkForm, back=AGAIN)
        if form is None:
            return Redirect("/workspace", status_code=303)
        picked = [_pick(text)[0] for text in form.pick]
        return await lists.shown(call, Filters(), said=form, only=picked, kept=True)

    @post(name="workspace.bulk")
    async def decide_many(self, call: NamedDependency[Call[Manager]]) -> Response[str] | Redirect:
        """One that cannot be decided does not hold the others back; what is missing is said where it was pressed."""
        form = await forms.read(call.request, BulkForm)
        picks = [_pick(text) for text in dict.fromkeys(form.pick)]
        try:
            _ensure(form, picks, call.kit.limits.bulk_most)
        except FieldsInvalid as refusal:
            filters = forms.query(call.request, Filters)
            return await lists.shown(call, filters, said=form, refusal=refusal)
        ask = await fresh.wanted(call, form, back=AGAIN, max_age=call.kit.limits.reauth_bulk)
        if ask is not None:
            return ask
        now = call.now()  # one for all of them: one countdown
        results = [await _decided(call, form, *pick, now=now) for pick in picks]
        until = now + timedelta(seconds=call.kit.limits.undo_window)
        return await _told(call, Batch(form.decision, results, until), now)

    @get("/{batch_id:uuid}", name="workspace.bulk_result")
    async def result(self, call: NamedDependency[Call[Manager]], batch_id: FromPath[UUID]) -> Response[str]:
        """What became of each; a page of its own, so that Back and reload change nothing."""
        now = call.now()
        async with call.db.read() as tx:
            batch = await batches.batch_of(tx, call.kit, batch_id, call.who.account_id, now=now)
        may_undo = batch.undo_until is not None and now < batch.undo_until and batch.done
        here = f"{AGAIN}/{batch_id}"
        return page(
            call.request,
            "bulk.html",
            here=here,
            batch=batch,
            undo_until=batch.undo_until if may_undo else None,
        )

    @post("/{batch_id:uuid}/undo", name="workspace.bulk_undo")
    async def undo(self, call: NamedDependency[Call[Manager]], batch_id: FromPath[UUID]) -> Redirect:
        """Take back what can be taken back, each in its transaction; what cannot is named."""
        await forms.read(call.request, forms.NoFields)
        now = call.now()
        async with call.db.read() as tx:
            batch = await batches.batch_of(tx, call.kit, batch_id, call.who.account_id, now=now)
        results = [await _undone(call, result, now=now) for result in batch.done]
        return await _told(call, Batch("undone", results, None), now)


def _ensure(form: BulkForm, picks: list[tuple[UUID, int]], most: int) -> None:
    if not picks:
        raise FieldsInvalid(FieldError("pick", "count", "Hãy chọn ít nhất một yêu cầu."))
    if len(picks) > most:
        raise FieldsInvalid(FieldError("pick", "count", "Hãy chọn từ 1 đến 100 yêu cầu"))
    if form.decision == "rejected":
        role_forms.reason(form.why)  # once for all of them, before the first is decided


def _pick(text: str) -> tuple[UUID, int]:
    request_id, _sep, version = text.partition(":")
    try:
        return UUID(request_id), int(version)
    except ValueError as error:
        raise FormMalformed from error


async def _told(call: Call[Manager], batch: Batch, now: datetime) -> Redirect:
    async with call.write() as tx:
        batch_id = await batches.keep(tx, call.kit, call.who.account_id, batch, now=now)
    return Redirect(f"{AGAIN}/{batch_id}", status_code=303)


async def _decided(
    call: Call[Manager], form: BulkForm, request_id: UUID, version: int, *, now: datetime
) -> Result:
    """One of many in a transaction of its own."""
    refusal: Refusal | None = None
    try:
        async with call.write() as tx:
            outcome = await review.decide(
                tx,
                call.kit,
                request_id,
                form.decision,
                form.why,
                version=version,
                by=call.who.account_id,
                now=now,
                how=How(many=True),
            )
        settle(outcome)
    except Refusal as no:
        refusal = no
    async with call.db.read() as tx:
        named = await queue.name_for(tx, call.kit, request_id, call.who.account_id, now=now)
    name, digits = named or (str(request_id), "")
    return Result(request_id, name, refusal.title if refusal else None, digits)


async def _undone(call: Call[Manager], result: Result, *, now: datetime) -> Result:
    """One of many taken back."""
    try:
        async with call.write() as tx:
            outcome = await review.undo(tx, call.kit, result.id, by=call.who.account_id, now=now)
        settle(outcome)
    except Refusal as no:
        return Result(result.id, result.name, no.title, result.digits)
    return result
