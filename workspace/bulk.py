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

from backend.db import Database
from backend.errors import FieldError, FieldsInvalid, Refusal, settle
from backend.kit import Kit
from backend.openness import Openness
from backend.outside.clock import Clock
from backend.roles import batches, queue, review
from backend.roles import forms as role_forms
from backend.roles.batches import Batch, Result
from backend.roles.carried import How
from workspace import forms, fresh, lists
from workspace.auth import Visit
from workspace.decisions import say_word
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
    async def again(
        self,
        request: Visit,
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str] | Redirect:
        """Back from a fresher sign-in: the same requests, with the same ticks, as far as they still wait."""
        form = await fresh.left(request, db, kit, clock, manager, BulkForm, back=AGAIN)
        if form is None:
            return Redirect("/workspace", status_code=303)
        picked = [_pick(text)[0] for text in form.pick]
        return await lists.shown(
            request, db, kit, clock, manager, Filters(), said=form, only=picked, kept=True
        )

    @post(name="workspace.bulk")
    async def decide_many(
        self,
        request: Visit,
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str] | Redirect:
        """One that cannot be decided does not hold the others back; what is missing is said where it was pressed."""
        form = await forms.read(request, BulkForm)
        picks = [_pick(text) for text in dict.fromkeys(form.pick)]
        try:
            _ensure(form, picks, kit.limits.bulk_most)
        except FieldsInvalid as refusal:
            filters = forms.query(request, Filters)
            return await lists.shown(request, db, kit, clock, manager, filters, said=form, refusal=refusal)
        ask = await fresh.wanted(
            request, db, kit, clock, manager, form, back=AGAIN, max_age=kit.limits.reauth_bulk
        )
        if ask is not None:
            return ask
        now = clock.now()  # one for all of them: one countdown
        results = [await _decided(db, kit, manager, form, *pick, now=now) for pick in picks]
        until = now + timedelta(seconds=kit.limits.undo_window)
        return await _told(db, kit, manager, Batch(form.decision, results, until), now)

    @get("/{batch_id:uuid}", name="workspace.bulk_result")
    async def result(
        self,
        request: Visit,
        batch_id: FromPath[UUID],
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """What became of each; a page of its own, so that Back and reload change nothing."""
        now = clock.now()
        async with db.read() as tx:
            batch = await batches.batch_of(tx, kit, batch_id, manager.account_id, now=now)
        may_undo = batch.undo_until is not None and now < batch.undo_until and batch.done
        here = f"{AGAIN}/{batch_id}"
        return page(
            request, "bulk.html", here=here, batch=batch, undo_until=batch.undo_until if may_undo else None
        )

    @post("/{batch_id:uuid}/undo", name="workspace.bulk_undo")
    async def undo(
        self,
        request: Visit,
        batch_id: FromPath[UUID],
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Redirect:
        """Take back what can be taken back, each in its transaction; what cannot is named."""
        await forms.read(request, forms.NoFields)
        now = clock.now()
        async with db.read() as tx:
            batch = await batches.batch_of(tx, kit, batch_id, manager.account_id, now=now)
        results = [await _undone(db, kit, manager, result, now=now) for result in batch.done]
        return await _told(db, kit, manager, Batch("undone", results, None), now)


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


async def _told(db: Database, kit: Kit, manager: Manager, batch: Batch, now: datetime) -> Redirect:
    async with db.write() as tx:
        batch_id = batches.keep(tx, kit, manager.account_id, batch, now=now)
    return Redirect(f"{AGAIN}/{batch_id}", status_code=303)


async def _decided(
    db: Database, kit: Kit, manager: Manager, form: BulkForm, request_id: UUID, version: int, *, now: datetime
) -> Result:
    """One of many in a transaction of its own."""
    refusal: Refusal | None = None
    try:
        async with db.write() as tx:
            said = say_word(
                tx,
                kit,
                request_id,
                form.decision,
                reason=form.why,
                version=version,
                by=manager.account_id,
                now=now,
                how=How(many=True),
            )
            outcome = await said
        settle(outcome)
    except Refusal as no:
        refusal = no
    async with db.read() as tx:
        named = await queue.name_for(tx, kit, request_id, manager.account_id, now=now)
    name, digits = named or (str(request_id), "")
    return Result(request_id, name, refusal.title if refusal else None, digits)


async def _undone(db: Database, kit: Kit, manager: Manager, result: Result, *, now: datetime) -> Result:
    """One of many taken back."""
    try:
        async with db.write() as tx:
            outcome = await review.undo(tx, kit, result.id, by=manager.account_id, now=now)
        settle(outcome)
    except Refusal as no:
        return Result(result.id, result.name, no.title, result.digits)
    return result
