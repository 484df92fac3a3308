"""The number of a decision, as `125/QĐ-UBND`: it stays in the journal for ever, and names nobody (rule 906)."""

from __future__ import annotations

import re

from backend.errors import FieldError, FieldsInvalid
from backend.typed import BadText, clean

LONGEST = 60
NUMBERS = re.compile(r"(?:\d[ .-]?){9}")  # personal numbers and phones do not belong into the journal


def read(text: str) -> str:
    """The number as it is kept; raises BadText."""
    number = " ".join(clean(text, longest=LONGEST).split())
    if not number:
        raise BadText("required", "Vui lòng ghi số quyết định")
    if NUMBERS.search(number):
        raise BadText("personal_number", "Ghi số quyết định, không ghi số định danh hoặc số điện thoại")
    return number


def typed(text: str) -> str:
    """The same from a form; raises FieldsInvalid."""
    try:
        return read(text)
    except BadText as bad:
        raise FieldsInvalid(FieldError("decision_number", bad.code, bad.message)) from bad
