"""Signing in: `/v1/logins` and its steps (rule 110)."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import msgspec
from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from backend.accounts.begun import once
from backend.accounts.door import Door
from backend.accounts.passwords import password_login
from backend.accounts.phones import phone_proof
from backend.accounts.signing import signing_login
from backend.accounts.ways_in import login
from backend.accounts.ways_in.entering import Done
from backend.caller import Caller, Who
from backend.devices.sessions import Device
from backend.errors import FieldError, FieldsInvalid
from backend.openness import Openness
from mobile_api import schemas
from mobile_api.answers import (
    answer_of,
    code_step,
    device_of,
    done,
    eid_step,
    sign_step,
    wanted,
)
from mobile_api.keyed import Key
from mobile_api.schemas_ways_in import SignIn, SignStepOut

SECRETS = ("national_id", "password", "captcha")
Begun = schemas.LoginOut | schemas.ChoiceStepOut | SignStepOut


class LoginController(Controller):
    """One sign-in is a resource that says what comes next."""

    path = "/logins"
    tags = ["logins"]

    @post(
        operation_id="beginLogin",
        open_to=Openness.PROOF,
        short=True,
        summary="Bắt đầu đăng nhập · Begin a sign-in",
    )
    async def begin(
        self,
        data: JSONBody[schemas.LoginIn],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
        idempotency_key: Key = None,
    ) -> Begun:
        """201: `authorize` with the e-ID's address, `otp` after a password, `sign` for a certificate.

        503 `provider_unavailable`, 401 `credentials_wrong`, 429 `too_many_attempts`.
        """
        return await once(door, caller, idempotency_key, data, partial(_begun, data, door, caller))

    @post(
        "/{login_id:uuid}/authorize",
        operation_id="authorizeLogin",
        open_to=Openness.PROOF,
        status_code=200,
        summary="Nhận kết quả từ VNeID · Take the e-ID's answer",
    )
    async def authorize(
        self,
        login_id: FromPath[UUID],
        data: JSONBody[schemas.AuthorizeIn],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
    ) -> schemas.DoneOut | schemas.PhoneStepOut:
        """`phone` for a new person, `done` for a known one; 403 `login_cancelled`, `login_refused`, `link_required`."""
        outcome = await login.authorize(door, login_id, answer_of(data), caller)
        if isinstance(outcome, Done):
            return done(login_id, outcome)
        return schemas.PhoneStepOut(id=outcome.id, step="phone")

    @post(
        "/{login_id:uuid}/sign",
        operation_id="signLogin",
        open_to=Openness.PROOF,
        status_code=200,
        summary="Ký bằng chứng thư số · Sign with a certificate",
    )
    async def sign(
        self,
        login_id: FromPath[UUID],
        data: JSONBody[SignIn],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
    ) -> schemas.DoneOut:
        """`done`; 403 `certificate_refused` or `registration_required`, 503 `certificate_check_unavailable`."""
        outcome = await signing_login.sign(door, login_id, data, caller)
        return done(login_id, outcome)

    @post(
        "/{login_id:uuid}/phone",
        operation_id="giveLoginPhone",
        open_to=Openness.PROOF,
        short=True,
        status_code=200,
        summary="Nhập số điện thoại · Give a phone number",
    )
    async def phone(
        self,
        login_id: FromPath[UUID],
        data: JSONBody[schemas.PhoneIn],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
    ) -> schemas.CodeStepOut:
        """Sends a code; 422 names what is wrong with the number, 429 when too many were sent, 503 `sms_unavailable`."""
        step = await phone_proof.give_phone(door, login_id, data.phone, caller)
        return code_step(step)

    @post(
        "/{login_id:uuid}/otp/resend",
        operation_id="resendLoginCode",
        open_to=Openness.PROOF,
        short=True,
        status_code=200,
        summary="Gửi lại mã · Send the code again",
    )
    async def resend(
        self,
        login_id: FromPath[UUID],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
        data: JSONBody[schemas.ResendIn | None] = None,
    ) -> schemas.CodeStepOut:
        """The same code again, or one to another registered number; 429 `otp_too_soon` within the pause."""
        step = await phone_proof.send_again(
            door, login_id, caller, method_id=data.method_id if data else None
        )
        return code_step(step)

    @post(
        "/{login_id:uuid}/otp",
        operation_id="giveLoginCode",
        open_to=Openness.PROOF,
        short=True,
        status_code=200,
        summary="Nhập mã xác thực · Give the code",
    )
    async def otp(
        self,
        login_id: FromPath[UUID],
        data: JSONBody[schemas.CodeIn],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
    ) -> schemas.DoneOut:
        """`done`; 422 `otp_wrong` with `attempts_left`, 410 `otp_exhausted` or `otp_expired`."""
        outcome = await phone_proof.give_code(door, login_id, data.code, caller)
        return done(login_id, outcome)


async def _begun(data: schemas.LoginIn, door: Door, caller: Caller) -> Begun:
    if data.method == "password":
        return await _by_password(data, door, caller)
    wanted(data, other=SECRETS)
    if data.method != "vneid":
        wanted(data, other=("max_age",))
    if data.method == "certificate":
        return sign_step(await signing_login.begin(door, device_of(data.device), caller))
    wanted(data, other=("certificate",))
    flow, url = await login.begin(
        door,
        _own_device() if data.step_up else device_of(data.device),
        caller,
        method=data.method,
        stepping_up=_strengthened(caller, data) if data.step_up else None,
        fresh=data.max_age is not None,
    )
    return eid_step(door, flow, url)


async def _by_password(data: schemas.LoginIn, door: Door, caller: Caller) -> schemas.ChoiceStepOut:
    wanted(data, "national_id", "password", other=("certificate", "max_age"))
    step, choices = await password_login.begin(
        door,
        device_of(data.device),
        caller,
        number=data.national_id or "",
        password=data.password or "",
        captcha=data.captcha,
    )
    methods = [schemas.ChoiceOut(one.id, one.sent_to) for one in choices]
    return schemas.ChoiceStepOut(**msgspec.structs.asdict(code_step(step)), methods=methods)


def _own_device() -> Device:
    """Step-up opens no session, so no device is described."""
    return Device(platform="", name="", model="")


def _strengthened(caller: Caller, data: schemas.LoginIn) -> Who:
    """The session that shall be strengthened; raises Unproved without one."""
    if data.method != "vneid":
        raise FieldsInvalid(FieldError("method", "invalid", "Chỉ VNeID dùng được để xác thực lại"))
    return caller.me
