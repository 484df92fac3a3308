"""The checked form of what somebody asks for (rule 601)."""

from __future__ import annotations

import hashlib
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.errors import FieldError, FieldsInvalid
from backend.kit import Kit
from backend.names import folded_place
from backend.outside.clock import local_day
from backend.roles import beside, forms, policy, rows, staff, staff_rows, taken, terms
from backend.roles.catalogue.entries import Catalogue, SubjectType
from backend.roles.catalogue.in_force import hold_catalogue
from backend.roles.models import Role, RoleRequest, Unit
from backend.roles.movements import Fate, Movement, Where, with_papers
from backend.roles.wish import Draft

SHORTEST_NAME, ALIKE = 4, 50  # of a unit's name instead of its code; how many names may begin with it


class Checked(msgspec.Struct, frozen=True):
    """A draft whose every part exists and fits together."""

    movement: Movement
    unit_id: UUID
    subject_type: str
    position: str
    fields: dict[str, str]
    effective_on: date | None
    until_on: date | None
    floor: int  # the assurance level that the subject type asks for
    keeps: tuple[UUID, ...] = ()


def print_of(draft: Draft) -> bytes:
    """What makes two bodies the same for an Idempotency-Key."""
    return hashlib.sha256(msgspec.json.encode(draft, order="deterministic")).digest()


async def check(
    tx: AsyncSession, kit: Kit, draft: Draft, *, account_id: UUID, role: Role | None, now: datetime
) -> Checked:
    """The draft with defaults from the role, or FieldsInvalid naming every bad field."""
    catalogue, move = await hold_catalogue(tx), draft.entry
    if role is not None and move.form is not None:
        return await _checked_end(tx, kit, catalogue, draft, role, move.form, now)
    today = local_day(now)
    errors: list[FieldError] = []
    unit = await _unit(tx, draft, role, today, errors)
    kind = _kind(catalogue, draft, role, today, errors)
    position = _position(catalogue, draft, role, kind, today, errors)
    listed = await staff.record_of(tx, kit, account_id) if role is None else None
    known = staff.form_values(staff_rows.person_of(kit, listed)) if listed else {}
    fields = _fields(draft, fields_of(kit, role) if role else known, role, kind, today, errors)
    until, alone = await _until(tx, kit, catalogue, draft, role, today, errors)
    if (mail := fields.get("official_email")) and await taken.email(tx, kit, mail, account_id):
        errors.append(FieldError("fields.official_email", "taken", policy.EmailTaken.title))
    if (code := fields.get("employee_code")) and await taken.code(tx, kit, code, account_id):
        errors.append(FieldError("fields.employee_code", "taken", taken.CodeTaken.title))
    keeps = await _keeps(tx, draft, role, errors)
    if alone is not None and not errors:
        raise alone
    if errors or alone is not None or unit is None or kind is None:
        raise FieldsInvalid(*errors, *(alone.fields if alone else ()))
    wish = Checked(move, unit.id, kind.code, position, fields, draft.effective_on, until, kind.floor, keeps)
    _ensure_other(kit, role, wish)
    return wish


async def _until(
    tx: AsyncSession,
    kit: Kit,
    catalogue: Catalogue,
    draft: Draft,
    role: Role | None,
    today: date,
    errors: list[FieldError],
) -> tuple[date | None, FieldsInvalid | None]:
    """The last day; what has a code of its own (UntilRequired, UntilTooLate) is handed on, to be said with the rest."""
    try:
        until, wrong = await terms.checked(tx, kit, catalogue, draft.entry, draft, role, today)
    except FieldsInvalid as alone:
        return None, alone
    errors += wrong
    return until, None


def _ensure_other(kit: Kit, role: Role | None, wish: Checked) -> None:
    """Raises FieldsInvalid where a correction says what the role says already (R17)."""
    if role is None or wish.movement.fate is not Fate.CORRECTED:
        return
    now = (role.subject_type, role.position, role.until_on, fields_of(kit, role))
    if (wish.subject_type, wish.position, wish.until_on, wish.fields) == now:
        raise FieldsInvalid(FieldError("fields", "nothing_changed", "Chưa có nội dung nào thay đổi"))


async def _keeps(
    tx: AsyncSession, draft: Draft, role: Role | None, errors: list[FieldError]
) -> tuple[UUID, ...]:
    """The concurrent posts that are to outlive the role: those that stand on it, and no others."""
    named = tuple(draft.keeps or ())
    if wrong := await beside.why_not_keep(tx, draft.entry, role.id if role else None, named):
        errors.append(wrong)
    return named


async def find_unit(tx: AsyncSession, name: str) -> Unit | None:
    """A unit by UUID, by code, or by its whole name where only one living unit has it (R38)."""
    try:
        wanted: UUID | None = UUID(name)
    except ValueError:
        wanted = None
    if "\0" in name:  # PostgreSQL's text cannot hold it
        return None
    found = await rows.UNIT_NAMED.maybe(tx, unit=wanted, code=name)
    return found or (await _called(tx, name) if len(name) >= SHORTEST_NAME else None)


async def _called(tx: AsyncSession, name: str) -> Unit | None:
    begins = Unit.folded.startswith(f"{folded_place(name)} ", autoescape=True)
    found = (await tx.scalars(select(Unit).where(begins, Unit.ended_on.is_(None)).limit(ALIKE))).all()
    named = [unit for unit in found if folded_place(unit.name) == folded_place(name)]
    return named[0] if len(named) == 1 and len(found) < ALIKE else None


