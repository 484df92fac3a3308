"""The ways into one's own account: `/v1/me/auth-methods`, and the password (rule 142)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Request, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from backend.accounts.door import Door
from backend.accounts.passwords import own_password
from backend.accounts.self import kept, method_adding, methods
from backend.devices.entry import Who
from backend.outside.clock import Clock
from mobile_api import schemas, schemas_self, schemas_ways_in
from mobile_api.answers import address_of, answer_of, code_step, eid_step, sign_step, wanted
from mobile_api.problems import language_of

Call = Request[Who, Any, Any]
Begun = schemas.CodeStepOut | schemas.LoginOut | schemas_ways_in.SignStepOut


class MethodController(Controller):
    """List, add in steps, remove."""

    path = "/me/auth-methods"
    tags = ["me"]

    @get(operation_id="listAuthMethods", summary="Phương thức đăng nhập · Ways to sign in")
    async def mine(
        self, request: Call, door: NamedDependency[Door], clock: NamedDependency[Clock]
    ) -> schemas_self.MethodList:
        """Password, phones, certificates, VNeID, post office; `removable` is false for the last usable one."""
        found = await _listed(request, door, clock)
        return schemas_self.MethodList(found)

    @post(operation_id="addAuthMethod", summary="Thêm phương thức · Add a way to sign in")
    async def begin(
        self,
        request: Call,
        data: JSONBody[schemas_self.MethodIn],
        door: NamedDependency[Door],
        clock: NamedDependency[Clock],
    ) -> Begun:
        """201: `otp` for a phone, `sign` for a certificate, `authorize` for VNeID; wants a sign-in of 300 s at most."""
        who, now = request.user, clock.now()
        if data.type == methods.PHONE:
            wanted(data, "phone", other=("certificate",))
            step = await method_adding.begin_phone(
                door, who, data.phone or "", address=address_of(request), now=now
            )
            return code_step(step)
        if data.type == methods.CERTIFICATE:
            wanted(data, "certificate", other=("phone",))
            asked = await method_adding.begin_certificate(
                door, who, data.certificate or "", address=address_of(request), now=now
            )
            return sign_step(asked)
        wanted(data, other=("phone", "certificate"))
        flow, url = await method_adding.begin_vneid(door, who, now=now)
        return eid_step(door, flow, url)

    @post(
        "/{method_id:uuid}/otp",
        operation_id="giveAuthMethodCode",
        status_code=200,
        summary="Nhập mã cho số mới · Give the new phone's code",
    )
    async def otp(
        self,
        request: Call,
        method_id: FromPath[UUID],
        data: JSONBody[schemas.CodeIn],
        door: NamedDependency[Door],
        clock: NamedDependency[Clock],
    ) -> schemas_self.MethodDoneOut:
        """`done`; 422 `otp_wrong` with `attempts_left`, 410 `otp_exhausted` or `otp_expired`."""
        made = await method_adding.give_code(door, request.user, method_id, data.code, now=clock.now())
        return await _done(request, method_id, made, door, clock)

    @post(
        "/{method_id:uuid}/otp/resend",
        operation_id="resendAuthMethodCode",
        status_code=200,
        summary="Gửi lại mã cho số mới · Send the new phone's code again",
    )
    async def resend(
        self,
        request: Call,
        method_id: FromPath[UUID],
        door: NamedDependency[Door],
        clock: NamedDependency[Clock],
    ) -> schemas.CodeStepOut:
        """The same code again, with the same budget of guesses; 429 `otp_too_soon` within the pause."""
        return code_step(await method_adding.send_again(door, request.user, method_id, now=clock.now()))

    @post(
        "/{method_id:uuid}/sign",
        operation_id="signAuthMethod",
        status_code=200,
        summary="Ký để thêm chứng thư số · Sign for the new certificate",
    )
    async def sign(
        self,
        request: Call,
        method_id: FromPath[UUID],
        data: JSONBody[schemas_ways_in.SignIn],
        door: NamedDependency[Door],
        clock: NamedDependency[Clock],
    ) -> schemas_self.MethodDoneOut:
        """`done`; 403 `certificate_refused`, 409 `certificate_of_another` or `method_exists`."""
        made = await method_adding.sign(
            door, request.user, method_id, data.certificate, data.signature, now=clock.now()
        )
        return await _done(request, method_id, made, door, clock)

    @post(
        "/{method_id:uuid}/authorize",
        operation_id="authorizeAuthMethod",
        status_code=200,
        summary="Nhận kết quả liên kết VNeID · Take VNeID's answer",
    )
    async def authorize(
        self,
        request: Call,
        method_id: FromPath[UUID],
        data: JSONBody[schemas.AuthorizeIn],
        door: NamedDependency[Door],
        clock: NamedDependency[Clock],
    ) -> schemas_self.MethodDoneOut:
        """`done`; 403 `login_refused` or `login_cancelled`, 409 `identity_of_another`."""
        answer = answer_of(data)
        made = await method_adding.authorize(door, request.user, method_id, answer, now=clock.now())
        return await _done(request, method_id, made, door, clock)

    @post(
        "/{method_id:uuid}/confirm",
        operation_id="confirmAuthMethod",
        status_code=200,
        summary="Xác nhận phương thức được giữ lại · Confirm a kept way to sign in",
    )
    async def confirm(
        self,
        request: Call,
        method_id: FromPath[UUID],
        door: NamedDependency[Door],
        clock: NamedDependency[Clock],
    ) -> schemas_self.MethodOut:
        """The way in, open from now; wants VNeID or a certificate of 300 s at most, 404 `method_not_found`."""
        async with door.db.write() as tx:
            await kept.confirm(tx, door.kit, request.user, method_id, now=clock.now())
        found = await _listed(request, door, clock)
        return next(method for method in found if method.id == method_id)

    @delete(
        "/{method_id:uuid}",
        operation_id="removeAuthMethod",
        summary="Gỡ phương thức · Remove a way to sign in",
    )
    async def remove(
        self,
        request: Call,
        method_id: FromPath[UUID],
        door: NamedDependency[Door],
        clock: NamedDependency[Clock],
    ) -> None:
        """204; 409 `last_method` for the last usable one, 404 `method_not_found`."""
        issuer = door.settings.post_office_issuer
        async with door.db.write() as tx:
            await methods.remove(tx, door.kit, request.user, method_id, post_office=issuer, now=clock.now())


class PasswordController(Controller):
    """The password, changed by whoever knows it."""

    path = "/me/password"
    tags = ["me"]

    @post(operation_id="changePassword", status_code=204, summary="Đổi mật khẩu · Change the password")
    async def change(
        self,
        request: Call,
        data: JSONBody[schemas_self.PasswordChangeIn],
        door: NamedDependency[Door],
        clock: NamedDependency[Clock],
    ) -> None:
        """204, and every other session has ended; 401 `credentials_wrong`, 409 `no_password`, 422 for a weak `new`."""
        await own_password.change(
            door,
            request.user,
            current=data.current,
            new=data.new,
            address=address_of(request),
            now=clock.now(),
        )


CONTROLLERS: list[type[Controller]] = [MethodController, PasswordController]


async def _listed(request: Call, door: Door, clock: Clock) -> list[schemas_self.MethodOut]:
    lang = language_of(request.scope)
    async with door.db.read() as tx:
        found = await methods.listed(
            tx,
            door.kit,
            request.user.account_id,
            post_office=door.settings.post_office_issuer,
            now=clock.now(),
        )
    return [schemas_self.MethodOut.of(method, lang) for method in found]


async def _done(
    request: Call, flow_id: UUID, made: UUID, door: Door, clock: Clock
) -> schemas_self.MethodDoneOut:
    found = await _listed(request, door, clock)
    added = next(method for method in found if method.id == made)
    return schemas_self.MethodDoneOut(flow_id, "done", added)
