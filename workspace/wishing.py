"""The form of one's own wish: as the catalogue in force draws it, filled as the phone fills it (rule 601)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from backend.errors import FieldError, Refusal, gather
from backend.kit import Kit
from backend.roles import beside, movements, policy, rows, staff
from backend.roles import draft as drafts
from backend.roles.catalogue.entries import Catalogue, FieldType, FormField, SubjectType
from backend.roles.models import Role, RoleRequest, Unit
from backend.roles.movements import Movement, Where
from backend.roles.wish import Draft
from workspace import forms
from workspace.auth import Visit
from workspace.moving import day

Act = Literal["register", "amend", "transfer", "concurrent", "end"]
POST, DAYS = ("subject_type", "movement", "unit", "position"), ("effective_on", "until")
FIELD, KEEPS = "fields.", "keeps"
TYPED_DAY = re.compile(r"([0-9]{1,2})[/.-]([0-9]{1,2})[/.-]([0-9]{4})")
Typed = dict[str, str]  # of several posts that are kept their identifiers, with spaces between


def boxes(fields: Iterable[FormField]) -> list[str]:
    """The names of everything that the form asks, in the order of the page."""
    return [*POST, *(f"{FIELD}{one.name}" for one in fields), *DAYS, KEEPS]


def move_of(act: Act) -> Movement:
    """The entry of the table that the address means."""
    return movements.MOVEMENTS[act]


async def read(request: Visit, catalogue: Catalogue) -> Typed:
    """What was typed, by the names of the fields; a field that no form has is refused."""
    return typed(await forms.read(request, shape(catalogue)), catalogue)


def shape(catalogue: Catalogue) -> type[msgspec.Struct]:
    """Every field of every form."""
    known = {f"f_{field.name}": f"{FIELD}{field.name}" for kind in _kinds(catalogue) for field in kind.fields}
    return msgspec.defstruct(
        "Wish",
        [*((name, str, "") for name in (*POST, *DAYS, *known)), ("keeps", list[UUID], [])],
        rename=known,
        frozen=True,
        forbid_unknown_fields=True,
    )


def typed(form: msgspec.Struct, catalogue: Catalogue) -> Typed:
    """What such a form says, by the names of the fields."""
    days = {
        f"{FIELD}{one.name}"
        for kind in _kinds(catalogue)
        for one in kind.fields
        if one.type is FieldType.DATE
    }
    given = msgspec.to_builtins(form)
    given[KEEPS] = " ".join(given[KEEPS])
    sent = {name: str(value).strip() for name, value in given.items()}
    return {name: _iso(text) if name in days else text for name, text in sent.items() if text}


def _kinds(catalogue: Catalogue) -> tuple[SubjectType, ...]:
    return (*catalogue.subject_types.values(), movements.END_FORM)


async def draft(tx: AsyncSession, act: Act, typed: Typed, role: Role | None, bad: list[FieldError]) -> Draft:
    """What is asked for; “Sửa” with another unit than the role's is a transfer by itself.

    What is unreadable is in `bad`.
    """
    fields: dict[str, Any] = {
        name.removeprefix(FIELD): value for name, value in typed.items() if name.startswith(FIELD)
    }
    kind, unit = act, typed.get("unit")
    if move_of(act).where is Where.HERE and move_of(act).gives and unit and role is not None:
        named = await drafts.find_unit(tx, unit)
        kind = "transfer" if named is not None and named.id != role.unit_id else act
    move = movements.named(kind, typed.get("movement"))
    wish = Draft(
        kind=kind,
        movement=typed.get("movement"),
        role_id=role.id if role is not None else None,
        effective_on=gather(bad, lambda: day("effective_on", _iso(typed.get("effective_on", "")))),
        until=gather(bad, lambda: day("until", _iso(typed.get("until", "")))),
        fields=fields,
        keeps=_kept(typed) if move is not None and beside.may_keep(move) else None,
    )
    if move_of(act).form is not None:
        return wish
    post = {name: typed.get(name) for name in ("subject_type", "unit", "position")}
    return msgspec.structs.replace(wish, **post)


def _kept(typed: Typed) -> list[UUID] | None:
    return [UUID(one) for one in typed.get(KEEPS, "").split()] or None


def _iso(typed: str) -> str:
    """A day as people here type it, as programs do."""
    found = TYPED_DAY.fullmatch(typed)
    return f"{found[3]}-{found[2]:0>2}-{found[1]:0>2}" if found else typed


async def of_role(tx: AsyncSession, account_id: UUID, role_id: UUID) -> Role:
    """The person's own role in force; RoleNotFound for any other."""
    role = await rows.role_now(tx, role_id)
    if role is None or role.account_id != account_id or role.state != policy.ACTIVE:
        raise policy.RoleNotFound
    return role


async def filled(tx: AsyncSession, kit: Kit, account_id: UUID, act: Act, role: Role | None) -> Typed:
    """How the form stands before anybody has typed: the role, or what the staff directory knows."""
    if role is not None:
        unit = await tx.get_one(Unit, role.unit_id)
        here = {"unit": unit.code} if move_of(act).where is Where.HERE else {}
        fields = {f"{FIELD}{name}": value for name, value in drafts.fields_of(kit, role).items()}
        return {"subject_type": role.subject_type, "position": role.position, **here, **fields}
    try:
        known = await staff.prefill(tx, kit, account_id, None)
    except Refusal:
        return {}  # a stranger to the directory, or somebody whom nobody vouches for, fills it in by hand
    fields = {f"{FIELD}{name}": value for name, value in known.fields.items()}
    post = {
        "subject_type": known.subject_type or "",
        "position": known.position or "",
        "unit": known.unit_code,
    }
    return {**post, **fields}


async def asked(tx: AsyncSession, kit: Kit, found: RoleRequest) -> Typed:
    """How the form stands of what was asked for, to be corrected."""
    unit = await tx.get_one(Unit, found.unit_id)
    fields = {f"{FIELD}{name}": value for name, value in drafts.asked_fields(kit, found).items()}
    post = {"subject_type": found.subject_type, "unit": unit.code, "position": found.position}
    days = {"effective_on": found.effective_on, "until": found.until_on}
    shown = {name: f"{on:%d/%m/%Y}" for name, on in days.items() if on is not None}
    kept = {KEEPS: " ".join(str(one) for one in beside.kept(found))}
    return {**post, **fields, **shown, **kept, "movement": movements.of(found).code}


def form_of(catalogue: Catalogue, act: Act, typed: Typed) -> SubjectType | None:
    """The form that is drawn: of the end, or of the subject type chosen so far."""
    return move_of(act).form or catalogue.subject_types.get(typed.get("subject_type", ""))
