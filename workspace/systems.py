"""The systems downstream: how far each is, what failed and why, and sending it again (rule 820)."""

from __future__ import annotations

from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from backend import paging
from backend.openness import Openness
from backend.outbox import queue as outbox
from backend.outbox import states
from backend.outbox.states import Count, SyncState, SystemOverview
from backend.roles import queue
from workspace import forms
from workspace.call import Call
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
        itself = system.paused_until is not None and not system.stopped  # by the trouble that it is in
        broken = failing or (itself and system.disabled_at is None)
        state = "dead" if broken else "pending" if waiting or system.stopped else "synced"
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
    async def show(self, call: NamedDependency[Call[Manager]]) -> Response[str]:
        """Counts for everybody; names only of people in the manager's own units."""
        said = forms.query(call.request, Said).said
        async with call.read() as tx:
            systems = await states.overview(tx, call.now())
            names: dict[UUID, str] = {}
            for one in systems:
                among = states.failing(one.id)
                names |= await queue.names_within(
                    tx, call.kit, call.who.account_id, among, now=call.now(), most=NAMED
                )
            found_of = await states.states_for_accounts(tx, list(names), call.now())
        troubles = [
            Trouble(names[account], sync)
            for account, found in found_of.items()
            for sync in found
            if sync.state in FAILING
        ]
        shown, more = paging.cut(troubles, NAMED)
        glances = [Glance.of(one) for one in systems]
        return page(
            call.request, "systems.html", systems=glances, troubles=shown, more=more, most=NAMED, said=said
        )

    @post("/{system_id:uuid}/replay", name="workspace.replay")
    async def replay(self, call: NamedDependency[Call[Manager]], system_id: FromPath[UUID]) -> Redirect:
        """Try what failed again at once; each person's present state is sent, so twice does no harm."""
        await forms.read(call.request, forms.NoFields)
        async with call.write() as tx:
            count = await outbox.replay(tx, call.kit, system_id, by=call.who.account_id, now=call.now())
        return Redirect(f"/workspace/systems?said={count}", status_code=303)
