"""The queue of a manager: what waits, oldest first (rule 820). What is done to many of it at once: bulk.py."""

from __future__ import annotations

from litestar import Controller, Response, get
from litestar.di import NamedDependency

from backend.db import Database
from backend.kit import Kit
from backend.openness import Openness
from backend.outside.clock import Clock
from workspace import forms, lists
from workspace.auth import Visit
from workspace.lists import Filters
from workspace.manager import Manager


class InboxController(Controller):
    """The list."""

    path = "/"
    opt = {"open_to": Openness.MANAGER}

    @get(name="workspace.inbox")
    async def show(
        self,
        request: Visit,
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """The requests that wait for this manager."""
        return await lists.shown(request, db, kit, clock, manager, forms.query(request, Filters))
