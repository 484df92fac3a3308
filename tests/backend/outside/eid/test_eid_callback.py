"""Reading the raw address that a provider called (rule 404)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.outside.eid.eid_callback import NOTHING, Callback, read_callback

BACK = "http://app.test/app/vneid"


def test_a_raw_plus_stays_and_percent_escapes_are_read() -> None:
    url = f"{BACK}?code=a+b/c==&encrypt_key=x%2By%3D%2F+z&state=s-1&iss=https%3A%2F%2Fdinh-danh.example"
    assert read_callback(url) == Callback(
        state="s-1", code="a+b/c==", encrypt_key="x+y=/+z", iss="https://dinh-danh.example"
    )


def test_a_blank_is_not_mended_into_a_plus() -> None:
    assert read_callback(f"{BACK}?code=a%20b&state=s").code == "a b"


def test_what_we_do_not_know_and_the_fragment_are_left_aside() -> None:
    url = f"{BACK}?session_state=%ff&state=s&code=c&x&=y#code=other&state=other"
    assert read_callback(url) == Callback(state="s", code="c")


def test_an_error_is_an_answer() -> None:
    assert read_callback(f"{BACK}?error=access_denied&state=s") == Callback(state="s", error="access_denied")


@pytest.mark.parametrize(
    "query",
    [
        "", "?", "?code=c", "?state=s", "?state=s&code=c&code=d", "?state=s&state=s&code=c", "?state=s&code=c&error=e",
        "?state=s&code=%ff", "?state=%00&code=c", "?state=s&code=c%0d%0aX", "?state=s\n&code=c", "?state=s&code=c&iss=a&iss=a",
        "?state=s&code=" + "x" * 20_000, "?state=s&code=\ud800", "?state=s&code=c&encrypt_key=a&encrypt_key=b", "?State=s&Code=c",
    ],
)  # fmt: skip
def test_what_cannot_be_read_fits_no_sign_in(query: str) -> None:
    found = read_callback(BACK + query)
    assert found == NOTHING
    assert found.state == ""
    assert found.code is not None, "it would pass for somebody who turned back"


@pytest.mark.parametrize("address", ["", "x", "?", "http://[", "//", "http://a:b:c/?state=s&code=c", "\x00"])
def test_no_address_breaks_it(address: str) -> None:
    assert isinstance(read_callback(address), Callback)


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    assert isinstance(read_callback(f"{BACK}?state=s&code={text}"), Callback)
    assert isinstance(read_callback(text), Callback)
