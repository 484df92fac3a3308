"""Another number for codes: `/v1/phone-changes` and the slip for the carrier's counter."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from backend.accounts.begun import once
from backend.accounts.codes import otp
from backend.accounts.door import Door
from backend.accounts.phones import phone_change
from backend.caller import Caller
from backend.openness import Openness
from mobile_api import schemas
from mobile_api import schemas_ways_in as forms
from mobile_api.answers import code_step, no_other_number
from mobile_api.keyed import Key


class PhoneChangeController(Controller):
    """Signed in, or inside a password sign-in that waits at `otp` (sources 001, 2.2 and 004, 2)."""

    tags = ["phone-changes"]

    @post(
        "/phone-changes",
        operation_id="beginPhoneChange",
        open_to=Openness.PROOF,
        short=True,
        summary="Đổi số nhận OTP · Change the OTP phone",
    )
    async def begin(
        self,
        data: JSONBody[forms.PhoneChangeIn],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
        idempotency_key: Key = None,
    ) -> schemas.CodeStepOut:
        """201 with `otp`; 403 `insufficient_assurance` when the sign-in is older than five minutes."""

        async def make() -> schemas.CodeStepOut:
            return code_step(await phone_change.begin(door, data.phone, caller, login=data.login))

        return await once(door, caller, idempotency_key, data, make)

    @post(
        "/phone-changes/{change_id:uuid}/otp",
        operation_id="givePhoneChangeCode",
        open_to=Openness.PROOF,
        short=True,
        status_code=200,
        summary="Nhập mã xác thực · Give the code",
    )
    async def otp(
        self,
        change_id: FromPath[UUID],
        data: JSONBody[schemas.CodeIn],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
    ) -> forms.PhoneChangedOut:
        """`done` without a session; 422 `subscriber_mismatch` with a slip, 503 keeps the code right."""
        changed = await phone_change.give_code(door, change_id, data.code, caller)
        return forms.PhoneChangedOut(change_id, "done", changed.phone)

    @post(
        "/phone-changes/{change_id:uuid}/otp/resend",
        operation_id="resendPhoneChangeCode",
        open_to=Openness.PROOF,
        short=True,
        status_code=200,
        summary="Gửi lại mã · Send the code again",
    )
    async def resend(
        self,
        change_id: FromPath[UUID],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
        data: JSONBody[schemas.ResendIn | None] = None,
    ) -> schemas.CodeStepOut:
        """The same code again; 429 `otp_too_soon` within the pause."""
        no_other_number(data)
        return code_step(await otp.send_again(door, phone_change.CHANGE, change_id, caller))

    @get(
        "/phone-change-slips/{code:str}",
        operation_id="checkSlip",
        open_to=Openness.ANYBODY,
        summary="Kiểm tra phiếu đổi số · Check a slip",
    )
    async def slip(
        self, code: FromPath[str], door: NamedDependency[Door], caller: NamedDependency[Caller]
    ) -> forms.SlipOut:
        """Whether the slip is genuine and till when; no name and no number."""
        async with door.db.read() as tx:
            found = await phone_change.slip_of(tx, code, now=caller.now)
        if found is None:
            return forms.SlipOut(genuine=False)
        return forms.SlipOut(genuine=True, made_at=found.made_at, valid_until=found.valid_until)
