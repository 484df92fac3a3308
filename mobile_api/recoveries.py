"""Getting a password back: `/v1/recoveries` (rule 110; sources 001, 2.1 and 000, 2)."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from litestar.response import Response

from backend.accounts.begun import once
from backend.accounts.codes import otp
from backend.accounts.door import Door
from backend.accounts.recovery import recovery
from backend.caller import Caller
from backend.openness import Openness
from mobile_api import schemas
from mobile_api import schemas_ways_in as forms
from mobile_api.answers import answered, hidden_code_step, no_other_number
from mobile_api.keyed import Key


class RecoveryController(Controller):
    """One recovery is a resource; whether anybody is behind it is never said."""

    path = "/recoveries"
    tags = ["recoveries"]

    @post(
        operation_id="beginRecovery",
        open_to=Openness.EITHER,
        short=True,
        summary="Quên mật khẩu · Recover a password",
    )
    async def begin(
        self,
        data: JSONBody[forms.RecoveryIn],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
        idempotency_key: Key = None,
    ) -> Response[forms.HiddenCodeStepOut]:
        """201 with `otp` for everybody; 429 `otp_limit` by what was typed, `captcha_required` by what others ask."""

        async def make() -> forms.HiddenCodeStepOut:
            typed = {"number": data.national_id, "mail": data.official_email, "captcha": data.captcha}
            return hidden_code_step(await recovery.begin(door, caller, **typed))

        return answered(await once(door, caller, idempotency_key, data, make), door, status=201)

    @post(
        "/{recovery_id:uuid}/otp",
        operation_id="giveRecoveryCode",
        open_to=Openness.EITHER,
        short=True,
        status_code=200,
        summary="Nhập mã xác thực · Give the code",
    )
    async def otp(
        self,
        recovery_id: FromPath[UUID],
        data: JSONBody[forms.RecoveryCodeIn],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
    ) -> forms.PasswordStepOut:
        """`password` is due; 403 `recovery_refused`: the number is somebody else's, or its SIM is new; `ways`."""
        await recovery.give_code(door, recovery_id, data.code, caller, captcha=data.captcha)
        return forms.PasswordStepOut(recovery_id, "password")

    @post(
        "/{recovery_id:uuid}/otp/resend",
        operation_id="resendRecoveryCode",
        open_to=Openness.EITHER,
        short=True,
        status_code=200,
        summary="Gửi lại mã · Send the code again",
    )
    async def resend(
        self,
        recovery_id: FromPath[UUID],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
        data: JSONBody[schemas.ResendIn | None] = None,
    ) -> Response[forms.HiddenCodeStepOut]:
        """The same code again; 429 within the pause (five minutes for the official mail)."""
        no_other_number(data)
        step = await otp.send_again_later(door, recovery.RECOVERY, recovery_id, caller)
        return answered(hidden_code_step(step), door)

    @post(
        "/{recovery_id:uuid}/password",
        operation_id="giveRecoveryPassword",
        open_to=Openness.EITHER,
        short=True,
        status_code=200,
        summary="Đặt mật khẩu mới · Set the new password",
    )
    async def password(
        self,
        recovery_id: FromPath[UUID],
        data: JSONBody[forms.PasswordIn],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
    ) -> Response[forms.RecoveredOut]:
        """`done` without a session; 503 `mail_directory_unavailable`, `mail_password_uncertain` keep the step due."""
        await recovery.give_password(door, recovery_id, data.password, caller)
        return answered(forms.RecoveredOut(recovery_id, "done"), door)
