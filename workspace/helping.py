"""The desk: somebody who asks for help by personal number; looked at masked, thawed, sent to again (rule 1108; R37)."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.background_tasks import BackgroundTask
from litestar.di import NamedDependency

from backend.accounts import helping, hotline
from backend.accounts.door import Door
from backend.devices import takeover
from backend.errors import FieldsInvalid, Forbidden, Gone, NotFound, Refusal, TooMany, settle
from backend.openness import Openness
from backend.outside.clock import Clock
from workspace import forms, fresh
from workspace.auth import Visit
from workspace.clerk import clerk_in
from workspace.manager import AtDesk
from workspace.pages import errors_of, page

HOME = "/workspace/support/person"
REFUSED = (FieldsInvalid, Forbidden, Gone, NotFound, TooMany, takeover.NotFrozen)


class PersonForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose number, what to do, and how the person was checked where that is asked."""

    act: Literal["find", "thaw", "code", "notices"] = "find"
    national_id: str = ""
    reason: str = ""


class PersonController(Controller):
    """A number is typed, and stands in no address."""

    path = "/support/person"
    opt = {"open_to": Openness.CLERK}

    @get(name="workspace.person_helped")
    async def show(
        self,
        request: Visit,
        clerk: NamedDependency[AtDesk],
        door: NamedDependency[Door],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """The form, as it was left before a sign-in."""
        left = await fresh.left(request, door.db, door.kit, clock, clerk, PersonForm, back=HOME)
        return _page(request, left or PersonForm(), kept=left is not None)

    @post(name="workspace.person_help", status_code=200)
    async def act(
        self,
        request: Visit,
        clerk: NamedDependency[AtDesk],
        door: NamedDependency[Door],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """Look, or do one thing; what was done is told to the person, never the other way round."""
        form, now = await forms.read(request, PersonForm), clock.now()
        if form.act != "find" and (
            ask := await fresh.wanted(request, door.db, door.kit, clock, clerk, form, back=HOME)
        ):
            return ask
        account_id: UUID | None = None
        try:
            async with door.db.write() as tx:
                who = await clerk_in(tx, door.kit, clerk)
                found = await helping.looked_up(tx, door.kit, form.national_id, clerk=who, now=now)
            account_id = settle(found)
            await _done(form, account_id, clerk, door, clock)
        except REFUSED as refusal:
            return await _found(request, form, account_id, door, clock, refusal=refusal)
        answer = await _found(request, form, account_id, door, clock, done=form.act)
        answer.background = BackgroundTask(door.texts.round)
        return answer


async def _done(form: PersonForm, account_id: UUID, clerk: AtDesk, door: Door, clock: Clock) -> None:
    """Do what was asked."""
    now, kit = clock.now(), door.kit
    outcome: object = None
    async with door.db.write() as tx:
        who = await clerk_in(tx, kit, clerk)
        match form.act:
            case "thaw":
                outcome = await helping.thaw(tx, kit, account_id, form.reason, clerk=who, now=now)
            case "code":
                outcome = await helping.code_again(tx, kit, account_id, clerk=who, now=now)
            case "notices":
                outcome = await helping.notices_again(tx, kit, account_id, clerk=who, now=now)
    settle(outcome)


async def _found(
    request: Visit,
    form: PersonForm,
    account_id: UUID | None,
    door: Door,
    clock: Clock,
    *,
    done: str = "",
    refusal: Refusal | None = None,
) -> Response[str]:
    person = None
    if account_id is not None:
        async with door.db.read() as tx:
            person = await helping.shown(tx, door.kit, account_id, now=clock.now())
    return _page(request, form, person=person, done=done, refusal=refusal)


def _page(
    request: Visit,
    form: PersonForm,
    *,
    person: hotline.Found | None = None,
    done: str = "",
    kept: bool = False,
    refusal: Refusal | None = None,
) -> Response[str]:
    return page(
        request,
        "support_person.html",
        refusal=refusal,
        here=HOME,
        form=form,
        person=person,
        done=done,
        kept=kept,
        errors=errors_of(refusal),
    )
