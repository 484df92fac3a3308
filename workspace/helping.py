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
from backend.errors import (
    FieldError,
    FieldsInvalid,
    Forbidden,
    Gone,
    NotFound,
    Refusal,
    TooMany,
    gather,
    settle,
)
from backend.openness import Openness
from backend.support import texts
from workspace import forms, fresh
from workspace.auth import Visit
from workspace.call import Call
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
    async def show(self, call: NamedDependency[Call[AtDesk]]) -> Response[str]:
        """The form, as it was left before a sign-in."""
        left = await fresh.left(call, PersonForm, back=HOME)
        return _page(call.request, left or PersonForm(), kept=left is not None)

    @post(name="workspace.person_help", status_code=200)
    async def act(self, call: NamedDependency[Call[AtDesk]], door: NamedDependency[Door]) -> Response[str]:
        """Look, or do one thing; what was done is told to the person, never the other way round."""
        form = await forms.read(call.request, PersonForm)
        if form.act != "find" and (ask := await fresh.wanted(call, form, back=HOME)):
            return ask
        account_id: UUID | None = None
        bad: list[FieldError] = []
        if form.act == "thaw":
            gather(bad, lambda: texts.line_of_the_desk("reason", form.reason))

        async def whose() -> UUID | Refusal:
            """Whom the page goes on to show, whatever else is wrong."""
            nonlocal account_id
            found = await holder(call, form.national_id)
            account_id = found if isinstance(found, UUID) else None
            return found

        try:
            await _done(call, form, settle(await forms.all_at_once(bad, whose())))
        except REFUSED as refusal:
            return await _found(call, form, account_id, refusal=refusal)
        answer = await _found(call, form, account_id, done=form.act)
        answer.background = BackgroundTask(door.texts.round)
        return answer


async def holder(call: Call[AtDesk], number: str) -> UUID | Refusal:
    """Who has a number; that it was asked stays written down, whatever else is wrong with the form."""
    async with call.write() as tx:
        who = await clerk_in(tx, call.kit, call.who)
        return await helping.looked_up(tx, call.kit, number, clerk=who, now=call.now())


async def _done(call: Call[AtDesk], form: PersonForm, account_id: UUID) -> None:
    """Do what was asked."""
    now = call.now()
    outcome: object = None
    async with call.write() as tx:
        who = await clerk_in(tx, call.kit, call.who)
        match form.act:
            case "thaw":
                outcome = await helping.thaw(tx, call.kit, account_id, form.reason, clerk=who, now=now)
            case "code":
                outcome = await helping.code_again(tx, call.kit, account_id, clerk=who, now=now)
            case "notices":
                outcome = await helping.notices_again(tx, call.kit, account_id, clerk=who, now=now)
    settle(outcome)


async def _found(
    call: Call[AtDesk],
    form: PersonForm,
    account_id: UUID | None,
    *,
    done: str = "",
    refusal: Refusal | None = None,
) -> Response[str]:
    person = None
    if account_id is not None:
        async with call.db.read() as tx:
            person = await helping.shown(tx, call.kit, account_id, now=call.now())
    return _page(call.request, form, person=person, done=done, refusal=refusal)


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
        errors=errors_of(refusal, forms.boxes(PersonForm)),
    )
