"""The desk: requests for help, answered and closed here; nothing here can show or ask for a secret (source 004)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from backend import paging
from backend.accounts.identity import numbers
from backend.db import Database
from backend.errors import Conflict, FieldError, FieldsInvalid, Forbidden, NotFound, Refusal, TooMany, settle
from backend.kit import Kit
from backend.openness import Openness
from backend.outside.clock import Clock
from backend.settings import Settings
from backend.support import cases, lookups, reading, resending
from backend.support.desks import is_address
from backend.typed import NATIONAL_ID
from workspace import forms
from workspace.auth import Visit
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
    subject: str = ""
    text: str = ""
    desk: str = ""


class SupportController(Controller):
    """The list, the counter, one case, a new one."""

    path = "/support"
    opt = {"open_to": Openness.CLERK}

    @get(name="workspace.support")
    async def show(
        self,
        request: Visit,
        clerk: NamedDependency[AtDesk],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """The cases of the clerk's desks, newest first."""
        return await _list(request, clerk, db, kit, clock, forms.query(request, Filters))

    @post("/counter", name="workspace.support_counter", status_code=200)
    async def counter(
        self,
        request: Visit,
        clerk: NamedDependency[AtDesk],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
        settings: NamedDependency[Settings],
    ) -> Response[str] | Redirect:
        """Find, answer or close by code, or begin a new case with the text typed so far."""
        form = await forms.read(request, CounterForm)
        if form.act == "open":
            return _new(request, clerk, NewForm(text=form.text))
        try:
            async with db.read() as tx:
                case = await reading.by_code(
                    tx, kit, await clerk_in(tx, kit, clerk), form.code, now=clock.now()
                )
            if form.act != "find":
                word = CaseForm(act=form.act, text=form.text)
                await _say(clerk, db, kit, clock, settings, case.id, word)
        except (Conflict, FieldsInvalid, Forbidden, NotFound) as refusal:
            return await _list(request, clerk, db, kit, clock, Filters(), form=form, refusal=refusal)
        return Redirect(f"{HOME}/{case.id}", status_code=303)

    @get("/new", name="workspace.support_new")
    async def ask_new(self, request: Visit, clerk: NamedDependency[AtDesk]) -> Response[str]:
        """For whom, and about what."""
        return _new(request, clerk, NewForm())

    @post("/new", name="workspace.support_open")
    async def open(
        self,
        request: Visit,
        clerk: NamedDependency[AtDesk],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
        settings: NamedDependency[Settings],
    ) -> Response[str] | Redirect:
        """Open it; the person reads the code in the app or by mail, so the clerk need not be believed."""
        form = await forms.read(request, NewForm)
        draft = cases.Draft(subject=form.subject, text=form.text, desk=form.desk or None)
        now = clock.now()
        try:
            account_id, address = None, _address(form.person)
            if address is None:
                account_id = await _holder(clerk, db, kit, _number(form.person), now)
            async with db.write() as tx:
                case = await cases.open_for(
                    tx,
                    kit,
                    draft,
                    clerk=await clerk_in(tx, kit, clerk),
                    account_id=account_id,
                    mail_address=address,
                    form=settings.support_subject_tag,
                    now=now,
                )
        except (FieldsInvalid, Forbidden, TooMany) as refusal:
            return _new(request, clerk, form, refusal=refusal)
        return Redirect(f"{HOME}/{case.id}", status_code=303)

    @get("/{case_id:uuid}", name="workspace.support_case")
    async def case(
        self,
        request: Visit,
        case_id: FromPath[UUID],
        clerk: NamedDependency[AtDesk],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """What was written, and a place to answer."""
        return await _case(request, clerk, db, kit, clock, case_id)

    @post("/{case_id:uuid}", name="workspace.support_word")
    async def say(
        self,
        request: Visit,
        case_id: FromPath[UUID],
        clerk: NamedDependency[AtDesk],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
        settings: NamedDependency[Settings],
    ) -> Response[str] | Redirect:
        """Answer, close, or send the last mail again; a text that asks for a secret is not sent."""
        form = await forms.read(request, CaseForm)
        try:
            await _say(clerk, db, kit, clock, settings, case_id, form)
        except (Conflict, FieldsInvalid, TooMany, cases.OwnCase, resending.NoMail) as refusal:
            return await _case(request, clerk, db, kit, clock, case_id, text=form.text, refusal=refusal)
        return Redirect(f"{HOME}/{case_id}", status_code=303)


async def _holder(clerk: AtDesk, db: Database, kit: Kit, number: str, now: datetime) -> UUID:
    """Who has the number; that it was asked stays written down, whatever becomes of the case."""
    async with db.write() as tx:
        who = await clerk_in(tx, kit, clerk)
        await lookups.count(tx, kit, who, now=now)
        found = await numbers.holder_of(tx, kit, number)
        lookups.journal(tx, kit, who, found, now=now)
    if found is None:
        raise _nobody()
    return found


async def _say(
    clerk: AtDesk, db: Database, kit: Kit, clock: Clock, settings: Settings, case_id: UUID, form: CaseForm
) -> None:
    now = clock.now()
    async with db.write() as tx:
        who = await clerk_in(tx, kit, clerk)
        if form.act == "close":
            outcome = await cases.close(tx, kit, case_id, clerk=who, now=now)
        elif form.act == "mail":
            outcome = await resending.mail_again(tx, kit, case_id, clerk=who, now=now)
        else:
            tag = settings.support_subject_tag
            outcome = await cases.answer(tx, kit, case_id, form.text, clerk=who, form=tag, now=now)
    settle(outcome)


async def _list(
    request: Visit,
    clerk: AtDesk,
    db: Database,
    kit: Kit,
    clock: Clock,
    filters: Filters,
    *,
    form: CounterForm | None = None,
    refusal: Refusal | None = None,
) -> Response[str]:
    async with db.read() as tx:
        who = await clerk_in(tx, kit, clerk)
        status = filters.status or None
        found = await reading.inbox(
            tx, kit, who, now=clock.now(), status=status, before=filters.cursor, most=PAGE + 1
        )
    shown, more = paging.cut(found, PAGE)
    return page(
        request,
        "support.html",
        refusal=refusal,
        here=HOME if refusal else None,
        cases=shown,
        next_cursor=str(shown[-1].id) if more else "",
        filters=filters,
        form=form or CounterForm(),
        errors=errors_of(refusal),
        age=ages(request, clock.now()),
    )


async def _case(
    request: Visit,
    clerk: AtDesk,
    db: Database,
    kit: Kit,
    clock: Clock,
    case_id: UUID,
    *,
    text: str = "",
    refusal: Refusal | None = None,
) -> Response[str]:
    async with db.read() as tx:
        case = await reading.one(tx, kit, await clerk_in(tx, kit, clerk), case_id, now=clock.now())
    return page(
        request,
        "support_case.html",
        refusal=refusal,
        here=f"{HOME}/{case_id}",
        case=case,
        is_genuine=clock.now() < case.valid_until,
        text=text,
        errors=errors_of(refusal),
    )


def _new(request: Visit, clerk: AtDesk, form: NewForm, *, refusal: Refusal | None = None) -> Response[str]:
    return page(
        request,
        "support_new.html",
        refusal=refusal,
        here=f"{HOME}/new",
        desks=clerk.desks,
        form=form,
        errors=errors_of(refusal),
    )


def _address(text: str) -> str | None:
    address = text.strip().lower()
    return address if is_address(address) else None


def _number(text: str) -> str:
    number = "".join(text.split())
    if not NATIONAL_ID.fullmatch(number):
        raise FieldsInvalid(
            FieldError("person", "bad_person", "Nhập số định danh cá nhân 12 chữ số hoặc địa chỉ thư điện tử")
        )
    return number


def _nobody() -> FieldsInvalid:
    return FieldsInvalid(
        FieldError(
            "person", "no_account", "Chưa có tài khoản với số định danh này, hãy dùng địa chỉ thư điện tử"
        )
    )
