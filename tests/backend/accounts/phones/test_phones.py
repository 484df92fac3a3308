"""Which numbers may receive a code, as a table (case TO11, rule 133)."""

from __future__ import annotations

import pytest

from backend.accounts.phones.phones import read_phone
from backend.errors import FieldsInvalid

GOOD = {
    "0912345678": "+84912345678", "+84912345678": "+84912345678", "84912345678": "+84912345678",
    "0084912345678": "+84912345678", "0912 345 678": "+84912345678", "0912.345.678": "+84912345678",
    "0912-345-678": "+84912345678", "+84 (91) 234 5678": "+84912345678", "+84-912-345-678": "+84912345678",
    " 0912345678 ": "+84912345678", "0862345678": "+84862345678", "0352345678": "+84352345678",
    "0702345678": "+84702345678", "0812345678": "+84812345678", "0562345678": "+84562345678",
}  # fmt: skip
BAD = {
    "phone_malformed": ["", "abc", "tel:0912345678", "091234567８", "０９１２３４５６７８", "١٢٣٤٥٦٧٨٩٠", "0912345678;ext=1",
                        "0912345678x12", "+", "++84912345678", "0912\u200b345678", "0912345678\x00", "1" * 40, "0912345678\n0912345679",
                        "12345", "'; --", "%2B84912345678"],
    "phone_old": ["01234567890", "+841234567890", "0084 1234567890", "0168 234 5678".replace("0168", "01682"), "84 1682345678"],
    "phone_foreign": ["+12025550123", "+882161234567", "+8821612345678", "+33612345678", "+8613800138000"],
    "phone_not_mobile": ["02437347222", "19001075", "+8419001075", "1800 1091 00"],
}  # fmt: skip


def only_error(refusal: FieldsInvalid) -> tuple[str, str]:
    errors = refusal.facts["errors"]
    assert isinstance(errors, list)
    assert len(errors) == 1
    return errors[0]["field"], errors[0]["code"]


@pytest.mark.parametrize(("typed", "canonical"), GOOD.items())
def test_to11_every_usual_spelling_has_one_canonical_form(typed: str, canonical: str) -> None:
    assert read_phone(typed, allow_invented=False) == canonical


@pytest.mark.parametrize("typed", [one for many in BAD.values() for one in many])
def test_to11_everything_else_is_refused_with_a_reason_of_the_field(typed: str) -> None:
    with pytest.raises(FieldsInvalid) as refused:
        read_phone(typed, allow_invented=False)
    field, code = only_error(refused.value)
    assert field == "phone"
    assert code in BAD


@pytest.mark.parametrize(
    ("code", "typed"), [(code, many[0]) for code, many in BAD.items() if code != "phone_malformed"]
)
def test_the_reason_says_what_is_wrong_with_the_number(code: str, typed: str) -> None:
    with pytest.raises(FieldsInvalid) as refused:
        read_phone(typed, allow_invented=False)
    assert only_error(refused.value) == ("phone", code)


def test_invented_numbers_are_for_the_demo_only() -> None:
    assert read_phone("0550123456", allow_invented=True) == "+84550123456"
    with pytest.raises(FieldsInvalid):
        read_phone("0550123456", allow_invented=False)
