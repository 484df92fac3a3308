"""Bodies that would hurt, before anything reads them for meaning (rule 803; cases TI01, TI02)."""

from __future__ import annotations

import pytest

from backend.bodyguard import BodyMalformed, check_json

FINE = [
    b"{}", b"[]", b"null", b'"x"', b"1", b"-0", b" {} ", b'{"a":{"a":{"a":1}}}', b'{"a":"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["}',
    b'{"a":"\\"{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{"}', b"[" * 32 + b"]" * 32, '{"tên":"Nguyễn 😀"}'.encode(), b'{"a":"\\ud83d\\ude00"}',
    b'{"a":9223372036854775808}', b'{"a":1.5e300}',
]  # fmt: skip
HURTFUL = {
    "33 deep": b"[" * 33 + b"]" * 33, "1,000 deep": b"[" * 1000 + b"]" * 1000, "60,000 deep": b"[" * 60_000, "objects": b'{"a":' * 40 + b"1" + b"}" * 40,
    "deep unknown field": b'{"x":' + b"[" * 40 + b"]" * 40 + b"}", "deep after an unclosed quote": b"[" * 40 + b'"',
    "not UTF-8": b'{"a":"\xff"}', "half a character": b'{"a":"\xc3"}', "an encoded surrogate": b'{"a":"\xed\xa0\x80"}', "UTF-16": '{"a":1}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}", "lone surrogate": b'{"a":"\\ud800"}', "surrogate in a name": b'{"\\udfff":1}', "NUL": b'{"a":"\\u0000"}',
    "NUL in a name": b'{"\\u0000":1}', "NUL in a list": b'[["\\u0000"]]', "raw NUL": b'{"a":"\x00"}', "duplicate": b'{"a":1,"a":2}',
    "duplicate within": b'{"a":[{"b":1,"\\u0062":2}]}', "NaN": b'{"a":NaN}', "Infinity": b"[-Infinity]", "1e999": b"[1e999]", "400 digits": b"[" + b"9" * 400 + b"]",
    "long fraction": b"[0." + b"1" * 400 + b"]", "201 names": b"{" + b",".join(b'"%d":1' % n for n in range(201)) + b"}",
    "empty": b"", "blank": b"  ", "two values": b"{}{}", "comment": b"{}//", "single quotes": b"{'a':1}", "comma": b"[1,]", "half": b'{"a":',
}  # fmt: skip


@pytest.mark.parametrize("body", FINE)
def test_plain_json_passes(body: bytes) -> None:
    check_json(body, depth=32, keys=200)


@pytest.mark.parametrize("body", HURTFUL.values(), ids=HURTFUL.keys())
def test_ti01_ti02_hurtful_json_is_refused_by_name(body: bytes) -> None:
    with pytest.raises(BodyMalformed):
        check_json(body, depth=32, keys=200)


@pytest.mark.parametrize(
    "body",
    [
        b'"' + b'\\"' * 512_000,
        b'"' * 1_024_000,
        b'"' + b"\\" * 1_024_000,
        b'{"a":"' * 160_000,
        b"[" * 1_024_000,
        b'"\\u' * 320_000,
        b"1" * 1_024_000,
        b"-" * 1_024_000,
    ],
    ids=[
        "escaped quotes",
        "quotes",
        "backslashes",
        "open objects",
        "brackets",
        "half escapes",
        "digits",
        "minuses",
    ],
)
def test_ti01_the_worst_body_of_a_mebibyte_is_refused_before_the_test_run_gives_up(body: bytes) -> None:
    """A pattern that retries takes a minute for 64 KiB, and for this hours."""
    with pytest.raises(BodyMalformed):
        check_json(body, depth=32, keys=200)
