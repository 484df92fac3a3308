"""Opaque cursors: where a list goes on (rule 801)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

from backend.crypto import base64url
from backend.errors import BadRequest

Item = TypeVar("Item")
LONGEST = 200


class CursorInvalid(BadRequest):
    """The cursor is not one that a list has given out."""

    code = "cursor_invalid"
    title = "Vị trí trang không hợp lệ, hãy mở lại danh sách"


def cursor_of(place: str) -> str:
    """The cursor that names a place in a list."""
    return base64url(place.encode())


def place_of(cursor: str) -> str:
    """The place that a cursor names; raises CursorInvalid."""
    try:
        if len(cursor) > LONGEST or not cursor.isascii():
            raise CursorInvalid
        padded = cursor + "=" * (-len(cursor) % 4)
        place = base64.b64decode(padded, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise CursorInvalid from error
    if not place or "\0" in place:
        raise CursorInvalid
    return place


def uuid_of(cursor: str) -> UUID:
    """The identifier that a cursor names; raises CursorInvalid."""
    return uuid_in(place_of(cursor))


def uuid_in(place: str) -> UUID:
    """The identifier in a place; raises CursorInvalid."""
    try:
        return UUID(place)
    except ValueError as error:
        raise CursorInvalid from error


def moment_of(text: str) -> datetime:
    """The time in a cursor, as the databases have it; raises CursorInvalid, also for one before or after all time."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise CursorInvalid
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise CursorInvalid from error


def cut(found: Sequence[Item], most: int) -> tuple[list[Item], bool]:
    """Of one more item than was wanted: the wanted ones, and whether there was more."""
    return list(found[:most]), len(found) > most
