"""Encryption of fields: place, key and rotation (rules 902, 904, 905)."""

from __future__ import annotations

from uuid import uuid4

import pytest

from backend.crypto import KeyRing, Unreadable, new_secret_key

OLD, NEW = new_secret_key(), new_secret_key()
ROW = uuid4()


def test_what_is_sealed_opens_at_its_place_and_nowhere_shows_itself() -> None:
    keys = KeyRing.parse(OLD)
    sealed = keys.seal("phones.number", ROW, "+84550123456")
    assert keys.open("phones.number", ROW, sealed) == "+84550123456"
    assert b"550123456" not in sealed
    assert sealed != keys.seal("phones.number", ROW, "+84550123456"), "every sealing has a nonce of its own"


def test_p2_a_ciphertext_moved_to_another_row_or_column_is_unreadable() -> None:
    keys = KeyRing.parse(OLD)
    sealed = keys.seal("phones.number", ROW, "+84550123456")
    for field, row in (("phones.number", uuid4()), ("identifiers.value", ROW), ("phones.number", None)):
        with pytest.raises(Unreadable):
            keys.open(field, row, sealed)


@pytest.mark.parametrize("at", [0, 1, 4, 5, 16, 17, -1])
def test_p1_a_changed_bit_anywhere_is_found(at: int) -> None:
    keys = KeyRing.parse(OLD)
    sealed = bytearray(keys.seal("phones.number", ROW, "+84550123456"))
    sealed[at] ^= 1
    with pytest.raises(Unreadable):
        keys.open("phones.number", ROW, bytes(sealed))


@pytest.mark.parametrize("text", [b"", b"\x01", b"\x01abcd", b"plain text that was never sealed"])
def test_p1_what_was_never_sealed_is_refused_and_nothing_breaks(text: bytes) -> None:
    with pytest.raises(Unreadable):
        KeyRing.parse(OLD).open("phones.number", ROW, text)


def test_p4_after_a_rotation_the_old_is_read_and_the_new_is_written_with_the_new_key() -> None:
    before, both, after = KeyRing.parse(OLD), KeyRing.parse(f"{NEW}, {OLD}"), KeyRing.parse(NEW)
    old = before.seal("phones.number", ROW, "+84550123456")
    assert both.open("phones.number", ROW, old) == "+84550123456"
    new = both.seal("phones.number", ROW, "+84550123456")
    assert after.open("phones.number", ROW, new) == "+84550123456"
    for keys, sealed in ((after, old), (before, new)):
        with pytest.raises(Unreadable):
            keys.open("phones.number", ROW, sealed)


def test_p4_look_ups_are_right_at_every_moment_of_a_rotation() -> None:
    before, both = KeyRing.parse(OLD), KeyRing.parse(f"{NEW},{OLD}")
    assert before.blind("phone", "+84550123456") in both.blinds("phone", "+84550123456")
    assert both.blind("phone", "+84550123456") == both.blinds("phone", "+84550123456")[0]
    assert before.blind("phone", "+84550123456") != before.blind("national_id", "+84550123456")


def test_ti13_no_two_purposes_share_a_key() -> None:
    keys = KeyRing.parse(OLD)
    purposes = [
        "seal:phones.number",
        "seal:identifiers.value",
        "blind:phone",
        "journal",
        "journal head",
        "throttle",
        "dpop nonce",
    ]
    assert len({keys.derive(purpose) for purpose in purposes}) == len(purposes)


@pytest.mark.parametrize(
    "text", ["", "QUJD", "not base64!", pytest.param(new_secret_key()[:-4], id="30 bytes")]
)
def test_ti13_a_key_that_is_not_32_bytes_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - base64 and length are both value errors
        KeyRing.parse(text)
