"""Whatever is sent, the guards answer with a refusal of theirs and nothing else (rule 803)."""

from __future__ import annotations

import json
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from backend.accounts.phones.phones import read_phone
from backend.bodyguard import BodyMalformed, check_json
from backend.devices.proofs import InvalidProof, Proofs
from backend.errors import FieldsInvalid
from backend.names import clean_name, folded, masked

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)
PROOFS = Proofs("https://hub.example", past=60, future=10)


@given(st.binary(max_size=400) | JSON.map(lambda value: json.dumps(value).encode()))
@settings(max_examples=400, deadline=None)
def test_a_body_is_json_that_can_be_stored_or_it_is_refused(raw: bytes) -> None:
    try:
        check_json(raw, depth=8, keys=50)
    except BodyMalformed:
        return
    for text in texts(json.loads(raw)):
        assert "\x00" not in text and text.encode(), "it can be stored"


def texts(value: object) -> list[str]:
    """Every string with something in it, names included."""
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in texts(part)]
    return [value] if isinstance(value, str) and value else []


@given(st.text(max_size=200) | st.tuples(st.text(), st.text(), st.text()).map(".".join))
@settings(max_examples=300, deadline=None)
def test_a_proof_that_is_none_is_refused_and_never_breaks_anything(text: str) -> None:
    with suppress(InvalidProof):
        PROOFS.check(text, method="GET", path="/v1/me", token="t", now=1_800_000_000)
        raise AssertionError("nobody can sign by chance")


@given(st.text(max_size=30) | st.from_regex(r"[+0-9 .\-()]{8,20}", fullmatch=True))
@settings(max_examples=300, deadline=None)
def test_a_number_is_vietnamese_and_in_one_form_or_it_is_refused(text: str) -> None:
    with suppress(FieldsInvalid):
        e164 = read_phone(text, allow_invented=True)
        assert e164.startswith("+84") and len(e164) == 12 and e164[1:].isascii()
        assert read_phone(e164, allow_invented=True) == e164


@given(st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_names_come_to_rest(text: str) -> None:
    assert clean_name(clean_name(text)) == clean_name(text)
    assert folded(folded(text)) == folded(text)
    assert len(masked(text)) == len(text)
