"""Signing in: `/v1/logins` and its steps (contract §3.1)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, post
from litestar.background_tasks import BackgroundTask
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.response import Response

from backend.accounts import login, phone_proof
from backend.accounts.login import Done
from backend.accounts.phone_proof import CodeStep
from backend.devices.notices import tell_replaced
from backend.devices.sessions import Device
from backend.errors import FieldError, FieldsInvalid
from backend.names import clean_name
from backend.outside.clock import Clock
from backend.outside.push import Push
from mobile_api import schemas
from mobile_api.auth import key_of

Call = Request[Any, Any, Any]


class LoginController(Controller):
    """One sign-in is a resource that says what comes next."""

    path = "/logins"
    tags = ["logins"]

    @post(operation_id="beginLogin", summary="Bắt đầu đăng nhập · Begin a sign-in")
    async def begin(
        self,
        request: Call,
        data: JSONBody[schemas.LoginIn],
        door: NamedDependency[login.Door],
        clock: NamedDependency[Clock],
    ) -> schemas.LoginOut:
        """201 with the e-ID's address; 503 `provider_unavailable` when the e-ID is out of reach."""
        device = _device(data.device)
        address = str(request.scope.get("address", ""))
        flow, url = await login.begin(door, device, jkt=key_of(request), address=address, now=clock.now())
        lifetime = door.kit.limits.state_lifetime
        return schemas.LoginOut(id=flow.id, step=flow.step, authorization_url=url, expires_in=lifetime)

    @post(
        "/{login_id:uuid}/authorize",
        operation_id="authorizeLogin",
        status_code=200,
        summary="Nhận kết quả từ VNeID · Take the e-ID's answer",
    )
    async def authorize(
        self,
        request: Call,
        login_id: FromPath[UUID],
        data: JSONBody[schemas.AuthorizeIn],
        door: NamedDependency[login.Door],
        clock: NamedDependency[Clock],
        push: NamedDependency[Push],
    ) -> Response[Any]:
        """`phone` for a new person, `done` for a known one; 403 `login_cancelled` or `login_refused`."""
        if (data.code is None) == (data.error is None):
            raise FieldsInvalid(FieldError("code", "missing", "Cần đúng một trong hai trường code và error"))
        outcome = await login.authorize(
            door,
            login_id,
            state=data.state,
            code=data.code,
            iss=data.iss,
            jkt=key_of(request),
            now=clock.now(),
        )
        if isinstance(outcome, Done):
            return _done(login_id, outcome, door, push)
        return Response(schemas.PhoneStepOut(id=outcome.id, step=outcome.step))

    @post(
        "/{login_id:uuid}/phone",
        operation_id="giveLoginPhone",
        status_code=200,
        summary="Nhập số điện thoại · Give a phone number",
    )
    async def phone(
        self,
        request: Call,
        login_id: FromPath[UUID],
        data: JSONBody[schemas.PhoneIn],
        door: NamedDependency[login.Door],
        clock: NamedDependency[Clock],
    ) -> schemas.CodeStepOut:
        """Sends a code; 422 names what is wrong with the number, 429 when too many were sent, 503 `sms_unavailable`."""
        step = await phone_proof.give_phone(door, login_id, data.phone, jkt=key_of(request), now=clock.now())
        return _code_step(step)

    @post(
        "/{login_id:uuid}/otp/resend",
        operation_id="resendLoginCode",
        status_code=200,
        summary="Gửi lại mã · Send the code again",
    )
    async def resend(
        self,
        request: Call,
        login_id: FromPath[UUID],
        door: NamedDependency[login.Door],
        clock: NamedDependency[Clock],
    ) -> schemas.CodeStepOut:
        """The same code again, with the same budget of guesses; 429 `otp_too_soon` within the pause."""
        _resend_body(await request.body())
        step = await phone_proof.send_again(door, login_id, jkt=key_of(request), now=clock.now())
        return _code_step(step)

    @post(
        "/{login_id:uuid}/otp",
        operation_id="giveLoginCode",
        status_code=200,
        summary="Nhập mã xác thực · Give the code",
    )
    async def otp(
        self,
        request: Call,
        login_id: FromPath[UUID],
        data: JSONBody[schemas.CodeIn],
        door: NamedDependency[login.Door],
        clock: NamedDependency[Clock],
        push: NamedDependency[Push],
    ) -> Response[schemas.DoneOut]:
        """`done`; 422 `otp_wrong` with `attempts_left`, 410 `otp_exhausted` or `otp_expired`."""
        done = await phone_proof.give_code(door, login_id, data.code, jkt=key_of(request), now=clock.now())
        return _done(login_id, done, door, push)


def _resend_body(raw: bytes) -> None:
    """The body may be absent; when present it is checked like any other."""
    if raw.strip():
        try:
            asked = msgspec.json.decode(raw, type=schemas.ResendIn)
        except msgspec.ValidationError as error:
            raise FieldsInvalid(FieldError("method_id", "invalid", "Giá trị không hợp lệ")) from error
        if asked.method_id is not None:
            raise FieldsInvalid(
                FieldError("method_id", "unknown", "Lần đăng nhập này không có số điện thoại nào khác")
            )


def _device(data: schemas.DeviceIn) -> Device:
    texts = {name: clean_name(getattr(data, name)) for name in ("platform", "name", "model")}
    wrong = [
        FieldError(f"device.{name}", "invalid", "Cần có chữ đọc được")
        for name, text in texts.items()
        if not text or not text.isprintable()
    ]
    if wrong:
        raise FieldsInvalid(*wrong)
    return Device(**texts, push_token=data.push_token)


def _code_step(step: CodeStep) -> schemas.CodeStepOut:
    return msgspec.convert(step, schemas.CodeStepOut, from_attributes=True)


def _done(login_id: UUID, done: Done, door: login.Door, push: Push) -> Response[schemas.DoneOut]:
    replaced = done.replaced
    body = schemas.DoneOut(
        id=login_id,
        step="done",
        session=msgspec.convert(done.tokens, schemas.SessionOut, from_attributes=True),
        account=done.account,
        replaced_device=schemas.ReplacedOut(replaced.name, replaced.last_seen_at) if replaced else None,
    )
    tell = BackgroundTask(tell_replaced, door.db, push, replaced) if replaced else None
    return Response(body, background=tell)
