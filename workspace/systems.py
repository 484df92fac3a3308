"""The systems downstream: how far each is, what failed and why, and sending it again (rule 820)."""

from __future__ import annotations

from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from backend import paging
from backend.db import Database
from backend.kit import Kit
from backend.openness import Openness
from backend.outbox import queue as outbox
from backend.outbox import states
from backend.outbox.states import Count, SyncState, SystemOverview
from backend.outside.clock import Clock
from backend.roles import queue
from workspace import forms
from workspace.auth import Visit
from workspace.manager import Manager
from workspace.pages import page

WAITING = ("pending", "delivering", "paused", "held")
FAILING = ("dead", "drift", "retrying")
NAMED = 100  # people on the page; whoever is sent again makes room


class Glance(msgspec.Struct, frozen=True):
    """One system in the page's three words: synced, pending or dead, with the counts behind them."""

    system: SystemOverview
    state: str
    synced: Count
    waiting: Count
    failing: Count

    @classmethod
    def of(cls, system: SystemOverview) -> Glance:
        """What fails is said first, what waits second."""
        waiting = sum(system.counts.get(state, 0) for state in WAITING)
        failing = sum(system.counts.get(state, 0) for state in FAILING)
        broken = failing or (system.paused_until is not None and system.disabled_at is None)
        state = "dead" if broken else "pending" if waiting else "synced"
        synced = system.counts.get("synced", 0)
        return cls(system, state, Count(synced), Count(waiting), Count(failing))


class Said(msgspec.Struct, frozen=True):
    """What the page reports after a button."""

    said: int | None = None


class Trouble(msgspec.Struct, frozen=True):
    """Somebody of the manager's units whom a system does not show as it should."""

    name: str
    sync: SyncState


class SystemsController(Controller):
    """Each connected system at a glance."""

    path = "/systems"
    opt = {"open_to": Openness.MANAGER}

    @get(name="workspace.systems")
    async def show(
        self,
        request: Visit,
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """Counts for everybody; names only of people in the manager's own units."""
        said = forms.query(request, Said).said
        async with db.read() as tx:
            systems = await states.overview(tx, clock.now())
            names: dict[UUID, str] = {}
            for one in systems:
                among = states.failing(one.id)
                names |= await queue.names_within(
                    tx, kit, manager.account_id, among, now=clock.now(), most=NAMED
                )
            found_of = await states.states_for_accounts(tx, list(names), clock.now())
        troubles = [
            Trouble(names[account], sync)
            for account, found in found_of.items()
            for sync in found
            if sync.state in FAILING
        ]
        shown, more = paging.cut(troubles, NAMED)
        glances = [Glance.of(one) for one in systems]
        return page(
            request, "systems.html", systems=glances, troubles=shown, more=more, most=NAMED, said=said
        )

    @post("/{system_id:uuid}/replay", name="workspace.replay")
    async def replay(
        self,
        request: Visit,
        system_id: FromPath[UUID],
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Redirect:
        """Try what failed again at once; each person's present state is sent, so twice does no harm."""
        await forms.read(request, forms.NoFields)
        async with db.write() as tx:
            count = await outbox.replay(tx, kit, system_id, by=manager.account_id, now=clock.now())
        return Redirect(f"/workspace/systems?said={count}", status_code=303)
