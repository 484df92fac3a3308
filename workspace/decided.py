"""What I and my units decided: looked up, and taken along as a file (W14)."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from backend.errors import FieldError, FieldsInvalid, gather
from backend.openness import Openness
from backend.roles import decisions
from backend.roles.decisions import Decision, Decisions, Wanted
from backend.roles.movements import Kind
from backend.words import mark as _
from backend.words import say
from workspace import forms, labels, sheets
from workspace.auth import Visit
from workspace.call import Call
from workspace.manager import Manager
from workspace.moving import period
from workspace.pages import errors_of, lang_of, moment, page

EXPORTED, PART = 5000, 200  # lines of a file, and of a part of it; who needs more narrows the days
COLUMNS = (
    _("Thời gian"), _("Người liên quan"), _("Ba số cuối"), _("Loại yêu cầu"), _("Chức vụ"), _("Đơn vị"), _("Bước"),
    _("Kết quả"), _("Người quyết định"),
)  # fmt: skip


class Filters(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"since": "from", "until": "to"}
):
    """As they stand in the address and the form; a person by number or name in a form, by account in an address."""

    unit: str = ""
    person: str = ""
    kind: Literal[""] | Kind = ""
    outcome: Literal["", "approved", "rejected", "returned"] = ""
    since: str = ""
    until: str = ""
    mine: str = ""
    cursor: str = ""

    @property
    def query(self) -> str:
        """The same as the end of an address."""
        return forms.query_of(self)


class DecisionsController(Controller):
    """The list, the narrowing of it, and the files."""

    path = "/decisions"
    opt = {"open_to": Openness.MANAGER}

    @get(name="workspace.decisions")
    async def show(self, call: NamedDependency[Call[Manager]]) -> Response[str]:
        """The newest words first."""
        filters = forms.query(call.request, Filters)
        try:
            async with call.read() as tx:
                found = await _found(tx, call, filters)
        except FieldsInvalid as refusal:
            return _page(call.request, filters, Decisions([], None), refusal)
        return _page(call.request, filters, found)

    @post(name="workspace.decisions_narrowed")
    async def narrow(self, call: NamedDependency[Call[Manager]]) -> Response[str] | Redirect:
        """No name and no number in an address: whoever is meant is found here."""
        filters = await forms.read(call.request, Filters)
        bad: list[FieldError] = []
        gather(bad, lambda: _wanted(filters))
        person = ""
        if filters.person.strip():
            async with call.read() as tx:
                by, now = call.who.account_id, call.now()
                try:
                    person = str(await decisions.who_is(tx, call.kit, by, filters.person, now=now))
                except FieldsInvalid as unknown:
                    bad += unknown.fields
        if bad:
            return _page(call.request, filters, Decisions([], None), FieldsInvalid(*bad))
        chosen = msgspec.structs.replace(filters, person=person, cursor="")
        return Redirect(f"/workspace/decisions{chosen.query}", status_code=303)

    @get([f"/export.{kind}" for kind in sheets.KINDS], name="workspace.decisions_export")
    async def export(self, call: NamedDependency[Call[Manager]]) -> Response[bytes]:
        """What the page shows, all pages of it, as a file that a sheet opens."""
        kind = call.path.rpartition(".")[2]
        filters, lang = forms.query(call.request, Filters), lang_of(call.request)
        rows, further = [[say(column, lang) for column in COLUMNS]], filters
        while len(rows) <= EXPORTED:  # whoever else waits for an answer is served between two parts
            if await call.is_given_up():
                return sheets.left_off()
            async with call.part() as tx:  # a right that ends meanwhile ends the file
                found = await _found(tx, call, further, most=min(PART, EXPORTED + 1 - len(rows)))
            rows += (_cells(one, lang) for one in found.items)
            if found.next_cursor is None:
                break
            further = msgspec.structs.replace(filters, cursor=found.next_cursor)
        else:
            rows.append([say(sheets.CUT, lang)])
        return await sheets.attachment(kind, "quyet-dinh", rows)


async def _found(
    tx: AsyncSession, call: Call[Manager], filters: Filters, *, most: int = decisions.MOST
) -> Decisions:
    cursor = filters.cursor or None
    return await decisions.decided(
        tx, call.kit, call.who.account_id, _wanted(filters), now=call.now(), cursor=cursor, most=most
    )


def _wanted(filters: Filters) -> Wanted:
    """Raises FieldsInvalid."""
    try:
        person = UUID(filters.person) if filters.person else None
    except ValueError:
        person = None
    since, until = period(filters.since, filters.until)
    return Wanted(filters.unit, person, filters.kind, filters.outcome, since, until, bool(filters.mine))


def _page(
    request: Visit, filters: Filters, found: Decisions, refusal: FieldsInvalid | None = None
) -> Response[str]:
    return page(
        request,
        "decisions.html",
        refusal=refusal,
        here=f"/workspace/decisions{filters.query}" if refusal is None else "/workspace/decisions",
        items=found.items,
        next_cursor=found.next_cursor,
        filters=filters,
        export=msgspec.structs.replace(filters, cursor="").query,
        errors=errors_of(refusal, forms.boxes(Filters)),
    )


def _cells(one: Decision, lang: str) -> list[str]:
    duty, outcome = labels.duty(one.kind, one.duty), labels.DECISIONS[one.outcome]
    said = (one.movement, one.position, one.unit, duty, outcome)
    return [moment(one.at), one.applicant, one.digits, *(say(part, lang) for part in said), one.by]