async def _unit(
    tx: AsyncSession, draft: Draft, role: Role | None, today: date, errors: list[FieldError]
) -> Unit | None:
    where, begin = draft.entry.where, max(draft.effective_on or today, today)
    if draft.unit is None and where is Where.HERE and role is not None:
        return await rows.unit_of(tx, role.unit_id)
    if not draft.unit:
        errors.append(FieldError("unit", "required", "Vui lòng chọn đơn vị"))
        return None
    unit = await find_unit(tx, draft.unit)
    if unit is None:
        errors.append(FieldError("unit", "unknown_unit", "Không có đơn vị này"))
    elif unit.ended_on is not None and unit.ended_on <= begin:
        errors.append(FieldError("unit", "unit_closed", policy.UnitClosed.title))
    elif role is not None and where is Where.HERE and unit.id != role.unit_id:
        errors.append(FieldError("unit", "needs_transfer", "Để đổi đơn vị, hãy đề nghị chuyển công tác"))
    elif role is not None and where is Where.ELSEWHERE and unit.id == role.unit_id:
        errors.append(FieldError("unit", "same_unit", "Bạn đang ở đơn vị này, hãy chọn điều chỉnh vai trò"))
    return unit


def _kind(
    catalogue: Catalogue, draft: Draft, role: Role | None, today: date, errors: list[FieldError]
) -> SubjectType | None:
    code = draft.subject_type if draft.subject_type is not None or role is None else role.subject_type
    if not code:
        errors.append(FieldError("subject_type", "required", "Vui lòng chọn đối tượng"))
    elif code not in catalogue.subject_types:
        errors.append(FieldError("subject_type", "unknown_subject_type", "Không có đối tượng này"))
    elif catalogue.shut(code, "", today) and not (role and role.subject_type == code):
        errors.append(FieldError("subject_type", "closed", "Đối tượng này không nhận thêm vai trò mới"))
    return catalogue.subject_types.get(code or "")


def _position(
    catalogue: Catalogue,
    draft: Draft,
    role: Role | None,
    kind: SubjectType | None,
    today: date,
    errors: list[FieldError],
) -> str:
    asked = draft.position is not None or role is None or draft.entry.wants_position
    code = draft.position if asked or role is None else role.position
    if not code:
        errors.append(FieldError("position", "required", "Vui lòng chọn chức vụ"))
    elif code not in catalogue.positions:
        errors.append(FieldError("position", "unknown_position", "Không có chức vụ này"))
    elif kind is not None and kind.code not in catalogue.positions[code].subject_types:
        errors.append(FieldError("position", "not_for_subject_type", "Chức vụ không thuộc đối tượng đã chọn"))
    elif role is not None and draft.entry.wants_position and code == role.position:
        errors.append(FieldError("position", "same_position", "Hãy chọn chức vụ khác chức vụ hiện tại"))
    elif catalogue.shut("", code, today) and not (
        role and role.position == code and draft.entry.fate is Fate.CORRECTED
    ):
        errors.append(FieldError("position", "closed", "Chức vụ này không nhận thêm vai trò mới"))
    return code or ""


def _fields(
    draft: Draft,
    known: dict[str, str],
    role: Role | None,
    kind: SubjectType | None,
    today: date,
    errors: list[FieldError],
) -> dict[str, str]:
    """The form; what was not typed comes from the role, or at a registration from the staff directory."""
    if kind is None:
        return {}
    given: dict[str, Any] = draft.fields or {}
    if draft.fields is None or role is None:
        asked = {field.name for field in kind.form(today)}
        given = {name: value for name, value in known.items() if name in asked} | given
    values, wrong = forms.check_form(with_papers(kind), given, today=today, held=known)
    errors += wrong
    return values


async def _checked_end(
    tx: AsyncSession,
    kit: Kit,
    catalogue: Catalogue,
    draft: Draft,
    role: Role,
    form: SubjectType,
    now: datetime,
) -> Checked:
    named = await find_unit(tx, draft.unit) if draft.unit else None
    today = local_day(now)
    values, errors = forms.check_form(with_papers(form), draft.fields or {}, today=today, held={})
    errors += terms.order(draft, today, kit, catalogue.movements.get(draft.entry.code))
    errors += [
        FieldError(name, "not_for_end", "Yêu cầu kết thúc vai trò không có trường này")
        for name, value, own in (
            ("unit", draft.unit and (named.id if named else draft.unit), role.unit_id),
            ("subject_type", draft.subject_type, role.subject_type),
            ("position", draft.position, role.position),
            ("until", draft.until, None),
        )
        if value is not None and value != own
    ]
    keeps = await _keeps(tx, draft, role, errors)
    if errors:
        raise FieldsInvalid(*errors)
    floor = catalogue.floor(role.subject_type)
    return Checked(
        draft.entry,
        role.unit_id,
        role.subject_type,
        role.position,
        values,
        draft.effective_on,
        None,
        floor,
        keeps,
    )


def fields_of(kit: Kit, role: Role) -> dict[str, str]:
    """The decrypted form values of a role."""
    return msgspec.json.decode(kit.keys.open("roles.fields", role.id, role.fields), type=dict[str, str])


def seal_fields(kit: Kit, place: str, row: UUID, values: dict[str, str]) -> bytes:
    """Form values as `place` ("roles.fields", "role_requests.fields") keeps them."""
    return kit.keys.seal(place, row, msgspec.json.encode(values).decode())


def asked_fields(kit: Kit, found: RoleRequest) -> dict[str, str]:
    """The decrypted form values of a request."""
    return msgspec.json.decode(
        kit.keys.open("role_requests.fields", found.id, found.fields), type=dict[str, str]
    )
