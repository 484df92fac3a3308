"""Looks at a JSON body before anything parses it for meaning (rules 803, 805; cases TI01, TI02)."""

from __future__ import annotations

import json
import re
from typing import Any

from backend.errors import BadRequest
from backend.words import mark as _

# Possessive, and an unclosed string runs to the end: linear whatever is sent
# (a pattern that retries took a minute for 64 KiB)
STRINGS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)
LONGEST_NUMBER = 20


class BodyMalformed(BadRequest):
    """Not JSON of the kind that we read; `detail` says what is wrong and where."""

    code = "body_malformed"
    title = "Nội dung gửi lên không đọc được"


def check_json(raw: bytes, *, depth: int, keys: int) -> None:
    """Refuse bodies that would hurt: not UTF-8, too deep, NUL, lone surrogates, duplicate keys, endless numbers."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BodyMalformed(_("UTF-8 không hợp lệ tại byte {at}"), at=error.start) from error
    if _depth(STRINGS.sub("", text)) > depth:
        raise BodyMalformed(_("JSON lồng quá {most} tầng"), most=depth)
    seen = 0

    def pairs(found: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal seen
        seen += len(found)
        if seen > keys:
            raise BodyMalformed(_("JSON có quá {most} trường"), most=keys)
        names = [name for name, _value in found]
        if len(set(names)) != len(names):
            raise BodyMalformed(_("JSON có trường bị lặp"))
        return dict(found)

    try:
        value = json.loads(
            text, object_pairs_hook=pairs, parse_constant=_constant, parse_int=_whole, parse_float=_fraction
        )
    except (json.JSONDecodeError, RecursionError) as error:
        raise BodyMalformed(_("JSON không đúng cú pháp")) from error
    _check_texts(value)


def _depth(structure: str) -> int:
    deepest = level = 0
    for character in structure:
        if character in "[{":
            level += 1
            deepest = max(deepest, level)
        elif character in "]}":
            level -= 1
    return deepest


def _constant(name: str) -> float:
    raise BodyMalformed(_("{constant} không phải JSON"), constant=name)


def _whole(digits: str) -> int:
    if len(digits) > LONGEST_NUMBER:
        raise BodyMalformed(_("JSON có số quá dài"))
    return int(digits)


def _fraction(digits: str) -> float:
    if len(digits) > LONGEST_NUMBER * 2 or float(digits) in (float("inf"), float("-inf")):
        raise BodyMalformed(_("JSON có số quá lớn"))
    return float(digits)


def _check_texts(value: Any) -> None:
    if isinstance(value, str):
        if "\x00" in value:
            raise BodyMalformed(_("Nội dung có ký tự NUL"))
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise BodyMalformed(_("Nội dung có ký tự Unicode không hợp lệ"))
    elif isinstance(value, dict):
        for name, inner in value.items():
            _check_texts(name)
            _check_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_texts(inner)
