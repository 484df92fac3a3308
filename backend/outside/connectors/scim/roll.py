"""Who is in which group, of a system that cannot be asked about one person: read through once for all who wait.

Without a filter on members every group has to be read, whoever is asked about. One reading answers everybody who asked
before it began: eight deliveries at once cost one, and a comparison one in a few seconds, not one for each person.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict

from backend.outside.connectors.scim.wire import GROUPS, Resource, Wire
from backend.outside.connectors.scim.words import pick, text_of


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
        async for one in self._wire.all(GROUPS):
            bare = {name: value for name, value in one.items() if name.lower() != "members"}
            for member in members_of(one):
                groups[member].append(bare)
        self._began, self._groups = began, groups


def members_of(one: Resource) -> set[str]:
    """The identifiers of who is in a group."""
    listed = pick(one, "members")
    values = (text_of(pick(member, "value")) for member in listed) if isinstance(listed, list) else ()
    return {value or "" for value in values}
