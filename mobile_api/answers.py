"""What the ways in and back read and answer alike: parts of a body, each step, and `done` (rule 110)."""

from __future__ import annotations

import gzip
import hashlib
from typing import Any, TypeVar, cast
from uuid import UUID

import msgspec
from litestar import Request
from litestar.background_tasks import BackgroundTask
from litestar.enums import MediaType
from litestar.response import Response

from backend.accounts.codes.otp import CodeStep
from backend.accounts.door import Door
from backend.accounts.signing.signing import SignStep
from backend.accounts.ways_in.entering import Done
from backend.accounts.ways_in.login import Answer
from backend.devices.sessions import Device
from backend.errors import FieldError, FieldsInvalid
from backend.flows import Running
from backend.names import clean_name
from backend.outside.eid.eid_callback import read_callback
from mobile_api import schemas
from mobile_api.schemas_ways_in import HiddenCodeStepOut, SignStepOut

WORTH_IT = 1024  # bytes: what is smaller fits into one packet anyway
LEVEL = 6  # of nine: the higher ones save some bytes in a thousand
Body = TypeVar("Body")
Shape = TypeVar("Shape", bound=msgspec.Struct)


def told(shape: type[Shape], found: object) -> Shape:
    """What crosses the wire of something that was found: the members of `shape`, taken from its attributes."""
    return msgspec.convert(found, shape, from_attributes=True)


def kept_by_nobody(response: Response[Any]) -> Response[Any]:
    """What the API tells somebody, tokens among it, is no cache's, unless it says otherwise (rule 824)."""
    if not any(name.lower() == "cache-control" for name in response.headers):
        response.headers["Cache-Control"] = "no-store"
    return response


def tagged(request: Request[Any, Any, Any], body: Body, *, packed: bool = False) -> Response[Body]:
    """The answer with a weak ETag; 304 for whoever has it already, so that asking again costs next to nothing (D06).

    `packed`: compressed for whoever takes that, if it is large; only what is the same for everybody may be (rule 808).
    """
    raw = msgspec.json.encode(body)
    tag = f'W/"{hashlib.sha256(raw).hexdigest()[:32]}"'
    vary = "Accept-Language, Authorization" + (", Accept-Encoding" if packed else "")
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": vary}
    known = {one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")}
    if tag.removeprefix("W/") in known or "*" in known:
        return Response(cast("Body", None), status_code=304, headers=headers)
    if packed and len(raw) >= WORTH_IT and takes_gzip(request.headers.get("accept-encoding", "")):
        headers |= {"Content-Encoding": "gzip"}
        small = gzip.compress(raw, LEVEL, mtime=0)
        return Response(cast("Body", small), headers=headers, media_type=MediaType.JSON)
    return Response(body, headers=headers)


def takes_gzip(header: str) -> bool:
    """Whether `Accept-Encoding` names gzip, and not as what is refused (RFC 9110 §12.5.3)."""
    for part in header.split(","):
        coding, _, weight = part.partition(";")
        if coding.strip().lower() in ("gzip", "x-gzip"):
            return weight.replace(" ", "").lower() not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def code_step(step: CodeStep) -> schemas.CodeStepOut:
    """The code step of a flow that says where the code went."""
    return told(schemas.CodeStepOut, step)


def hidden_code_step(step: CodeStep) -> HiddenCodeStepOut:
    """The code step of a flow that does not."""
    return told(HiddenCodeStepOut, step)


def eid_step(door: Door, flow: Running, url: str) -> schemas.LoginOut:
    """The flow waits at the e-ID, which is at `url`."""
    lifetime = door.kit.limits.state_lifetime
    return schemas.LoginOut(id=flow.id, step="authorize", authorization_url=url, expires_in=lifetime)


def sign_step(step: SignStep) -> SignStepOut:
    """The flow waits for a signature."""
    return told(SignStepOut, step)


def answered(body: Body, door: Door, *, status: int = 200) -> Response[Body]:
    """The answer; what is owed to a phone leaves after it, so that its time tells nothing (case TO14)."""
    return Response(body, status_code=status, background=BackgroundTask(door.texts.round))


def done(flow_id: UUID, outcome: Done) -> schemas.DoneOut:
    """Somebody is in."""
    replaced = outcome.replaced
    return schemas.DoneOut(
        id=flow_id,
        step="done",
        session=told(schemas.SessionOut, outcome.tokens),
        account=msgspec.convert(outcome.account, schemas.AccountOut),
        replaced_device=schemas.ReplacedOut(replaced.name, replaced.last_seen_at) if replaced else None,
    )


def device_of(data: schemas.DeviceIn | None) -> Device:
    """The phone as the app describes it; raises FieldsInvalid."""
    if data is None:
        raise FieldsInvalid(FieldError("device", "missing", "Vui lòng nhập trường này"))
    texts = {name: clean_name(getattr(data, name)) for name in ("platform", "name", "model")}
    wrong = [
        FieldError(f"device.{name}", "invalid", "Cần có chữ đọc được")
        for name, text in texts.items()
        if not text or not text.isprintable()
    ]
    if wrong:
        raise FieldsInvalid(*wrong)
    return Device(**texts, push_token=data.push_token)


def wanted(data: msgspec.Struct, *names: str, other: tuple[str, ...] = ()) -> None:
    """Raise FieldsInvalid for what `unfit` finds."""
    if bad := unfit(data, *names, other=other):
        raise FieldsInvalid(*bad)


def unfit(data: msgspec.Struct, *names: str, other: tuple[str, ...] = ()) -> list[FieldError]:
    """Every field of `names` that is missing and every one of `other` that is there."""
    missing = [
        FieldError(name, "missing", "Vui lòng nhập trường này")
        for name in names
        if getattr(data, name) is None
    ]
    beside = [
        FieldError(name, "unknown", "Trường này không có, vui lòng bỏ đi")
        for name in other
        if getattr(data, name) is not None
    ]
    return [*missing, *beside]


def answer_of(data: schemas.AuthorizeIn) -> Answer:
    """The e-ID's answer from the fields, or from the whole address that it called (rule 404)."""
    if data.callback_url is not None:
        wanted(data, other=("state", "code", "iss", "error"))
        found = read_callback(data.callback_url)
        return Answer(found.state, found.code, found.iss, found.encrypt_key)
    wanted(data, "state")
    if (data.code is None) == (data.error is None):
        raise FieldsInvalid(FieldError("code", "missing", "Cần đúng một trong hai trường code và error"))
    return Answer(data.state or "", data.code, data.iss)


def no_other_number(data: schemas.ResendIn | None) -> None:
    """Only a password sign-in has other registered numbers."""
    if data is not None and data.method_id is not None:
        raise FieldsInvalid(FieldError("method_id", "unknown", "Bước này không có số điện thoại nào khác"))
