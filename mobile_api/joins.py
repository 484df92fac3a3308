"""Two accounts of one person: `/v1/me/joins` (case R26)."""

from __future__ import annotations

from uuid import UUID

import msgspec
from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from backend.accounts.begun import once
from backend.accounts.codes import otp
from backend.accounts.door import Door
from backend.caller import Caller
from backend.openness import Openness
from backend.roles import joins
from mobile_api import schemas, schemas_self
from mobile_api.answers import code_step
from mobile_api.keyed import Key


class JoinController(Controller):
    """Which other account may be one's own, and the proof that it is."""

    path = "/me/joins"
    tags = ["me"]
    opt = {"open_to": Openness.SESSION}

    @get(operation_id="listJoins", summary="Tài khoản có thể là của bạn · Accounts that may be yours")
    async def mine(
        self, door: NamedDependency[Door], caller: NamedDependency[Caller]
    ) -> schemas_self.JoinList:
        """Accounts of the same name and birth date with a CMND, as masked numbers; for who has come by VNeID."""
        async with door.db.read() as tx:
            found = await joins.listed(tx, door.kit, caller.me)
        return schemas_self.JoinList([schemas_self.JoinOut("old_id_number", one.number) for one in found])

    @post(operation_id="beginJoin", summary="Gộp tài khoản · Join the other account")
    async def begin(
        self,
        data: JSONBody[schemas_self.JoinIn],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
        idempotency_key: Key = None,
    ) -> schemas.CodeStepOut:
        """201 `otp`; wants VNeID of 300 s at most; 401 `credentials_wrong`, 409 `not_joinable` or `join_conflict`."""

        async def make() -> schemas.CodeStepOut:
            typed = {"number": data.national_id, "password": data.password, "captcha": data.captcha}
            return code_step(await joins.begin(door, caller, **typed))

        return await once(door, caller, idempotency_key, data, make)

    @post(
        "/{join_id:uuid}/otp",
        operation_id="giveJoinCode",
        status_code=200,
        summary="Nhập mã của tài khoản kia · Give the other account's code",
    )
    async def otp(
        self,
        join_id: FromPath[UUID],
        data: JSONBody[schemas.CodeIn],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
    ) -> schemas_self.JoinDoneOut:
        """`done`, and the other account is closed; 422 `otp_wrong`, 409 `join_conflict` with `conflicts`."""
        shown = await joins.give_code(door, caller, join_id, data.code)
        return schemas_self.JoinDoneOut(join_id, "done", msgspec.convert(shown, schemas.AccountOut))

    @post(
        "/{join_id:uuid}/otp/resend",
        operation_id="resendJoinCode",
        status_code=200,
        summary="Gửi lại mã để gộp · Send the code again",
    )
    async def resend(
        self,
        join_id: FromPath[UUID],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
    ) -> schemas.CodeStepOut:
        """The same code again, with the same budget of guesses; 429 `otp_too_soon` within the pause."""
        return code_step(await otp.send_again(door, joins.JOIN, join_id, caller))
