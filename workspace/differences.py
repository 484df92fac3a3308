"""Where the staff directory and the roles of a manager's units differ (rules 627, 820)."""

from __future__ import annotations

import msgspec
from litestar import Controller, Response, get
from litestar.di import NamedDependency

from backend.openness import Openness
from backend.roles import agencies, differences
from workspace import forms
from workspace.call import Call
from workspace.manager import Manager
from workspace.pages import page


class Place(msgspec.Struct, frozen=True):
    """From where on."""

    cursor: str = ""


class DifferencesController(Controller):
    """The list; what settles a difference is done on the pages of the person."""

    path = "/differences"
    opt = {"open_to": Openness.MANAGER}

    @get(name="workspace.differences")
    async def show(self, call: NamedDependency[Call[Manager]]) -> Response[str]:
        """Unit by unit: noted elsewhere, gone from the directory, listed without a role."""
        place = forms.query(call.request, Place)
        async with call.read() as tx:
            found = await differences.page(
                tx, call.kit, call.who.account_id, now=call.now(), cursor=place.cursor
            )
            has_directory = await agencies.is_there(tx)
        return page(call.request, "differences.html", found=found, has_directory=has_directory)
