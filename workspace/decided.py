"""What I and my units decided: looked up, and taken along as a file (W14)."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from backend.db import Database
from backend.errors import FieldsInvalid
from backend.kit import Kit
from backend.openness import Openness
from backend.outside.clock import Clock
from backend.roles import decisions
from backend.roles.decisions import Decision, Decisions, Wanted
from backend.roles.movements import Kind
from backend.words import mark as _
from backend.words import say
from workspace import forms, labels, sheets
from workspace.auth import Visit
from workspace.manager import Manager
from workspace.moving import day
from workspace.pages import errors_of, lang_of, moment, page

EXPORTED = 5000  # lines of a file; who needs more narrows the days
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
        given = {name: value for name, value in msgspec.to_builtins(self).items() if value}
        return f"?{urlencode(given)}" if given else ""


class DecisionsController(Controller):
    """The list, the narrowing of it, and the files."""

    path = "/decisions"
    opt = {"open_to": Openness.MANAGER}

    @get(name="workspace.decisions")
    async def show(
        self,
        request: Visit,
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """The newest words first."""
        filters = forms.query(request, Filters)
        try:
            found = await _found(db, kit, clock, manager, filters)
        except FieldsInvalid as refusal:
            return _page(request, filters, Decisions([], None), refusal)
        return _page(request, filters, found)

    @post(name="workspace.decisions_narrowed")
    async def narrow(
        self,
        request: Visit,
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str] | Redirect:
        """No name and no number in an address: whoever is meant is found here."""
        filters = await forms.read(request, Filters)
        try:
            async with db.read() as tx:
                person = (
                    str(await decisions.who_is(tx, kit, manager.account_id, filters.person, now=clock.now()))
                    if filters.person.strip()
                    else ""
                )
            _wanted(filters)
        except FieldsInvalid as refusal:
            return _page(request, filters, Decisions([], None), refusal)
        chosen = msgspec.structs.replace(filters, person=person, cursor="")
        return Redirect(f"/workspace/decisions{chosen.query}", status_code=303)

    @get([f"/export.{kind}" for kind in sheets.KINDS], name="workspace.decisions_export")
    async def export(
        self,
        request: Visit,
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[bytes]:
        """What the page shows, all pages of it, as a file that a sheet opens."""
        kind = request.url.path.rpartition(".")[2]
        filters, lang = forms.query(request, Filters), lang_of(request)
        found = await _found(db, kit, clock, manager, filters, most=EXPORTED)
        rows = [[say(column, lang) for column in COLUMNS], *(_cells(one, lang) for one in found.items)]
        return sheets.attachment(kind, "quyet-dinh", rows)


async def _found(
    db: Database,
    kit: Kit,
    clock: Clock,
    manager: Manager,
    filters: Filters,
    *,
    most: int = decisions.MOST,
) -> Decisions:
    wanted = _wanted(filters)
    async with db.read() as tx:
        return await decisions.decided(
            tx, kit, manager.account_id, wanted, now=clock.now(), cursor=filters.cursor or None, most=most
        )


def _wanted(filters: Filters) -> Wanted:
    """Raises FieldsInvalid."""
    try:
        person = UUID(filters.person) if filters.person else None
    except ValueError:
        person = None
    since, until = day("from", filters.since), day("to", filters.until)
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
        errors=errors_of(refusal),
    )


def _cells(one: Decision, lang: str) -> list[str]:
    duty, outcome = labels.DUTIES[one.duty], labels.DECISIONS[one.outcome]
    said = (one.movement, one.position, one.unit, duty, outcome)
    return [moment(one.at), one.applicant, one.digits, *(say(part, lang) for part in said), one.by]
