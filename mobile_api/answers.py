"""What the ways in and back answer alike: the code step, and `done` with its session (contract §3.1)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request
from litestar.background_tasks import BackgroundTask
from litestar.response import Response

from backend.accounts.entering import Done
from backend.accounts.otp import CodeStep
from backend.devices.sessions import Device
from backend.errors import FieldError, FieldsInvalid
from backend.names import clean_name
from mobile_api import schemas
from mobile_api.schemas_ways_in import HiddenCodeStepOut

Call = Request[Any, Any, Any]
Later = Callable[[], Awaitable[None]]


def address_of(request: Call) -> str:
    """The caller's network address, as the edge has found it."""
    return str(request.scope.get("address", ""))


def code_step(step: CodeStep) -> schemas.CodeStepOut:
    """The code step of a flow that says where the code went."""
    return msgspec.convert(step, schemas.CodeStepOut, from_attributes=True)


def hidden_code_step(
    step: CodeStep, later: Later | None, *, status: int = 200
) -> Response[HiddenCodeStepOut]:
    """The code step of a flow that does not; what is owed to a phone leaves after the answer."""
    body = msgspec.convert(step, HiddenCodeStepOut, from_attributes=True)
    return Response(body, status_code=status, background=BackgroundTask(later) if later else None)


def done(flow_id: UUID, outcome: Done) -> Response[schemas.DoneOut]:
    """Somebody is in."""
    replaced = outcome.replaced
    body = schemas.DoneOut(
        id=flow_id,
        step="done",
        session=msgspec.convert(outcome.tokens, schemas.SessionOut, from_attributes=True),
        account=outcome.account,
        replaced_device=schemas.ReplacedOut(replaced.name, replaced.last_seen_at) if replaced else None,
    )
    return Response(body, status_code=200)


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
