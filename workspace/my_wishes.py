"""Asking for a role of one's own in a browser, and correcting it: rules and forms of the phone (case R24)."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import Database
from backend.errors import Conflict, FieldError, FieldsInvalid, Forbidden, Refusal, settle
from backend.kit import Kit
from backend.openness import Openness
from backend.outside.clock import local_day
from backend.roles import beside, carried, corrections, movements, own, requests, rows
from backend.roles.catalogue.entries import still_open
from backend.roles.catalogue.in_force import in_force
from backend.roles.models import Role, RoleRequest, Unit
from backend.roles.views import OwnRequest
from workspace import field_labels, forms, fresh, wishing
from workspace.auth import Visit
from workspace.call import Call
from workspace.me import HOME
from workspace.officer import Officer
from workspace.pages import errors_of, page
from workspace.wishing import Act, Typed

ACTS: tuple[Act, ...] = ("amend", "transfer", "concurrent", "end")
ABOUT = [f"/roles/{{role_id:uuid}}/{act}" for act in ACTS]
LEAVING: tuple[Act, ...] = ("amend", "transfer", "end")  # “Sửa” with another unit is a transfer
NEW = ["/register", *ABOUT]
AGAIN = "/requests/{request_id:uuid}/correct"
SHOWN_AGAIN = (FieldsInvalid, Conflict, Forbidden)


class WishController(Controller):
    """A new wish, and one corrected."""

    path = "/me"
    opt = {"open_to": Openness.BROWSER}

    @get(NEW, name="workspace.wishing")
    async def ask(self, call: NamedDependency[Call[Officer]]) -> Response[str]:
        """The form, filled from the role or the directory; `subject_type` of the address chooses another form."""
        act, left = _act(call.request), await _before(call)
        async with call.db.read() as tx:
            role = await _role(call.request, tx, call.who)
            typed = left or await wishing.filled(tx, call.kit, call.who.account_id, act, role)
            chosen = call.request.query_params.get("subject_type")
            typed |= {"subject_type": chosen} if chosen else {}
            return await _form(call, tx, act, typed, kept=left is not None)

    @post(NEW, name="workspace.wish", status_code=200)
    async def wish(self, call: NamedDependency[Call[Officer]]) -> Response[str] | Redirect:
        """Send it, as the phone does."""
        act, typed = _act(call.request), await _typed(call.request, call.db)
        bad: list[FieldError] = []
        try:
            async with call.write() as tx:
                role = await _role(call.request, tx, call.who)
                wish = requests.create(
                    tx,
                    call.kit,
                    await wishing.draft(tx, act, typed, role, bad),
                    by=call.who.account_id,
                    now=call.now(),
                    level=call.who.level,
                    session=call.who.session_id,
                )
                made = settle(await forms.all_at_once(bad, wish))
        except SHOWN_AGAIN as refusal:
            async with call.db.read() as tx:
                return await _form(call, tx, act, typed, refusal=refusal)
        return Redirect(f"{HOME}/requests/{made.id}", status_code=303)

    @get(AGAIN, name="workspace.my_correcting")
    async def ask_again(
        self, call: NamedDependency[Call[Officer]], request_id: FromPath[UUID]
    ) -> Response[str]:
        """Filled with what it says, and why it came back."""
        left = await _before(call)
        async with call.db.read() as tx:
            mine = await own.one_of_mine(tx, call.kit, request_id, call.who.account_id, now=call.now())
            typed = left or await wishing.asked(tx, call.kit, await tx.get_one(RoleRequest, request_id))
            return await _form(call, tx, _kind(mine.kind), typed, about=mine, kept=left is not None)

    @post(AGAIN, name="workspace.my_correct", status_code=200)
    async def correct(
        self, call: NamedDependency[Call[Officer]], request_id: FromPath[UUID]
    ) -> Response[str] | Redirect:
        """Every unit is asked again."""
        typed = await _typed(call.request, call.db)
        bad: list[FieldError] = []
        by = corrections.By(
            call.who.account_id, call.who.level, call.who.authenticated_at, call.who.session_id
        )
        async with call.db.read() as tx:
            mine = await own.one_of_mine(tx, call.kit, request_id, call.who.account_id, now=call.now())
        try:
            async with call.write() as tx:
                found = await tx.get_one(RoleRequest, request_id)
                role = await rows.role_now(tx, found.role_id)
                draft = await wishing.draft(tx, _kind(mine.kind), typed, role, bad)
                again = corrections.resubmit(tx, call.kit, request_id, draft, by=by, now=call.now())
                outcome = await forms.all_at_once(bad, again)
            settle(outcome)
        except SHOWN_AGAIN as refusal:
            async with call.db.read() as tx:
                return await _form(call, tx, _kind(mine.kind), typed, about=mine, refusal=refusal)
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


async def _before(call: Call[Officer]) -> Typed | None:
    """What this person had typed here when the session ended."""
    if "kept" not in call.request.query_params:
        return None
    async with call.db.read() as tx:
        catalogue = await in_force(tx)
    left = await fresh.left(call, wishing.shape(catalogue), back=call.path)
    return wishing.typed(left, catalogue) if left is not None else None


async def _form(
    call: Call[Officer],
    tx: AsyncSession,
    act: Act,
    typed: Typed,
    *,
    about: OwnRequest | None = None,
    refusal: Refusal | None = None,
    kept: bool = False,
) -> Response[str]:
    """The form as it stands; what was typed is never lost."""
    catalogue, today = await in_force(tx), local_day(call.now())
    form, move = wishing.form_of(catalogue, act, typed), wishing.move_of(act)
    fields = form.form(today) if form else ()
    moves = [one for one in movements.WISHED if one.kind == move.kind]
    errors = errors_of(refusal, wishing.boxes(fields))
    return page(
        call.request,
        "me_form.html",
        refusal=refusal,
        here=call.path,
        act=act,
        kept=kept,
        typed=dict.fromkeys(wishing.boxes(fields), "") | typed,
        about=about,
        **await _left(tx, call.kit, act, about.role_id if about else call.request.path_params.get("role_id")),
        catalogue=catalogue,
        form=form,
        fields=fields,
        today=today,
        move=move,
        kinds=[] if move.form else list(still_open(catalogue.subject_types.values(), today)),
        positions=catalogue.positions_for(form.code, today) if form and not move.form else [],
        movements=[(move.code, catalogue.movement_label(move.code)) for move in moves],
        field_names=field_labels.FIELDS | {f"{wishing.FIELD}{one.name}": one.words for one in fields},
        errors=errors,
        bad={error["field"] for error in errors if "field" in error},
    )


async def _left(tx: AsyncSession, kit: Kit, act: Act, role_id: UUID | None) -> dict[str, object]:
    """The role that the wish is about, and what ends with it: posts beside it, the right to decide (rules 605, 619)."""
    role = await rows.role_now(tx, role_id)
    leaves = role if act in LEAVING else None
    return {
        "role": role,
        "role_unit": await tx.get_one(Unit, role.unit_id) if role else None,
        "beside": await beside.standing_on(tx, leaves.id) if leaves else [],
        "at_stake": await carried.outlook(tx, kit, leaves) if leaves else None,
    }
