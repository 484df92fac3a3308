"""What may stand on the identity page: the attributes of each kind of account, and which spelling of each is good.

The lists and their order are the source's own (source 001, 3.1; rule 141).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.models import Attribute
from backend.db import new_id
from backend.errors import FieldError
from backend.kit import Kit
from backend.names import clean_name, read_birth_date
from backend.typed import EMAIL, TYPED_BIRTH_DATE, is_forbidden

SELF, DESK = "self", "desk"  # the person's own word; two clerks of a desk, who have read a document
CITIZEN = (
    "full_name",
    "gender",
    "old_id_number",
    "national_id",
    "birth_date",
    "birth_place",
    "hometown",
    "permanent_address",
    "phone",
    "email",
)
ENTERPRISE = ("organization_name", "tax_code", "phone", "email", "address")
AGENCY = ("organization_name", "agency_code", "parent_agency", "phone", "email", "address")
OF_KIND = {"citizen": CITIZEN, "enterprise": ENTERPRISE, "agency": AGENCY}
NAMES = ("full_name", "organization_name")  # two words for one column
NUMBERS = ("national_id", "old_id_number", "tax_code", "agency_code")  # kept as identifiers, shown masked
NEEDED = {"enterprise": ("email",)}  # rule 110: an enterprise has an address that is read

LONGEST_EMAIL, LONGEST_TEXT = 254, 200
OLD_ID_NUMBER = re.compile(r"\d{9}", re.ASCII)


def checked(name: str, text: str, *, today: date) -> str | FieldError:
    """The value as it is kept, or what is wrong with it under `attributes.<name>`."""
    field = f"attributes.{name}"
    if len(text) > 4 * LONGEST_EMAIL:
        return FieldError(field, "too_long", "Nội dung quá dài")
    if any(is_forbidden(letter) for letter in text):
        return FieldError(field, "bad_characters", "Có ký tự không được phép")
    return RULES.get(name, _text)(field, clean_name(text), today)


def read_email(text: str, bad: list[FieldError], field: str = "email") -> str | None:
    """A mail address as it is kept; what is wrong with it goes into `bad`."""
    lowered = text.strip().lower()
    if EMAIL.fullmatch(lowered):
        return lowered
    bad.append(FieldError(field, "bad_email", "Địa chỉ thư điện tử chưa đúng"))
    return None


async def put(
    tx: AsyncSession, kit: Kit, account_id: UUID, name: str, value: str, *, source: str, now: datetime
) -> None:
    """Keep one attribute: a person's own word is unverified, what anybody else says is evidence."""
    query = select(Attribute).where(Attribute.account_id == account_id, Attribute.name == name)
    row = (await tx.execute(query)).scalar_one_or_none()
    if row is None:
        row = Attribute(id=new_id(), account_id=account_id, name=name)
        tx.add(row)
    row.value = kit.keys.seal("attributes.value", row.id, value)
    row.source, row.updated_at = source, now
    row.verified_at = None if source == SELF else now


def _text(field: str, text: str, _: date) -> str | FieldError:
    if len(text) > LONGEST_TEXT:
        return FieldError(field, "too_long", "Nội dung quá dài")
    return text


def _email(field: str, text: str, _: date) -> str | FieldError:
    bad: list[FieldError] = []
    return read_email(text, bad, field) or bad[0]


def _gender(field: str, text: str, _: date) -> str | FieldError:
    if text not in ("male", "female"):
        return FieldError(field, "unknown_option", "Giá trị không có trong danh sách")
    return text


def _birth_date(field: str, text: str, today: date) -> str | FieldError:
    """As much of it as is known; that of a later day, month or year is none."""
    try:
        known = read_birth_date(text)
    except ValueError:
        return FieldError(field, "bad_date", "Ngày phải theo dạng YYYY-MM-DD")
    if not TYPED_BIRTH_DATE.fullmatch(text):
        return FieldError(field, "bad_date", "Ngày phải theo dạng YYYY-MM-DD")
    if known > today.isoformat():
        return FieldError(field, "bad_date", "Ngày không hợp lý")
    return known


def _old_id_number(field: str, text: str, _: date) -> str | FieldError:
    if not OLD_ID_NUMBER.fullmatch(text):
        return FieldError(field, "bad_old_id_number", "Số CMND gồm 9 chữ số")
    return text


RULES: dict[str, Callable[[str, str, date], str | FieldError]] = {
    "email": _email,
    "gender": _gender,
    "birth_date": _birth_date,
    "old_id_number": _old_id_number,
}
