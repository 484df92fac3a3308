"""Who I am: `GET /v1/me`, kept as ready bytes by account and version."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import msgspec
from litestar import Controller, Request, get
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec
from litestar.response import Response
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.identity import people
from backend.caller import Who
from backend.db import Database
from backend.kit import Kit
from backend.openness import Openness
from mobile_api.schemas_self import MeOut

KEPT = 50_000
RolesOf = Callable[[AsyncSession, Kit, UUID], Awaitable[list[Any]]]


class Profiles:
    """The bytes of each person's profile; the session check reads the version at every call, so none is stale."""

    def __init__(self, db: Database, kit: Kit, roles_of: RolesOf) -> None:
        self._db = db
        self._kit = kit
        self._roles_of = roles_of
        self._ready: OrderedDict[UUID, tuple[int, bytes]] = OrderedDict()

    async def of(self, account_id: UUID, version: int) -> bytes:
        """The JSON of `GET /v1/me`."""
        ready = self._ready.get(account_id)
        if ready is not None and ready[0] == version:
            return ready[1]
        async with self._db.read() as tx:
            account = await tx.get_one(Account, account_id)
            described = await people.described(tx, self._kit, account)
            described["roles"] = await self._roles_of(tx, self._kit, account_id)
            body = msgspec.json.encode(described)
        self._ready[account_id] = (account.version, body)
        if len(self._ready) > KEPT:
            self._ready.popitem(last=False)
        return body


class MeController(Controller):
    """The documented twin of what the door answers by itself."""

    path = "/me"
    tags = ["me"]
    opt = {"open_to": Openness.SESSION}

    @get(
        operation_id="getMe",
        summary="Tôi là ai · Who I am",
        responses={200: ResponseSpec(MeOut, generate_examples=False, description="Who one is")},
    )
    async def me(
        self, request: Request[Who, Any, Any], profiles: NamedDependency[Profiles]
    ) -> Response[bytes]:
        """Account, masked identifiers and phones, assurance level, roles."""
        body = await profiles.of(request.user.account_id, request.user.version)
        return Response(body, media_type="application/json")
