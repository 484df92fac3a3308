"""The queue of a manager: what waits, oldest first (rule 820). What is done to many of it at once: bulk.py."""

from __future__ import annotations

from litestar import Controller, Response, get
from litestar.di import NamedDependency

from backend.openness import Openness
from workspace import forms, lists
from workspace.call import Call
from workspace.lists import Filters
from workspace.manager import Manager


class InboxController(Controller):
    """The list."""

    path = "/"
    opt = {"open_to": Openness.MANAGER}

    @get(name="workspace.inbox")
    async def show(self, call: NamedDependency[Call[Manager]]) -> Response[str]:
        """The requests that wait for this manager."""
        return await lists.shown(call, forms.query(call.request, Filters))
