"""Tokens, sessions and devices of the signed-in person (rule 301)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar import Controller, Request, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from backend.caller import Caller, Who
from backend.db import Database
from backend.devices import rotation, sessions
from backend.devices.models import Session
from backend.errors import settle
from backend.kit import Kit
from backend.openness import Openness
from backend.outside.clock import Clock
from backend.roles import denied
from mobile_api import schemas
from mobile_api.answers import told

Call = Request[Who, Any, Any]


class TokenController(Controller):
    """Rotation."""

    path = "/token"
    tags = ["sessions"]

    @post(
        operation_id="refreshToken",
        status_code=200,
        summary="Đổi token · Rotate the tokens",
        open_to=Openness.NONCED,
        short=True,
    )
    async def refresh(
        self,
        data: JSONBody[schemas.RefreshIn],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        caller: NamedDependency[Caller],
    ) -> schemas.RefreshOut:
        """New tokens; a refresh token used twice ends the session (401 `session_revoked`)."""
        async with db.write() as tx:
            outcome = await rotation.rotate(tx, kit, data.refresh_token, jkt=caller.jkt, now=caller.now)
        return schemas.RefreshOut(told(schemas.SessionOut, settle(outcome)))


class SessionController(Controller):
    """See and end one's own sessions."""

    path = "/sessions"
    tags = ["sessions"]
    opt = {"open_to": Openness.SESSION}

    @get(operation_id="listSessions", summary="Các phiên đăng nhập · One's own sessions")
    async def mine(
        self, request: Call, db: NamedDependency[Database], clock: NamedDependency[Clock]
    ) -> schemas.SessionList:
        """Live sessions, mobile and workspace, newest first."""
        async with db.read() as tx:
            rows = await sessions.of_account(tx, request.user.account_id, now=clock.now())
        return schemas.SessionList([_row(row, request.user.session_id) for row in rows])

    @delete("/current", operation_id="signOut", summary="Đăng xuất · Sign out")
    async def sign_out(
        self,
        request: Call,
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> None:
        """204; this session's tokens are dead at once."""
        who = request.user
        async with db.write() as tx:
            await sessions.end_own(tx, kit, who.account_id, who.session_id, now=clock.now())

    @delete("/{session_id:uuid}", operation_id="endSession", summary="Kết thúc một phiên · End a session")
    async def end(
        self,
        request: Call,
        session_id: FromPath[UUID],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> None:
        """204, or 404 `session_not_found` for anything that is not one's own live session."""
        async with db.write() as tx:
            await sessions.end_own(tx, kit, request.user.account_id, session_id, now=clock.now())


class DeviceController(Controller):
    """The phone in the hand."""

    tags = ["devices"]
    opt = {"open_to": Openness.SESSION}

    @put(
        "/devices/current/push-token",
        operation_id="setPushToken",
        status_code=204,
        summary="Địa chỉ nhận thông báo · Push address",
    )
    async def push_token(
        self,
        request: Call,
        data: JSONBody[schemas.PushTokenIn],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
    ) -> None:
        """204; replaces the earlier one."""
        async with db.write() as tx:
            await sessions.set_push_token(tx, kit, request.user.session_id, data.token)

    @post(
        "/takeover-reports",
        operation_id="reportTakeover",
        open_to=Openness.REPLACED,
        status_code=201,
        summary="Không phải tôi · This was not me",
    )
    async def not_me(
        self,
        request: Call,
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> schemas.TakeoverOut:
        """From a replaced device, with its old token and key: freezes phone sign-in and ends the newer session.

        `code` is that of the support case which follows it up, where a desk is set up.
        """
        async with db.write() as tx:
            case = await denied.report(tx, kit, request.user.session_id, now=clock.now())
        return schemas.TakeoverOut("frozen", kit.brand.hotlines.own, case.code if case else None)


def _row(session: Session, current: UUID) -> schemas.SessionRow:
    return schemas.SessionRow(
        id=session.id,
        kind=session.kind,
        current=session.id == current,
        device=schemas.DeviceOut(session.device_platform, session.device_name, session.device_model),
        method=session.method,
        created_at=session.created_at,
        last_seen_at=session.last_seen_at,
    )
