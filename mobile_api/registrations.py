"""Registering: `/v1/registrations` and its steps (rule 110; source 001, I)."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.response import Response

from backend.accounts.begun import once
from backend.accounts.codes import otp
from backend.accounts.door import Door
from backend.accounts.identity.evidence import SOCIAL_INSURANCE
from backend.accounts.signing import signing_registration
from backend.accounts.ways_in import registration
from backend.accounts.ways_in.registration import Asked
from backend.caller import Caller
from backend.errors import FieldError, gather
from backend.openness import Openness
from mobile_api import schemas
from mobile_api import schemas_ways_in as forms
from mobile_api.answers import (
    answered,
    code_step,
    device_of,
    done,
    no_other_number,
    sign_step,
    told,
    unfit,
    wanted,
)
from mobile_api.keyed import Key

TYPED = ("national_id", "full_name", "birth_date", "phone")
Begun = schemas.CodeStepOut | forms.SignStepOut


class RegistrationController(Controller):
    """One registration is a resource that says what comes next."""

    path = "/registrations"
    tags = ["registrations"]

    @post(operation_id="beginRegistration", open_to=Openness.PROOF, summary="Đăng ký tài khoản · Register")
    async def begin(
        self,
        data: JSONBody[forms.RegistrationIn],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
        idempotency_key: Key = None,
    ) -> Response[Begun]:
        """201 with `otp`, or with `sign` for a certificate; 422 `registry_mismatch`, 503 `registry_unavailable`.

        The same answer whether or not the person has an account.
        """
        made = await once(door, caller, idempotency_key, data, partial(_begun, data, door, caller))
        return answered(made, door, status=201)

    @post(
        "/{registration_id:uuid}/otp",
        operation_id="giveRegistrationCode",
        open_to=Openness.PROOF,
        status_code=200,
        summary="Nhập mã xác thực · Give the code",
    )
    async def otp(
        self,
        registration_id: FromPath[UUID],
        data: JSONBody[schemas.CodeIn],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
    ) -> forms.PasswordStepOut:
        """`password` is due; 422 `otp_wrong`, 410 `otp_exhausted` or `otp_expired`."""
        await registration.give_code(door, registration_id, data.code, caller)
        return forms.PasswordStepOut(registration_id, "password")

    @post(
        "/{registration_id:uuid}/otp/resend",
        operation_id="resendRegistrationCode",
        open_to=Openness.PROOF,
        status_code=200,
        summary="Gửi lại mã · Send the code again",
    )
    async def resend(
        self,
        registration_id: FromPath[UUID],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
        data: JSONBody[schemas.ResendIn | None] = None,
    ) -> Response[schemas.CodeStepOut]:
        """The same code again; 429 `otp_too_soon` within the pause."""
        no_other_number(data)
        step = await otp.send_again_later(door, registration.REGISTRATION, registration_id, caller)
        return answered(code_step(step), door)

    @post(
        "/{registration_id:uuid}/password",
        operation_id="giveRegistrationPassword",
        open_to=Openness.PROOF,
        status_code=200,
        summary="Đặt mật khẩu · Set the password",
    )
    async def password(
        self,
        registration_id: FromPath[UUID],
        data: JSONBody[forms.PasswordIn],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
    ) -> schemas.DoneOut:
        """`done` with a session; 422 names every rule that the password misses."""
        outcome = await registration.give_password(door, registration_id, data.password, caller)
        return done(registration_id, outcome)

    @post(
        "/{registration_id:uuid}/sign",
        operation_id="signRegistration",
        open_to=Openness.PROOF,
        status_code=200,
        summary="Ký bằng chứng thư số · Sign with a certificate",
    )
    async def sign(
        self,
        registration_id: FromPath[UUID],
        data: JSONBody[forms.SignIn],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
    ) -> forms.ConfirmStepOut:
        """`confirm` with what the certificate says; 403 `certificate_refused`, 409 `account_exists`."""
        step = await signing_registration.sign(door, registration_id, data, caller)
        return told(forms.ConfirmStepOut, step)

    @post(
        "/{registration_id:uuid}/confirm",
        operation_id="confirmRegistration",
        open_to=Openness.PROOF,
        status_code=200,
        summary="Xác nhận đăng ký · Confirm",
    )
    async def confirm(
        self,
        registration_id: FromPath[UUID],
        data: JSONBody[forms.ConfirmIn],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
    ) -> schemas.DoneOut:
        """`done` with a session; an enterprise states an e-mail address."""
        outcome = await signing_registration.confirm(door, registration_id, data.email, caller)
        return done(registration_id, outcome)


async def _begun(data: forms.RegistrationIn, door: Door, caller: Caller) -> Begun:
    if data.method == "certificate":
        return await _by_certificate(data, door, caller)
    insurance = ("social_insurance_number",)
    by_insurance = data.method == SOCIAL_INSURANCE
    bad = unfit(
        data,
        *TYPED,
        *(insurance if by_insurance else ()),
        other=("certificate", *(() if by_insurance else insurance)),
    )
    if data.kind != "citizen":
        bad.append(FieldError("kind", "citizens_only", "Cách đăng ký này chỉ dành cho công dân"))
    step = await registration.begin(
        door,
        Asked(
            method=data.method,
            number=data.national_id or "",
            full_name=data.full_name or "",
            birth_date=data.birth_date or "",
            phone=data.phone or "",
            email=data.email,
            insurance=data.social_insurance_number,
        ),
        gather(bad, lambda: device_of(data.device)),
        caller,
        captcha=data.captcha,
        bad=bad,
    )
    return code_step(step)


async def _by_certificate(data: forms.RegistrationIn, door: Door, caller: Caller) -> Begun:
    wanted(data, "certificate", other=(*TYPED, "social_insurance_number", "captcha"))
    step = await signing_registration.begin(
        door,
        device_of(data.device),
        caller,
        kind=data.kind,
        certificate=data.certificate or "",
        email=data.email,
    )
    return sign_step(step)
