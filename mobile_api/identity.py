"""The identity page: `/v1/me/identity` (rule 141)."""

from __future__ import annotations

from typing import Any

from litestar import Controller, Request, get, patch
from litestar.di import NamedDependency
from litestar.params import JSONBody

from backend.account import Account
from backend.accounts.self import identity_page
from backend.caller import Who
from backend.db import Database
from backend.kit import Kit
from backend.openness import Openness
from backend.outside.clock import Clock
from mobile_api import schemas_self as schemas

Call = Request[Who, Any, Any]


class IdentityController(Controller):
    """Every attribute with its evidence, and the editing of what nobody vouches for."""

    path = "/me/identity"
    tags = ["me"]
    opt = {"open_to": Openness.SESSION}

    @get(operation_id="getIdentity", summary="Thông tin định danh · The identity page")
    async def page(
        self, request: Call, db: NamedDependency[Database], kit: NamedDependency[Kit]
    ) -> identity_page.Page:
        """All attributes of the account's kind; which ones disagree with VNeID, and the two hotlines."""
        async with db.read() as tx:
            account = await tx.get_one(Account, request.user.account_id)
            return await identity_page.page(tx, kit, account)

    @patch(operation_id="editIdentity", summary="Sửa thông tin định danh · Edit the identity page")
    async def edit(
        self,
        request: Call,
        data: JSONBody[schemas.AttributesIn],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> identity_page.Page:
        """The page afterwards; 409 `attribute_verified` or `use_phone_change`, 422 for what is not acceptable."""
        async with db.write() as tx:
            return await identity_page.edit(tx, kit, request.user, data.attributes, now=clock.now())
