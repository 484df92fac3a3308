"""Asking for a role of one's own in a browser, and correcting it: rules and forms of the phone (case R24)."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import Database
from backend.errors import Conflict, FieldsInvalid, Forbidden, Refusal, settle
from backend.kit import Kit
from backend.openness import Openness
from backend.outside.clock import Clock, local_day
from backend.roles import corrections, movements, own, requests, rows
from backend.roles.catalogue.entries import still_open
from backend.roles.catalogue.in_force import in_force
from backend.roles.models import Role, RoleRequest
from backend.roles.views import OwnRequest
from workspace import wishing
from workspace.auth import Visit
from workspace.me import HOME
from workspace.officer import Officer
from workspace.pages import errors_of, page
from workspace.wishing import Act, Typed

ACTS: tuple[Act, ...] = ("amend", "transfer", "concurrent", "end")
ABOUT = [f"/roles/{{role_id:uuid}}/{act}" for act in ACTS]
NEW = ["/register", *ABOUT]
AGAIN = "/requests/{request_id:uuid}/correct"
SHOWN_AGAIN = (FieldsInvalid, Conflict, Forbidden)


class WishController(Controller):
    """A new wish, and one corrected."""

    path = "/me"
    opt = {"open_to": Openness.BROWSER}

    @get(NEW, name="workspace.wishing")
    async def ask(
        self,
        request: Visit,
        officer: NamedDependency[Officer],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """The form, filled from the role or the directory; `subject_type` of the address chooses another form."""
        act = _act(request)
        async with db.read() as tx:
            role = await _role(request, tx, officer)
            typed = await wishing.filled(tx, kit, officer.account_id, act, role)
            chosen = request.query_params.get("subject_type")
            return await _form(request, tx, clock, act, typed | ({"subject_type": chosen} if chosen else {}))

    @post(NEW, name="workspace.wish", status_code=200)
    async def wish(
        self,
        request: Visit,
        officer: NamedDependency[Officer],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str] | Redirect:
        """Send it, as the phone does."""
        act, typed = _act(request), await _typed(request, db)
        try:
            async with db.write() as tx:
                role = await _role(request, tx, officer)
                made = await requests.create(
                    tx,
                    kit,
                    await wishing.draft(tx, act, typed, role),
                    by=officer.account_id,
                    now=clock.now(),
                    level=officer.level,
                    session=officer.session_id,
                )
        except SHOWN_AGAIN as refusal:
            async with db.read() as tx:
                return await _form(request, tx, clock, act, typed, refusal=refusal)
        return Redirect(f"{HOME}/requests/{made.id}", status_code=303)

    @get(AGAIN, name="workspace.my_correcting")
    async def ask_again(
        self,
        request: Visit,
        request_id: FromPath[UUID],
        officer: NamedDependency[Officer],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """Filled with what it says, and why it came back."""
        async with db.read() as tx:
            mine = await own.one_of_mine(tx, kit, request_id, officer.account_id, now=clock.now())
            typed = await wishing.asked(tx, kit, await tx.get_one(RoleRequest, request_id))
            return await _form(request, tx, clock, _kind(mine.kind), typed, about=mine)

    @post(AGAIN, name="workspace.my_correct", status_code=200)
    async def correct(
        self,
        request: Visit,
        request_id: FromPath[UUID],
        officer: NamedDependency[Officer],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str] | Redirect:
        """Every unit is asked again."""
        typed = await _typed(request, db)
        by = corrections.By(officer.account_id, officer.level, officer.authenticated_at, officer.session_id)
        async with db.read() as tx:
            mine = await own.one_of_mine(tx, kit, request_id, officer.account_id, now=clock.now())
        try:
            async with db.write() as tx:
                found = await tx.get_one(RoleRequest, request_id)
                role = await rows.role_now(tx, found.role_id)
                draft = await wishing.draft(tx, _kind(mine.kind), typed, role)
                outcome = await corrections.resubmit(tx, kit, request_id, draft, by=by, now=clock.now())
            settle(outcome)
        except SHOWN_AGAIN as refusal:
            async with db.read() as tx:
                return await _form(request, tx, clock, _kind(mine.kind), typed, about=mine, refusal=refusal)
        return Redirect(f"{HOME}/requests/{request_id}", status_code=303)


def _act(request: Visit) -> Act:
    """What the address names."""
    last = request.url.path.rsplit("/", 1)[-1]
    return next((act for act in ACTS if act == last), "register")


async def _role(request: Visit, tx: AsyncSession, officer: Officer) -> Role | None:
    """The role that the address names, if it names one."""
    role_id: UUID | None = request.path_params.get("role_id")
    return await wishing.of_role(tx, officer.account_id, role_id) if role_id is not None else None


def _kind(kind: str) -> Act:
    return next((act for act in ACTS if act == kind), "register")


async def _typed(request: Visit, db: Database) -> Typed:
    async with db.read() as tx:
        catalogue = await in_force(tx)
    return await wishing.read(request, catalogue)


async def _form(
    request: Visit,
    tx: AsyncSession,
    clock: Clock,
    act: Act,
    typed: Typed,
    *,
    about: OwnRequest | None = None,
    refusal: Refusal | None = None,
) -> Response[str]:
    """The form as it stands; what was typed is never lost."""
    catalogue, today = await in_force(tx), local_day(clock.now())
    form = wishing.form_of(catalogue, act, typed)
    fields = form.form(today) if form else ()
    move = wishing.move_of(act)
    moves = [one for one in movements.WISHED if one.kind == move.kind]
    return page(
        request,
        "me_form.html",
        refusal=refusal,
        here=request.url.path,
        act=act,
        typed={
            **dict.fromkeys([*wishing.PLAIN, *(f"{wishing.FIELD}{one.name}" for one in fields)], ""),
            **typed,
        },
        about=about,
        form=form,
        fields=fields,
        today=today,
        move=move,
        kinds=[] if move.form else list(still_open(catalogue.subject_types.values(), today)),
        positions=catalogue.positions_for(form.code, today) if form and not move.form else [],
        movements=[(move.code, catalogue.movement_label(move.code)) for move in moves],
        errors=errors_of(refusal),
        bad={error["field"] for error in errors_of(refusal) if "field" in error},
    )
