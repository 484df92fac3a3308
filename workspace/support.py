"""The desk: requests for help, answered and closed here; nothing here can show or ask for a secret (source 004)."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from backend import paging
from backend.errors import (
    Conflict,
    FieldError,
    FieldsInvalid,
    Forbidden,
    NotFound,
    Refusal,
    TooMany,
    gather,
    settle,
)
from backend.openness import Openness
from backend.settings import Settings
from backend.support import cases, reading, resending
from workspace import callers, forms, fresh
from workspace.auth import Visit
from workspace.call import Call
from workspace.clerk import clerk_in
from workspace.manager import AtDesk
from workspace.pages import ages, errors_of, page

PAGE = 25
HOME = "/workspace/support"


class Filters(msgspec.Struct, frozen=True):
    """Which cases, and from where on."""

    status: Literal["", "open", "answered", "closed"] = ""
    cursor: UUID | None = None


class CounterForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The counter: a code as the caller reads it, and what to do with that case."""

    act: Literal["find", "answer", "close", "open"] = "find"
    code: str = ""
    text: str = ""


class CaseForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A word about the case that is shown."""

    act: Literal["answer", "close", "mail"]
    text: str = ""


class NewForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A case for somebody on the telephone: by personal number, or by mail address."""

    person: str = ""
    desk: str = ""
    subject: str = ""
    text: str = ""


class SupportController(Controller):
    """The list, the counter, one case, a new one."""

    path = "/support"
    opt = {"open_to": Openness.CLERK}

    @get(name="workspace.support")
    async def show(self, call: NamedDependency[Call[AtDesk]]) -> Response[str]:
        """The cases of the clerk's desks, newest first."""
        left = await fresh.left(call, CounterForm, back=HOME)
        return await _list(call, forms.query(call.request, Filters), form=left, kept=left is not None)

    @post("/counter", name="workspace.support_counter", status_code=200)
    async def counter(
        self, call: NamedDependency[Call[AtDesk]], settings: NamedDependency[Settings]
    ) -> Response[str] | Redirect:
        """Find, answer or close by code, or begin a new case with the text typed so far."""
        form = await forms.read(call.request, CounterForm)
        if form.act == "open":
            return _new(call.request, call.who, NewForm(text=form.text))
        try:
            async with call.db.read() as tx:
                case = await reading.by_code(
                    tx, call.kit, await clerk_in(tx, call.kit, call.who), form.code, now=call.now()
                )
            if form.act != "find":
                word = CaseForm(act=form.act, text=form.text)
                await _say(call, settings, case.id, word)
        except (Conflict, FieldsInvalid, Forbidden, NotFound) as refusal:
            return await _list(call, Filters(), form=form, refusal=refusal)
        return Redirect(f"{HOME}/{case.id}", status_code=303)

    @get("/new", name="workspace.support_new")
    async def ask_new(self, call: NamedDependency[Call[AtDesk]]) -> Response[str]:
        """For whom, and about what."""
        left = await fresh.left(call, NewForm, back=f"{HOME}/new")
        return _new(call.request, call.who, left or NewForm(), kept=left is not None)

    @post("/new", name="workspace.support_open")
    async def open(
        self, call: NamedDependency[Call[AtDesk]], settings: NamedDependency[Settings]
    ) -> Response[str] | Redirect:
        """Open it; the person reads the code in the app or by mail, so the clerk need not be believed."""
        form = await forms.read(call.request, NewForm)
        draft = cases.Draft(subject=form.subject, text=form.text, desk=form.desk or None)
        now = call.now()
        bad: list[FieldError] = []
        gather(bad, lambda: cases.written(draft))
        try:
            person = settle(await forms.all_at_once(bad, callers.holder(call, form.person)))
            async with call.write() as tx:
                case = await cases.open_for(
                    tx,
                    call.kit,
                    draft,
                    clerk=await clerk_in(tx, call.kit, call.who),
                    account_id=person if isinstance(person, UUID) else None,
                    mail_address=person if isinstance(person, str) else None,
                    form=settings.support_subject_tag,
                    now=now,
                )
        except (FieldsInvalid, Forbidden, TooMany) as refusal:
            return _new(call.request, call.who, form, refusal=refusal)
        return Redirect(f"{HOME}/{case.id}", status_code=303)

    @get("/{case_id:uuid}", name="workspace.support_case")
    async def case(self, call: NamedDependency[Call[AtDesk]], case_id: FromPath[UUID]) -> Response[str]:
        """What was written, and a place to answer."""
        left = await fresh.left(call, CaseForm, back=f"{HOME}/{case_id}")
        return await _case(call, case_id, text=left.text if left else "", kept=left is not None)

    @post("/{case_id:uuid}", name="workspace.support_word")
    async def say(
        self,
        call: NamedDependency[Call[AtDesk]],
        case_id: FromPath[UUID],
        settings: NamedDependency[Settings],
    ) -> Response[str] | Redirect:
        """Answer, close, or send the last mail again; a text that asks for a secret is not sent."""
        form = await forms.read(call.request, CaseForm)
        try:
            await _say(call, settings, case_id, form)
        except (Conflict, FieldsInvalid, TooMany, cases.OwnCase, resending.NoMail) as refusal:
            return await _case(call, case_id, text=form.text, refusal=refusal)
        return Redirect(f"{HOME}/{case_id}", status_code=303)


