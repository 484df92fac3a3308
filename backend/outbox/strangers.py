"""Rights in our groups of whom we never told a system: found, taken away, and looked at again (rule 703)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Collection
from typing import Literal, Protocol

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import Database, in_parts
from backend.outbox import circuit
from backend.outbox.models import Link, System
from backend.outside.clock import Clock
from backend.outside.connectors import Connector, DeliveryError, Right, Rights

UNPROVED = "unproved"
TOO_LARGE = "reply_too_large"


class Found(msgspec.Struct, frozen=True):
    """A right that nobody of ours has, or something that could not be read; `fields` names the group and why."""

    kind: Literal["stranger", "unreadable"]
    fields: tuple[str, ...]


class OurGroups(Protocol):
    """Which of these external identifiers are those of groups that we make there; the roles know."""

    def __call__(self, tx: AsyncSession, system: System, codes: Collection[str], /) -> Awaitable[set[str]]:
        """Read in the caller's transaction."""
        ...


class Strangers:
    """One look at one system; `foreign` counts its groups that are not ours, `named` says whom it calls by a name of
    ours though we know nothing of having told it.
    """

    def __init__(self, database: Database, groups: OurGroups, clock: Clock, *, dry: bool) -> None:
        self._database, self._groups, self._clock, self._dry = database, groups, clock, dry
        self.foreign, self.named = 0, set[str]()

    async def run(self, connector: Connector, system: System) -> AsyncIterator[Found]:
        """Each of them, taken away unless this is a dry look. Whom we told is compared elsewhere.

        Groups are read before the links: whoever is being told of now is known by the time one looks.
        """
        try:
            rights = await connector.rights()
        except DeliveryError as error:
            if error.of_system and error.code != TOO_LARGE:
                raise
            yield Found("unreadable", ("groups", error.code))
            return
        async with self._database.read() as tx:
            if not await self._is_ours_to_change(tx, system):
                yield Found("unreadable", ("groups", "stopped_meanwhile"))
                return
            codes = {right.group for right in rights.ours} | set(rights.unread)
            ours = await self._groups(tx, system, codes)
            told = await _told(tx, system)
        self.foreign = rights.foreign + _others(rights, ours)
        for group in sorted(ours.intersection(rights.unread)):
            yield Found("unreadable", (f"group {group}", TOO_LARGE))
        unknown = [right for right in rights.ours if right.group in ours and right.member_id not in told]
        whose = await connector.whose({right.member_id for right in unknown})
        for right in unknown:
            if right.member_id not in whose:
                yield Found("unreadable", (f"group {right.group}", "member"))
            elif (name := whose[right.member_id]) not in told:
                self.named.update([name] if name else [])
                yield await self._taken(connector, system, right)

    async def _taken(self, connector: Connector, system: System, right: Right) -> Found:
        """Without a reading that finds them gone, nothing is proved: the next comparison finds them again."""
        name = f"group {right.group}"
        if self._dry:
            return Found("stranger", (name,))
        async with self._database.read() as tx:
            if not await self._is_ours_to_change(tx, system):
                return Found("stranger", (name, UNPROVED))
        try:
            gone = await connector.take_right(right)
        except DeliveryError as error:
            if error.of_system and error.code != TOO_LARGE:
                raise
            gone = False
        return Found("stranger", (name,) if gone else (name, UNPROVED))

    async def _is_ours_to_change(self, tx: AsyncSession, system: System) -> bool:
        """Stopped or taken away meanwhile: what it holds is no more ours to change."""
        there = await tx.scalar(select(System).where(System.id == system.id))
        return there is not None and not circuit.is_open(there, self._clock.now())


async def _told(tx: AsyncSession, system: System) -> set[str]:
    """By our identifiers and by the system's."""
    found: set[str] = set()
    links = select(Link.account_id, Link.remote_id).where(Link.system_id == system.id)
    async for rows in in_parts(tx, links):
        found |= {str(value) for row in rows for value in row if value is not None}
    return found


def _others(rights: Rights, ours: set[str]) -> int:
    read = {right.group_id for right in rights.ours if right.group not in ours}
    return len(read) + sum(group not in ours for group in rights.unread)
