"""One delivery from the desired state to the acknowledgement."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Protocol
from uuid import UUID

import structlog
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.crypto import Unreadable
from backend.db import Database
from backend.kit import Kit
from backend.outbox import outcome, turns
from backend.outbox.models import System
from backend.outbox.turns import Aim, Turn
from backend.outside.clock import Clock
from backend.outside.connectors import (
    Connector,
    ConnectorMissing,
    DeliveryError,
    Desired,
    LostTurn,
    Receipt,
    Target,
    connect,
)
from backend.outside.connectors.learnt import read_learnt, written
from backend.outside.http import Guarded
from backend.trouble import StorageTrouble

log = structlog.get_logger("delivery")


class DesiredState(Protocol):
    """What a system should hold of a person now; the roles know, the outbox does not (rule 1020)."""

    def __call__(self, tx: AsyncSession, kit: Kit, account_id: UUID, system: System, /) -> Awaitable[Desired]:
        """Read in the caller's transaction."""
        ...


class Connections:
    """One connector per system, made anew when its address or token has changed."""

    def __init__(self, kit: Kit, http: Guarded) -> None:
        self._kit, self._http = kit, http
        self._open: dict[UUID, tuple[Target, Connector]] = {}
        self._opening = asyncio.Lock()

    async def to(self, system: System) -> Connector:
        """The connector of a system, or a DeliveryError when there can be none."""
        try:
            target = target_of(self._kit, system)
            async with self._opening:
                if system.id not in self._open or self._open[system.id][0] != target:
                    await self.drop(system.id)
                    known = read_learnt(system.learnt)
                    self._open[system.id] = (target, await connect(system.kind, target, self._http, known))
                return self._open[system.id][1]
        except (ConnectorMissing, Unreadable) as error:
            raise DeliveryError("connector_missing", permanent=False, of_system=True) from error

    async def drop(self, system_id: UUID) -> None:
        """Forget one system."""
        if found := self._open.pop(system_id, None):
            await found[1].close()

    async def close(self) -> None:
        """Forget all."""
        for system_id in list(self._open):
            await self.drop(system_id)


def target_of(kit: Kit, system: System) -> Target:
    """How to reach a system, with its token in clear; never to be kept or shown."""
    token = kit.keys.open("systems.token", system.id, system.token) if system.token else None
    since = read_learnt(system.learnt).since
    return Target(system.url, token, kit.limits.delivery_timeout, system.options, since)


async def remember(database: Database, system: System, connector: Connector) -> None:
    """Keep with the system what was learnt of it, for the other workers and for its page."""
    now_known = written(connector.learnt)
    if now_known == system.learnt:
        return
    async with database.write() as tx:
        row = await tx.get(System, system.id, with_for_update=True, populate_existing=True)
        if row is not None and read_learnt(row.learnt).since == connector.learnt.since:
            row.learnt = now_known


class Deliverer:
    """Carries one turn out; never raises for what a system does."""

    def __init__(
        self, database: Database, kit: Kit, desired: DesiredState, clock: Clock, connections: Connections
    ) -> None:
        self._database, self._kit, self._desired = database, kit, desired
        self._clock, self._connections = clock, connections

    async def deliver(self, turn: Turn) -> None:
        """Read, send, acknowledge: three steps, with the network outside any transaction."""
        try:
            found = await self._read(turn)
            if found is None:
                await self._give_back(turn)
                return
            aim, system, desired = found
            receipt = await self._send(turn, aim, system, desired)
        except LostTurn:
            log.warning("turn_lost", delivery=str(turn.delivery_id))
        except DeliveryError as error:
            await self._fail(turn, error)
        except (SQLAlchemyError, StorageTrouble) as error:  # the lease runs out and somebody tries again
            log.warning("database_trouble", delivery=str(turn.delivery_id), error=type(error).__name__)
        except Exception:
            log.exception("delivery_broke", delivery=str(turn.delivery_id))
            await self._fail(turn, DeliveryError("internal_error", permanent=False))
        else:
            await self._acknowledge(turn, aim, receipt)

    async def still_mine(self, turn: Turn) -> bool:
        """Asked before every write to a system."""
        async with self._database.read() as tx:
            return await turns.holds(tx, turn, self._clock.now())

    async def _read(self, turn: Turn) -> tuple[Aim, System, Desired] | None:
        """Version and state in one snapshot; nothing while a decision is held."""
        async with self._database.read() as tx:
            if not self._database.is_sqlite:
                await tx.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            aim = await turns.aim(tx, turn, self._clock.now())
            system = await tx.get(System, turn.system_id)
            if aim is None or system is None or system.disabled_at is not None:
                return None
            return aim, system, await self._desired(tx, self._kit, turn.account_id, system)

    async def _send(self, turn: Turn, aim: Aim, system: System, desired: Desired) -> Receipt:
        connector = await self._connections.to(system)
        try:
            return await connector.apply(desired, aim.remote_id, lambda: self.still_mine(turn))
        finally:
            await remember(self._database, system, connector)

    async def _acknowledge(self, turn: Turn, aim: Aim, receipt: Receipt) -> None:
        now = self._clock.now()
        async with self._database.write() as tx:
            kept = await outcome.delivered(tx, self._kit, turn, receipt, version=aim.version, now=now)
        if kept:
            return
        # Our answer came too late, and what we wrote may be older than what another wrote: send it again.
        log.warning("turn_lost", delivery=str(turn.delivery_id))
        async with self._database.write() as tx:
            await outcome.catch_up(tx, turn.system_id, turn.account_id, since=-1, now=now)

    async def _fail(self, turn: Turn, error: DeliveryError) -> None:
        log.warning("not_delivered", delivery=str(turn.delivery_id), error=error.code)
        async with self._database.write() as tx:
            await outcome.failed(tx, self._kit, turn, error, now=self._clock.now())

    async def _give_back(self, turn: Turn) -> None:
        async with self._database.write() as tx:
            await turns.give_back(tx, [turn], self._clock.now())