async def _say(call: Call[AtDesk], settings: Settings, case_id: UUID, form: CaseForm) -> None:
    now = call.now()
    async with call.write() as tx:
        who = await clerk_in(tx, call.kit, call.who)
        if form.act == "close":
            outcome = await cases.close(tx, call.kit, case_id, clerk=who, now=now)
        elif form.act == "mail":
            outcome = await resending.mail_again(tx, call.kit, case_id, clerk=who, now=now)
        else:
            tag = settings.support_subject_tag
            outcome = await cases.answer(tx, call.kit, case_id, form.text, clerk=who, form=tag, now=now)
    settle(outcome)


async def _list(
    call: Call[AtDesk],
    filters: Filters,
    *,
    form: CounterForm | None = None,
    refusal: Refusal | None = None,
    kept: bool = False,
) -> Response[str]:
    async with call.db.read() as tx:
        who = await clerk_in(tx, call.kit, call.who)
        status = filters.status or None
        found = await reading.inbox(
            tx, call.kit, who, now=call.now(), status=status, before=filters.cursor, most=PAGE + 1
        )
    shown, more = paging.cut(found, PAGE)
    return page(
        call.request,
        "support.html",
        refusal=refusal,
        here=HOME if refusal else None,
        cases=shown,
        next_cursor=str(shown[-1].id) if more else "",
        filters=filters,
        form=form or CounterForm(),
        kept=kept,
        errors=errors_of(refusal),
        age=ages(call.request, call.now()),
    )


async def _case(
    call: Call[AtDesk], case_id: UUID, *, text: str = "", refusal: Refusal | None = None, kept: bool = False
) -> Response[str]:
    async with call.db.read() as tx:
        case = await reading.one(
            tx, call.kit, await clerk_in(tx, call.kit, call.who), case_id, now=call.now()
        )
    return page(
        call.request,
        "support_case.html",
        refusal=refusal,
        here=f"{HOME}/{case_id}",
        case=case,
        is_genuine=call.now() < case.valid_until,
        text=text,
        kept=kept,
        errors=errors_of(refusal),
    )


def _new(
    request: Visit, clerk: AtDesk, form: NewForm, *, refusal: Refusal | None = None, kept: bool = False
) -> Response[str]:
    return page(
        request,
        "support_new.html",
        refusal=refusal,
        here=f"{HOME}/new",
        desks=clerk.desks,
        form=form,
        kept=kept,
        errors=errors_of(refusal, forms.boxes(NewForm)),
    )
