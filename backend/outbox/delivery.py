"""From turns to receipts: what to send, read for many at once, and the sending of one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Protocol
from uuid import UUID

import msgspec
import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from backend.crypto import Unreadable
from backend.db import Database
from backend.kit import Kit
from backend.outbox import outcome, turns
from backend.outbox.models import LONGEST_REMOTE_ID, System
from backend.outbox.outcome import Acknowledged
from backend.outbox.turns import Aim, Turn
from backend.outside.clock import Clock
from backend.outside.connectors import (
    Connector,
    DeliveryError,
    Desired,
    Errand,
    LostTurn,
    Target,
    connect,
)
from backend.outside.connectors.kinds import ConnectorMissing
from backend.outside.connectors.learnt import read_learnt, written
from backend.outside.http import Guarded
from backend.trouble import StorageTrouble

log = structlog.get_logger("delivery")


class DesiredState(Protocol):
    """What a system should hold of people now; the roles know, the outbox does not (rule 1020)."""

    def __call__(
        self, tx: AsyncSession, kit: Kit, account_ids: Sequence[UUID], system: System, /
    ) -> Awaitable[dict[UUID, Desired]]:
        """Read in the caller's transaction."""
        ...


class Parcel(msgspec.Struct, frozen=True):
    """A turn with what has to be sent."""

    turn: Turn
    aim: Aim
    system: System
    desired: Desired


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
        held = {"key_share": True}  # whoever writes deliveries to it meanwhile waits for nobody
        row = await tx.get(System, system.id, with_for_update=held, populate_existing=True)
        if row is not None and read_learnt(row.learnt).since == connector.learnt.since:
            row.learnt = now_known
    system.learnt = now_known


def _can_be_kept(remote_id: str | None) -> bool:
    """Whether the database takes what a system calls somebody: or one answer would hold up all that wait for theirs."""
    return remote_id is None or (len(remote_id) <= LONGEST_REMOTE_ID and "\0" not in remote_id)


class Deliverer:
    """Prepares turns, carries each out, acknowledges; never raises for what a system does."""

    def __init__(
        self, database: Database, kit: Kit, desired: DesiredState, clock: Clock, connections: Connections
    ) -> None:
        self._database, self._kit, self._desired = database, kit, desired
        self._clock, self._connections = clock, connections

    async def prepare(self, taken: Sequence[Turn]) -> list[Parcel]:
        """Versions and states of turns at one system in one snapshot; what is held meanwhile goes back."""
        if not taken:
            return []
        ready = await self._read(taken)
        there = {parcel.turn.delivery_id for parcel in ready}
        if held := [turn for turn in taken if turn.delivery_id not in there]:
            await self.give_back(held)
        return ready

    async def deliver(self, parcel: Parcel) -> Acknowledged | DeliveryError | None:
        """Send: what has to be acknowledged, or what the system refused. The network is outside any transaction."""
        turn = parcel.turn
        try:
            return await self._send(parcel)
        except LostTurn:
            log.warning("turn_lost", delivery=str(turn.delivery_id))
        except DeliveryError as error:
            await self._fail(turn, error)
            return error
        except (SQLAlchemyError, StorageTrouble) as error:  # the lease runs out and somebody tries again
            log.warning("database_trouble", delivery=str(turn.delivery_id), error=type(error).__name__)
        except Exception:
            log.exception("delivery_broke", delivery=str(turn.delivery_id))
            await self._fail(turn, DeliveryError("internal_error", permanent=False))
        return None

    async def acknowledge(self, system_id: UUID, done: Sequence[Acknowledged]) -> None:
        """All of one system in one transaction, with one seal of the journal."""
        async with self._database.write() as tx:
            lost = await outcome.delivered(tx, self._kit, system_id, done, now=self._clock.now())
        for turn in lost:
            log.warning("turn_lost", delivery=str(turn.delivery_id))

    async def give_back(self, taken: Sequence[Turn]) -> None:
        """Let others have them."""
        async with self._database.write() as tx:
            await turns.give_back(tx, taken, self._clock.now())

    async def still_mine(self, turn: Turn) -> bool:
        """Asked before every write to a system; the database is asked when the lease is not fresh any more."""
        if turn.lease.is_fresh(self._clock.now()):
            return True
        async with self._database.read() as tx:
            return await turns.holds(tx, turn, self._clock.now())

    async def _read(self, taken: Sequence[Turn]) -> list[Parcel]:
        people = [turn.account_id for turn in taken]
        async with self._database.read() as tx:
            aims = await turns.aims(tx, taken[0].system_id, people, self._clock.now())
            system = await tx.get(System, taken[0].system_id)
            if not aims or system is None or system.disabled_at is not None:
                return []
            states = await self._desired(tx, self._kit, list(aims), system)
        return [
            Parcel(turn, aims[turn.account_id], system, states[turn.account_id])
            for turn in taken
            if turn.account_id in aims
        ]

    async def _send(self, parcel: Parcel) -> Acknowledged:
        connector = await self._connections.to(parcel.system)
        turn = parcel.turn
        try:
            errand = Errand(turn.delivery_id, parcel.aim.version, lambda: self.still_mine(turn))
            receipt = await connector.apply(parcel.desired, parcel.aim.remote_id, errand)
        finally:
            await remember(self._database, parcel.system, connector)
        if not _can_be_kept(receipt.remote_id):
            raise DeliveryError("unreadable_user", permanent=False)
        return Acknowledged(turn, parcel.aim.version, receipt.remote_id)

    async def _fail(self, turn: Turn, error: DeliveryError) -> None:
        log.warning("not_delivered", delivery=str(turn.delivery_id), error=error.code)
        async with self._database.write() as tx:
            await outcome.failed(tx, self._kit, turn, error, now=self._clock.now())
