"""The ways into one's own account: `/v1/me/auth-methods`, and the password (rule 142)."""

from __future__ import annotations

from functools import partial
from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from backend.accounts.begun import once
from backend.accounts.codes import otp
from backend.accounts.door import Door
from backend.accounts.passwords import own_password
from backend.accounts.self import kept, method_adding, methods
from backend.caller import Caller
from backend.openness import Openness
from mobile_api import schemas, schemas_self, schemas_ways_in
from mobile_api.answers import answer_of, code_step, eid_step, sign_step, wanted
from mobile_api.keyed import Key

Begun = schemas.CodeStepOut | schemas.LoginOut | schemas_ways_in.SignStepOut


class MethodController(Controller):
    """List, add in steps, remove."""

    path = "/me/auth-methods"
    tags = ["me"]
    opt = {"open_to": Openness.SESSION}

    @get(operation_id="listAuthMethods", summary="Phương thức đăng nhập · Ways to sign in")
    async def mine(
        self, door: NamedDependency[Door], caller: NamedDependency[Caller], lang: NamedDependency[str]
    ) -> schemas_self.MethodList:
        """Password, phones, certificates, VNeID, post office; `removable` is false for the last usable one."""
        found = await _listed(door, caller, lang)
        return schemas_self.MethodList(found)

    @post(operation_id="addAuthMethod", summary="Thêm phương thức · Add a way to sign in")
    async def begin(
        self,
        data: JSONBody[schemas_self.MethodIn],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
        idempotency_key: Key = None,
    ) -> Begun:
        """201: `otp` for a phone, `sign` for a certificate, `authorize` for VNeID; wants a sign-in of 300 s at most."""
        return await once(door, caller, idempotency_key, data, partial(_begun, data, door, caller))

    @post(
        "/{method_id:uuid}/otp",
        operation_id="giveAuthMethodCode",
        status_code=200,
        summary="Nhập mã cho số mới · Give the new phone's code",
    )
    async def otp(
        self,
        method_id: FromPath[UUID],
        data: JSONBody[schemas.CodeIn],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
        lang: NamedDependency[str],
    ) -> schemas_self.MethodDoneOut:
        """`done`; 422 `otp_wrong` with `attempts_left`, 410 `otp_exhausted` or `otp_expired`."""
        made = await method_adding.give_code(door, caller, method_id, data.code)
        return await _done(method_id, made, door, caller, lang)

    @post(
        "/{method_id:uuid}/otp/resend",
        operation_id="resendAuthMethodCode",
        status_code=200,
        summary="Gửi lại mã cho số mới · Send the new phone's code again",
    )
    async def resend(
        self,
        method_id: FromPath[UUID],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
    ) -> schemas.CodeStepOut:
        """The same code again, with the same budget of guesses; 429 `otp_too_soon` within the pause."""
        return code_step(await otp.send_again(door, method_adding.PHONE, method_id, caller))

    @post(
        "/{method_id:uuid}/sign",
        operation_id="signAuthMethod",
        status_code=200,
        summary="Ký để thêm chứng thư số · Sign for the new certificate",
    )
    async def sign(
        self,
        method_id: FromPath[UUID],
        data: JSONBody[schemas_ways_in.SignIn],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
        lang: NamedDependency[str],
    ) -> schemas_self.MethodDoneOut:
        """`done`; 403 `certificate_refused`, 409 `certificate_of_another` or `method_exists`."""
        made = await method_adding.sign(door, caller, method_id, data)
        return await _done(method_id, made, door, caller, lang)

    @post(
        "/{method_id:uuid}/authorize",
        operation_id="authorizeAuthMethod",
        status_code=200,
        summary="Nhận kết quả liên kết VNeID · Take VNeID's answer",
    )
    async def authorize(
        self,
        method_id: FromPath[UUID],
        data: JSONBody[schemas.AuthorizeIn],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
        lang: NamedDependency[str],
    ) -> schemas_self.MethodDoneOut:
        """`done`; 403 `login_refused` or `login_cancelled`, 409 `identity_of_another`."""
        answer = answer_of(data)
        made = await method_adding.authorize(door, caller, method_id, answer)
        return await _done(method_id, made, door, caller, lang)

    @post(
        "/{method_id:uuid}/confirm",
        operation_id="confirmAuthMethod",
        status_code=200,
        summary="Xác nhận phương thức được giữ lại · Confirm a kept way to sign in",
    )
    async def confirm(
        self,
        method_id: FromPath[UUID],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
        lang: NamedDependency[str],
    ) -> schemas_self.MethodOut:
        """The way in, open from now; wants VNeID or a certificate of 300 s at most, 404 `method_not_found`."""
        async with door.db.write() as tx:
            await kept.confirm(tx, door.kit, caller.me, method_id, now=caller.now)
        found = await _listed(door, caller, lang)
        return next(method for method in found if method.id == method_id)

    @delete(
        "/{method_id:uuid}",
        operation_id="removeAuthMethod",
        summary="Gỡ phương thức · Remove a way to sign in",
    )
    async def remove(
        self,
        method_id: FromPath[UUID],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
    ) -> None:
        """204; 409 `last_method` for the last usable one, 404 `method_not_found`."""
        issuer = door.settings.post_office.issuer
        async with door.db.write() as tx:
            await methods.remove(tx, door.kit, caller.me, method_id, post_office=issuer, now=caller.now)


class PasswordController(Controller):
    """The password, changed by whoever knows it."""

    path = "/me/password"
    tags = ["me"]
    opt = {"open_to": Openness.SESSION}

    @post(operation_id="changePassword", status_code=204, summary="Đổi mật khẩu · Change the password")
    async def change(
        self,
        data: JSONBody[schemas_self.PasswordChangeIn],
        door: NamedDependency[Door],
        caller: NamedDependency[Caller],
    ) -> None:
        """204, and every other session has ended; 401 `credentials_wrong`, 409 `no_password`, 422 for a weak `new`."""
        await own_password.change(
            door,
            caller,
            current=data.current,
            new=data.new,
        )


CONTROLLERS: list[type[Controller]] = [MethodController, PasswordController]


async def _listed(door: Door, caller: Caller, lang: str) -> list[schemas_self.MethodOut]:
    async with door.db.read() as tx:
        found = await methods.listed(
            tx,
            door.kit,
            caller.me.account_id,
            post_office=door.settings.post_office.issuer,
            now=caller.now,
        )
    return [schemas_self.MethodOut.of(method, lang) for method in found]


async def _begun(data: schemas_self.MethodIn, door: Door, caller: Caller) -> Begun:
    if data.type == methods.PHONE:
        wanted(data, "phone", other=("certificate",))
        return code_step(await method_adding.begin_phone(door, caller, data.phone or ""))
    if data.type == methods.CERTIFICATE:
        wanted(data, "certificate", other=("phone",))
        return sign_step(await method_adding.begin_certificate(door, caller, data.certificate or ""))
    wanted(data, other=("phone", "certificate"))
    flow, url = await method_adding.begin_vneid(door, caller)
    return eid_step(door, flow, url)


async def _done(
    flow_id: UUID, made: UUID, door: Door, caller: Caller, lang: str
) -> schemas_self.MethodDoneOut:
    found = await _listed(door, caller, lang)
    added = next(method for method in found if method.id == made)
    return schemas_self.MethodDoneOut(flow_id, "done", added)
