"""Who is in which group, of a system that cannot be asked about one person: read through once for all who wait.

Without a filter on members every group has to be read, whoever is asked about. One reading answers everybody who asked
before it began: eight deliveries at once cost one, and a comparison one in a few seconds, not one for each person.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator

from backend.outside.connectors import DeliveryError
from backend.outside.connectors.scim.wire import GROUPS, Wire
from backend.outside.connectors.scim.words import Resource, pick, text_of


class Roll:
    """Of one system; whoever asks says since when the answer may have been read."""

    def __init__(self, wire: Wire) -> None:
        self._wire, self._reading = wire, asyncio.Lock()
        self._began = float("-inf")
        self._groups: dict[str, list[Resource]] = {}

    async def of(self, person_id: str, since: float) -> list[Resource]:
        """The groups that hold somebody, without who else is in them, by a reading that began at `since` or later."""
        async with self._reading:
            if self._began < since:
                await self._read()
        return self._groups.get(person_id, [])

    def forget(self) -> None:
        """Somebody else has written: whoever asks next reads."""
        self._began = float("-inf")

    async def _read(self) -> None:
        began, groups = time.monotonic(), defaultdict[str, list[Resource]](list)
        async for one in with_members(self._wire):
            bare = {name: value for name, value in one.items() if name.lower() != "members"}
            for member in members_of(one):
                groups[member].append(bare)
        self._began, self._groups = began, groups


async def with_members(wire: Wire, unread: list[Resource] | None = None) -> AsyncIterator[Resource]:
    """Every group with who is in it.

    Where no group of a list has members, lists may leave them out (RFC 7643 §7, `returned`): then ours are read each.
    """
    bare, says_members = list[Resource](), False
    async for one in wire.all(GROUPS, unread=unread):
        if pick(one, "members") is None and text_of(pick(one, "externalId")) is not None:
            bare.append(one)
            continue
        says_members = says_members or bool(members_of(one))
        yield one
    for one in bare:
        try:
            whole = None if says_members else await wire.get(GROUPS, text_of(pick(one, "id")) or "")
        except DeliveryError as error:
            if unread is None or error.code != "reply_too_large":
                raise
            unread.append(one)
        else:
            yield one if whole is None else whole


def members_of(one: Resource) -> set[str]:
    """The identifiers of who is in a group."""
    listed = pick(one, "members")
    values = (text_of(pick(member, "value")) for member in listed) if isinstance(listed, list) else ()
    return {value or "" for value in values}
