"""Reads what a form or an address sent: declared fields only, of declared kinds (rule 615; case TW06)."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from contextlib import suppress
from typing import TypeVar, get_origin
from urllib.parse import urlencode

import msgspec
from litestar.datastructures import FormMultiDict
from litestar.exceptions import ClientException

from backend.errors import BadRequest, FieldError, FieldsInvalid, Refusal
from workspace.auth import SAFE, TOKEN_FIELD, Visit

LONGEST = 2000  # characters of any one parameter of an address
LONG = ("reason", "text")  # the boxes that take long to write
UNSENT = "unsent text"  # what stood in one of them
MOST = 2**31 - 1  # of any number here: what every column of either database holds (A21)
Form = TypeVar("Form", bound=msgspec.Struct)
Done = TypeVar("Done")


class FormMalformed(BadRequest):
    """A field that the form does not have, one too often, or of the wrong kind."""

    code = "form_malformed"
    title = "Biểu mẫu hoặc địa chỉ không hợp lệ"


class NoFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A form that is only a button."""


async def read(visit: Visit, kind: type[Form]) -> Form:
    """The form as a Struct; a list field takes every value of its name. Raises FormMalformed."""
    sent = await received(visit)
    lists = {field.encode_name for field in msgspec.structs.fields(kind) if get_origin(field.type) is list}
    values: dict[str, object] = {}
    for name in dict.fromkeys(sent.keys()):
        given = sent.getall(name)
        if name == TOKEN_FIELD:
            continue
        if name not in lists and len(given) > 1:
            raise FormMalformed
        values[name] = given if name in lists else given[0]
    return _converted(values, kind)


async def received(visit: Visit) -> FormMultiDict:
    """What came; what took long to write stands on the page that says no, and is not lost. Raises FormMalformed."""
    try:
        sent = await visit.form()
    except (ClientException, ValueError) as error:
        raise FormMalformed from error
    texts = [text for name in LONG if isinstance(text := sent.get(name), str) and text.strip()]
    visit.scope["state"][UNSENT] = texts[0][:LONGEST].strip() if texts else ""
    return sent


async def keep_written(visit: Visit) -> None:
    """A right was lost while something was written: the page that says so shows it."""
    if visit.method not in SAFE:
        with suppress(FormMalformed):
            await received(visit)


async def all_at_once(bad: Sequence[FieldError], act: Awaitable[Done | Refusal]) -> Done | Refusal:
    """What could not be read is said together with what the act itself finds wrong (rule 826).

    Raises FieldsInvalid, and nothing stays done: an act whose own trace has to stay commits by itself. A refusal that
    has to be remembered goes before.
    """
    try:
        outcome = await act
    except FieldsInvalid as also:
        raise _with(bad, also) from also
    if isinstance(outcome, FieldsInvalid):
        return _with(bad, outcome)
    if bad and not isinstance(outcome, Refusal):
        raise FieldsInvalid(*bad)
    return outcome


def _with(bad: Sequence[FieldError], also: FieldsInvalid) -> FieldsInvalid:
    """Both, each field once: of what could not be read nothing else is known."""
    named = {one.field for one in bad}
    return FieldsInvalid(*bad, *(one for one in also.fields if one.field not in named))


def query(visit: Visit, kind: type[Form]) -> Form:
    """The parameters of the address that the page knows; others (language, light) are not its business."""
    known = {field.encode_name for field in msgspec.structs.fields(kind)}
    values = {name: value.strip() for name, value in visit.query_params.items() if name in known}
    if any("\0" in value or len(value) > LONGEST for value in values.values()):
        raise FormMalformed
    return _converted(values, kind)


def kept(text: str, kind: type[Form]) -> Form | None:
    """A form as it was left, or as it came; nothing where it does not fit the page any more."""
    known = {field.encode_name: get_origin(field.type) is list for field in msgspec.structs.fields(kind)}
    said = msgspec.json.decode(text)
    values = {
        name: value[0] if isinstance(value, list) and value and not known[name] else value
        for name, value in said.items()
        if name in known
    }
    try:
        return msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError:
        return None


def _converted(values: object, kind: type[Form]) -> Form:
    try:
        found = msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        raise FormMalformed from error
    numbers = [value for value in msgspec.structs.astuple(found) if isinstance(value, int)]
    if any(not 0 <= number <= MOST for number in numbers):
        raise FormMalformed
    return found


def boxes(kind: type[msgspec.Struct]) -> list[str]:
    """The names of its fields, which stand in the order in which the page asks."""
    return [field.encode_name for field in msgspec.structs.fields(kind)]


def query_of(asked: msgspec.Struct) -> str:
    """What is asked for as the end of an address, without what is empty."""
    given = {name: value for name, value in msgspec.to_builtins(asked).items() if value}
    return f"?{urlencode(given)}" if given else ""
