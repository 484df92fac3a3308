"""Two accounts of one person: `/v1/me/joins` (case R26)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from backend.accounts.door import Door
from backend.devices.entry import Who
from backend.outside.clock import Clock
from backend.roles import joins
from mobile_api import schemas, schemas_self
from mobile_api.answers import address_of, code_step

Call = Request[Who, Any, Any]


class JoinController(Controller):
    """Which other account may be one's own, and the proof that it is."""

    path = "/me/joins"
    tags = ["me"]

    @get(operation_id="listJoins", summary="Tài khoản có thể là của bạn · Accounts that may be yours")
    async def mine(self, request: Call, door: NamedDependency[Door]) -> schemas_self.JoinList:
        """Accounts of the same name and birth date with a CMND, as masked numbers; for who has come by VNeID."""
        async with door.db.read() as tx:
            found = await joins.listed(tx, door.kit, request.user)
        return schemas_self.JoinList([schemas_self.JoinOut("old_id_number", one.number) for one in found])

    @post(operation_id="beginJoin", summary="Gộp tài khoản · Join the other account")
    async def begin(
        self,
        request: Call,
        data: JSONBody[schemas_self.JoinIn],
        door: NamedDependency[Door],
        clock: NamedDependency[Clock],
    ) -> schemas.CodeStepOut:
        """201 `otp`; wants VNeID of 300 s at most; 401 `credentials_wrong`, 409 `not_joinable` or `join_conflict`."""
        step = await joins.begin(
            door,
            request.user,
            number=data.national_id,
            password=data.password,
            captcha=data.captcha,
            address=address_of(request),
            now=clock.now(),
        )
        return code_step(step)

    @post(
        "/{join_id:uuid}/otp",
        operation_id="giveJoinCode",
        status_code=200,
        summary="Nhập mã của tài khoản kia · Give the other account's code",
    )
    async def otp(
        self,
        request: Call,
        join_id: FromPath[UUID],
        data: JSONBody[schemas.CodeIn],
        door: NamedDependency[Door],
        clock: NamedDependency[Clock],
    ) -> schemas_self.JoinDoneOut:
        """`done`, and the other account is closed; 422 `otp_wrong`, 409 `join_conflict` with `conflicts`."""
        shown = await joins.give_code(door, request.user, join_id, data.code, now=clock.now())
        return schemas_self.JoinDoneOut(join_id, "done", msgspec.convert(shown, schemas.AccountOut))

    @post(
        "/{join_id:uuid}/otp/resend",
        operation_id="resendJoinCode",
        status_code=200,
        summary="Gửi lại mã để gộp · Send the code again",
    )
    async def resend(
        self,
        request: Call,
        join_id: FromPath[UUID],
        door: NamedDependency[Door],
        clock: NamedDependency[Clock],
    ) -> schemas.CodeStepOut:
        """The same code again, with the same budget of guesses; 429 `otp_too_soon` within the pause."""
        return code_step(await joins.send_again(door, request.user, join_id, now=clock.now()))
