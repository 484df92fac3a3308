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

from backend.db import Database
from backend.errors import Conflict, FieldsInvalid, Refusal, settle
from backend.kit import Kit
from backend.openness import Openness
from backend.outside.clock import Clock
from backend.roles import dossier, inbox, policy, queue, reasons, review
from backend.roles.carried import How
from backend.roles.models import RoleRequest
from backend.roles.views import RequestView
from workspace import forms, fresh, outcome, saying
from workspace.auth import Visit
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


async def say_word(
    tx: AsyncSession,
    kit: Kit,
    request_id: UUID,
    decision: str,
    *,
    reason: str,
    version: int,
    by: UUID,
    now: datetime,
    how: How,
) -> RoleRequest | Refusal:
    """The use case behind each of the three buttons."""
    if decision == "approved":
        return await review.approve(tx, kit, request_id, version=version, by=by, now=now, how=how)
    word = review.reject if decision == "rejected" else review.send_back
    return await word(tx, kit, request_id, reason, version=version, by=by, now=now)


class RequestController(Controller):
    """What one request is about, and what is done to it."""

    path = "/requests/{request_id:uuid}"
    opt = {"open_to": Openness.MANAGER}

    @get(name="workspace.request")
    async def show(
        self,
        request: Visit,
        request_id: FromPath[UUID],
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """Who asks for what, why here, what it changes where, and how far it has come."""
        back = f"/workspace/requests/{request_id}"
        said = await fresh.left(request, db, kit, clock, manager, DecideForm, back=back)
        return await _page(request, db, kit, request_id, manager, clock, said=said, kept=said is not None)

    @post("/decision", name="workspace.decide")
    async def decide(
        self,
        request: Visit,
        request_id: FromPath[UUID],
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[Any]:
        """Say the word; a page that had grown old is told so and changes nothing (rule 614).

        The next request opens, and the word just said can be taken back below it (W12).
        """
        form = await forms.read(request, DecideForm)
        back = f"/workspace/requests/{request_id}"
        if ask := await fresh.wanted(request, db, kit, clock, manager, form, back=back):
            return ask
        try:
            async with db.write() as tx:
                outcome = await say_word(
                    tx,
                    kit,
                    request_id,
                    form.decision,
                    reason=form.why,
                    version=form.version,
                    by=manager.account_id,
                    now=clock.now(),
                    how=saying.how(form),
                )
            settle(outcome)
        except (Conflict, FieldsInvalid) as refusal:
            return await _page(request, db, kit, request_id, manager, clock, refusal=refusal, said=form)
        async with db.read() as tx:
            onward = await inbox.next_after(tx, kit, manager.account_id, request_id, now=clock.now())
        return go(request, f"/workspace/requests/{onward}?after={request_id}" if onward else back)

    @post("/undo", name="workspace.undo")
    async def undo(
        self,
        request: Visit,
        request_id: FromPath[UUID],
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[Any]:
        """Take the word back while nothing has left the house; the server's clock decides (rule 702)."""
        await forms.read(request, forms.NoFields)
        try:
            async with db.write() as tx:
                outcome = await review.undo(tx, kit, request_id, by=manager.account_id, now=clock.now())
            settle(outcome)
        except Conflict as refusal:
            return await _page(request, db, kit, request_id, manager, clock, refusal=refusal)
        return go(request, f"/workspace/requests/{request_id}")


async def _page(
    request: Visit,
    db: Database,
    kit: Kit,
    request_id: UUID,
    manager: Manager,
    clock: Clock,
    *,
    refusal: Refusal | None = None,
    said: DecideForm | None = None,
    kept: bool = False,
) -> Response[str]:
    now = clock.now()
    async with db.read() as tx:
        asked = await dossier.view(tx, kit, request_id, manager.account_id, now=now)
        waiting = await inbox.waiting(tx, kit, manager.account_id, now=now, most=PAGE)
        onward = await inbox.next_after(tx, kit, manager.account_id, request_id, now=now)
        usual = await reasons.usual(tx, kit, await queue.units_of(tx, request_id))
        last = await _last(tx, kit, request, manager, now)
    return page(
        request,
        "request.html",
        refusal=refusal,
        here=f"/workspace/requests/{request_id}",
        asked=asked,
        outcome=outcome.of(asked),
        matrix=outcome.matrix(asked.effects),
        stale=outcome.told(asked, refusal, lang_of(request)) if isinstance(refusal, Conflict) else "",
        errors=errors_of(refusal) if isinstance(refusal, FieldsInvalid) else [],
        kept=kept,
        queue=waiting,
        later=onward,
        usual=usual,
        last=last,
        last_outcome=outcome.of(last) if last else None,
        decided=outcome.done(asked, lang_of(request)),
        said=said or DecideForm("approved", asked.version),
    )


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
