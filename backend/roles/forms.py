"""What people type: cleaned, bounded, and checked against the catalogue's forms.

Nothing is cut silently, it is refused with the field's name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from backend.errors import FieldError, FieldsInvalid
from backend.roles.catalogue.entries import FieldType, FormField, SubjectType
from backend.typed import EARLIEST, EMAIL, NATIONAL_ID, BadText, clean, shown

REASON_LONGEST = 500


def reason(text: str) -> str:
    """The reason for a refusal or a return; raises FieldsInvalid when there is none."""
    try:
        tidy = clean(text, longest=REASON_LONGEST, lines=True)
    except BadText as bad:
        raise FieldsInvalid(FieldError("reason", bad.code, bad.message)) from bad
    if not tidy:
        raise FieldsInvalid(FieldError("reason", "required", "Vui lòng nêu lý do"))
    return tidy


def check_form(
    kind: SubjectType, given: Mapping[str, object], *, today: date, held: Mapping[str, str]
) -> tuple[dict[str, str], list[FieldError]]:
    """The form's cleaned values and what is wrong with them, each named `fields.<name>`.

    A choice that is closed may be `held` on by whoever has it.
    """
    values: dict[str, str] = {}
    asked = kind.form(today)
    names = {field.name for field in asked}
    errors = [
        FieldError(f"fields.{shown(name)}", "unknown_field", "Trường này không có trong biểu mẫu")
        for name in given
        if name not in names
    ]
    for field in asked:
        try:
            value = check_field(field, given.get(field.name), today=today, held=held.get(field.name, ""))
        except BadText as bad:
            errors.append(FieldError(f"fields.{field.name}", bad.code, bad.message))
        else:
            if value:
                values[field.name] = value
    return values, errors


def check_field(field: FormField, given: object, *, today: date, held: str = "") -> str:
    """One cleaned value, empty when nothing was given; raises BadText."""
    if given is None or given == "":
        if field.required:
            raise BadText("required", "Vui lòng nhập trường này")
        return ""
    if not isinstance(given, str):
        raise BadText("wrong_type", "Giá trị phải là chuỗi ký tự")
    text = clean(given, longest=field.longest)
    if field.required and not text:
        raise BadText("required", "Vui lòng nhập trường này")
    if text and field.type is FieldType.DATE:
        return day(text).isoformat()
    if text and field.type is FieldType.EMAIL:
        return email(text)
    if text and field.type is FieldType.SELECT and text not in _choices(field, today, held):
        raise BadText("unknown_option", "Giá trị không có trong danh sách")
    return text


def _choices(field: FormField, today: date, held: str) -> set[str]:
    there = {option.value for option in field.options}
    return {option.value for option in field.choices(today)} | ({held} & there)


def day(text: str) -> date:
    """An ISO date that a document of a living person may carry; raises BadText."""
    try:
        found = date.fromisoformat(text)
    except ValueError as error:
        raise BadText("bad_date", "Ngày phải theo dạng YYYY-MM-DD") from error
    if len(text) != len("YYYY-MM-DD") or found < EARLIEST:
        raise BadText("bad_date", "Ngày không hợp lý")
    return found


def email(text: str) -> str:
    """A mail address in lower case; raises BadText."""
    lowered = text.lower()
    if not EMAIL.fullmatch(lowered):
        raise BadText("bad_email", "Địa chỉ thư điện tử chưa đúng")
    return lowered


def national_id(text: str) -> str:
    """A personal number: twelve digits, blanks forgiven (rule 132); raises BadText."""
    number = re.sub(r"[ \u00a0]", "", text)
    if not NATIONAL_ID.fullmatch(number):
        raise BadText("bad_national_id", "Số định danh cá nhân gồm 12 chữ số")
    return number
