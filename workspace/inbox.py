"""The queue of a manager: what waits, oldest first, decided one by one or many at once (rule 820)."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from backend.db import Database
from backend.errors import FieldError, FieldsInvalid, Refusal, settle
from backend.kit import Kit
from backend.openness import Openness
from backend.outside.clock import Clock
from backend.roles import forms as role_forms
from backend.roles import inbox, queue
from backend.roles.carried import How
from backend.roles.movements import Kind
from backend.words import mark as _
from workspace import forms, fresh
from workspace.auth import Visit
from workspace.decisions import say_word
from workspace.forms import FormMalformed
from workspace.manager import Manager
from workspace.pages import ages, page

PAGE = 25
AGAIN = "/workspace/bulk"


class Filters(msgspec.Struct, frozen=True):
    """What the list is narrowed to; each is a plain parameter of the address."""

    q: str = ""
    kind: Literal[""] | Kind = ""
    unit: str = ""
    late: Literal["", "1"] = ""
    cursor: str = ""


class BulkForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Many requests, one word. A pick is `request:version`, so that a stale row is told so."""

    decision: Literal["approved", "rejected"]
    pick: list[str] = []
    reason: str = ""


class Result(msgspec.Struct, frozen=True):
    """What became of one of many."""

    id: UUID
    name: str
    refusal: str | None


class InboxController(Controller):
    """The list, and what is done to many of it at once."""

    path = "/"
    opt = {"open_to": Openness.MANAGER}

    @get(name="workspace.inbox")
    async def show(
        self,
        request: Visit,
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """The requests that wait for this manager."""
        filters = forms.query(request, Filters)
        async with db.read() as tx:
            found = await inbox.waiting(
                tx,
                kit,
                manager.account_id,
                q=filters.q or None,
                kind=filters.kind or None,
                unit=filters.unit or None,
                late=bool(filters.late),
                cursor=filters.cursor or None,
                most=PAGE,
            )
        return page(
            request,
            "inbox.html",
            items=found.items,
            next_cursor=found.next_cursor,
            total=found.total,
            is_all=found.is_all,
            filters=filters,
            filtered=bool(filters.q or filters.kind or filters.unit or filters.late),
            age=ages(request, clock.now()),
            kept=False,
            said=BulkForm("approved"),
        )

    @get("/bulk", name="workspace.bulk_again")
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
        async with db.read() as tx:
            found = await inbox.waiting(tx, kit, manager.account_id, only=picked, most=kit.limits.bulk_most)
        return page(
            request,
            "inbox.html",
            items=found.items,
            next_cursor=None,
            total=found.total,
            is_all=found.is_all,
            filters=Filters(),
            filtered=True,
            age=ages(request, clock.now()),
            kept=True,
            said=form,
        )

    @post("/bulk", name="workspace.bulk", status_code=200)
    async def decide_many(
        self,
        request: Visit,
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """One transaction per request: one that cannot be decided does not hold the others back."""
        form = await forms.read(request, BulkForm)
        picks = [_pick(text) for text in dict.fromkeys(form.pick)]
        if not picks or len(picks) > kit.limits.bulk_most:
            raise FieldsInvalid(FieldError("pick", "count", _("Hãy chọn từ 1 đến 100 yêu cầu")))
        if form.decision == "rejected":
            role_forms.reason(form.reason)  # once for all of them, before the first is decided
        ask = await fresh.wanted(
            request, db, kit, clock, manager, form, back=AGAIN, max_age=kit.limits.reauth_bulk
        )
        if ask is not None:
            return ask
        results = [
            await _decided(db, kit, clock, manager, form, request_id, version)
            for request_id, version in picks
        ]
        done = sum(result.refusal is None for result in results)
        return page(request, "bulk.html", results=results, done=done, decision=form.decision)


def _pick(text: str) -> tuple[UUID, int]:
    request_id, _sep, version = text.partition(":")
    try:
        return UUID(request_id), int(version)
    except ValueError as error:
        raise FormMalformed from error


async def _decided(
    db: Database,
    kit: Kit,
    clock: Clock,
    manager: Manager,
    form: BulkForm,
    request_id: UUID,
    version: int,
) -> Result:
    """One of many in a transaction of its own."""
    refusal: Refusal | None = None
    try:
        async with db.write() as tx:
            outcome = await say_word(
                tx,
                kit,
                request_id,
                form.decision,
                reason=form.reason,
                version=version,
                by=manager.account_id,
                now=clock.now(),
                how=How(many=True),
            )
        settle(outcome)
    except Refusal as no:
        refusal = no
    async with db.read() as tx:
        name = await queue.name_for(tx, kit, request_id, manager.account_id)
    return Result(request_id, name or str(request_id), refusal.title if refusal else None)
