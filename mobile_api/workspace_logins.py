"""The phone's part of signing in to the workspace by QR (rule 313)."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from backend.accounts.ways_in import scanned
from backend.caller import Caller
from backend.db import Database
from backend.errors import settle
from backend.kit import Kit
from backend.openness import Openness
from backend.words import mark as _
from backend.words import say
from mobile_api import schemas_ways_in as schemas

UNKNOWN = _("không rõ")


class WorkspaceLoginController(Controller):
    """A code that was scanned from the sign-in page of the workspace."""

    path = "/workspace-logins/{login_id:uuid}"
    tags = ["sessions"]
    opt = {"open_to": Openness.SESSION}

    @get(operation_id="getWorkspaceLogin", summary="Mã QR vừa quét · A scanned code")
    async def asked(
        self,
        login_id: FromPath[UUID],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        caller: NamedDependency[Caller],
        lang: NamedDependency[str],
    ) -> schemas.WorkspaceLoginOut:
        """Which browser asks from where, and three numbers, of which the page shows one.

        Wants VNeID of level 2 and of this day (403 `insufficient_assurance`, `workspace_level`); 404
        `workspace_code_not_found` after two minutes, 409 `workspace_code_used` once it was answered.
        """
        async with db.read() as tx:
            found = await scanned.on_phone(tx, kit, login_id, caller)
        unknown = say(UNKNOWN, lang)
        return schemas.WorkspaceLoginOut(
            found.numbers, found.browser or unknown, found.place or unknown, found.until
        )

    @post(
        "/approve",
        operation_id="approveWorkspaceLogin",
        status_code=204,
        summary="Cho trình duyệt vào · Let the browser in",
        short=True,
    )
    async def approve(
        self,
        login_id: FromPath[UUID],
        data: JSONBody[schemas.WorkspaceNumberIn],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        caller: NamedDependency[Caller],
    ) -> None:
        """204 with the page's number; another one ends the code for good (422 `workspace_number_wrong`)."""
        async with db.write() as tx:
            outcome = await scanned.approve(tx, kit, login_id, data.number, caller)
        settle(outcome)
