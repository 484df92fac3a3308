"""One's own data: consents, the copy of everything, erasure (rule 145)."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Controller, Request, delete, get, put
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.params import JSONBody, PathParameter
from litestar.response import Response

from backend.accounts.self import consents
from backend.accounts.self.consents import Standing
from backend.caller import Who
from backend.db import Database
from backend.kit import Kit
from backend.openness import Openness
from backend.outside.clock import Clock
from backend.roles import leaving
from backend.settings import Settings
from mobile_api import schemas_self as schemas
from mobile_api.schemas_copy import ExportOut

Call = Request[Who, Any, Any]
Purpose = Annotated[str, PathParameter(max_length=40)]


class ConsentController(Controller):
    """What the data are used for, on which ground, and the person's word where it is theirs to give."""

    path = "/me/consents"
    tags = ["me"]
    opt = {"open_to": Openness.SESSION}

    @get(operation_id="listConsents", summary="Mục đích xử lý dữ liệu · Purposes and consents")
    async def mine(self, request: Call, db: NamedDependency[Database]) -> schemas.ConsentList:
        """Every purpose with its basis; nothing is allowed by default."""
        async with db.read() as tx:
            return schemas.ConsentList(await consents.standings(tx, request.user.account_id))

    @put("/{purpose:str}", operation_id="setConsent", summary="Đồng ý hoặc rút lại · Give or take back")
    async def say(
        self,
        request: Call,
        purpose: Purpose,
        data: JSONBody[schemas.ConsentIn],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Standing:
        """409 `not_by_consent` where the basis is another, 404 `purpose_unknown`."""
        async with db.write() as tx:
            return await consents.say(tx, kit, request.user, purpose, given=data.given, now=clock.now())


class PersonalDataController(Controller):
    """Everything, once more or never again."""

    path = "/me"
    tags = ["me"]
    opt = {"open_to": Openness.SESSION}

    @get(
        "/export",
        operation_id="exportMyData",
        summary="Xuất dữ liệu cá nhân · A copy of everything held",
        responses={200: ResponseSpec(ExportOut, generate_examples=False, description="Everything held")},
    )
    async def export(
        self,
        request: Call,
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
        settings: NamedDependency[Settings],
    ) -> Response[bytes]:
        """JSON to keep; wants a sign-in of 600 s at most (403 `insufficient_assurance`)."""
        copied = await leaving.export(
            db, kit, request.user, post_office=settings.post_office.issuer, now=clock.now()
        )
        headers = {
            "Content-Disposition": f'attachment; filename="{kit.brand.key.replace("_", "-")}-data.json"',
            "Cache-Control": "no-store",
        }
        return Response(msgspec.json.encode(copied), media_type="application/json", headers=headers)

    @delete(operation_id="eraseMe", summary="Xóa tài khoản và dữ liệu · Erase the account")
    async def erase(
        self,
        request: Call,
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> None:
        """204, and no session is left; 409 `erasure_refused` with `reasons` while the law keeps something."""
        async with db.write() as tx:
            await leaving.leave(tx, kit, request.user, now=clock.now())
        await db.scrub()


CONTROLLERS: list[type[Controller]] = [ConsentController, PersonalDataController]
