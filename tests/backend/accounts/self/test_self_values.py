"""Whatever somebody types on the identity page is kept in one good spelling, or refused by name."""

from __future__ import annotations

import unicodedata
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.accounts.self import attributes
from backend.errors import FieldError
from backend.typed import is_forbidden

TODAY = date(2026, 3, 2)
EDITABLE = ("email", "gender", "birth_date", "old_id_number", "hometown", "address", "parent_agency")


def checked(name: str, text: str) -> str | FieldError:
    return attributes.checked(name, text, today=TODAY)


@given(name=st.sampled_from(EDITABLE), text=st.text(max_size=400))
def test_tw10_any_text_is_kept_in_one_spelling_or_refused(name: str, text: str) -> None:
    value = checked(name, text)
    if isinstance(value, FieldError):
        assert value.field == f"attributes.{name}" and value.code and value.message
        return
    assert checked(name, value) == value, "what was kept is kept again as it is"
    assert value == unicodedata.normalize("NFC", value) and len(value) <= 254
    assert not any(is_forbidden(letter) for letter in value)


@pytest.mark.parametrize(
    ("name", "text", "kept"),
    [
        ("email", "An.Thu+1@Vi-Du.Example", "an.thu+1@vi-du.example"),
        ("gender", "female", "female"),
        ("birth_date", "2026-03-02", "2026-03-02"),
        ("old_id_number", "000111222", "000111222"),
        ("hometown", "Phu\u0301 Vang", "Phú Vang"),
    ],
)
def test_good_values_are_kept(name: str, text: str, kept: str) -> None:
    assert checked(name, text) == kept


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("email", ".an@vi-du.example", "bad_email"),
        ("email", "an..thu@vi-du.example", "bad_email"),
        ("email", "an@-vi-du.example", "bad_email"),
        ("email", "an@[127.0.0.1]", "bad_email"),
        ("email", "an@vi-du.example\r\nBcc: x@y.example", "bad_characters"),
        ("gender", "nam", "unknown_option"),
        ("birth_date", "2026-03-03", "bad_date"),
        ("birth_date", "02/03/1990", "bad_date"),
        ("birth_date", "1899-12-31", "bad_date"),
        ("old_id_number", "00011122x", "bad_old_id_number"),
        ("hometown", "x" * 201, "too_long"),
        ("hometown", "x" * 2000, "too_long"),
        ("hometown", "Huế\u202e", "bad_characters"),
    ],
)
def test_tw10_bad_values_are_named(name: str, text: str, code: str) -> None:
    value = checked(name, text)
    assert isinstance(value, FieldError) and value.code == code
