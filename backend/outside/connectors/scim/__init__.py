"""Keeps one SCIM 2.0 system in step (rules 701, 706).

Looks up before it creates, adopts only what is proved to be the person's, changes only the attributes that are ours,
and never deletes: who has no role is switched off, leaves our groups and gives the userName back.

A delivery is over when a reading finds nothing left to do.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection
from typing import Any, ClassVar

import msgspec

from backend.outside.connectors import (
    DeliveryError,
    Desired,
    Errand,
    GroupRef,
    Receipt,
    Right,
    Rights,
    Target,
    without_options,
)
from backend.outside.connectors.learnt import Learnt
from backend.outside.connectors.scim import user as users
from backend.outside.connectors.scim.finding import Finder
from backend.outside.connectors.scim.groups import Group, Groups
from backend.outside.connectors.scim.wire import USERS, Wire
from backend.outside.connectors.scim.words import Changed, Conflict, Unsupported, Vanished
from backend.outside.connectors.scim.work import Work
from backend.outside.http import Guarded

RECENT = 5.0  # seconds: many people are compared by one reading, where a system cannot be asked about one
ROUNDS = 8  # of reading and writing, should others write meanwhile or the system not take something


async def check(url: str, options: str, http: Guarded) -> None:
    """Refuse an address that we do not call, and options, of which there are none."""
    without_options("scim", options)
    await http.check(url)


def connect(target: Target, http: Guarded, learnt: Learnt) -> ScimConnector:
    """The connector for one system."""
    return ScimConnector(Wire(target, http, learnt))


class ScimConnector:
    """See backend.outside.connectors.Connector."""

    holds: ClassVar[tuple[str, ...]] = (
        *(field for field in users.PATHS if field != users.FORMATTED),
        "groups",
    )

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._groups = Groups(wire)
        self._finder = Finder(wire)

    @property
    def learnt(self) -> Learnt:
        """What this system has turned out not to do."""
        return self._wire.learnt

    async def apply(self, desired: Desired, remote_id: str | None, errand: Errand) -> Receipt:
        """Read and write until a reading finds everything as it should be."""
        await self._wire.describe()
        work = Work(self._wire, self._groups, self._finder, desired, remote_id, errand.still_mine)
        for _ in range(ROUNDS):
            try:
                if await work.is_done():
                    return Receipt(work.remote_id, work.changed)
            except (Changed, Vanished):
                self._groups.forget()
            except Conflict as error:
                raise DeliveryError("user_name_taken", permanent=True) from error
            except Unsupported as error:
                raise DeliveryError("write_unsupported", permanent=False, of_system=True) from error
        raise DeliveryError("changed_meanwhile", permanent=False)

    async def read(self, external_id: str, remote_id: str | None) -> Desired | None:
        """What is there: found by identifier only, never by name."""
        await self._wire.describe()
        try:
            person = await self._finder.known(external_id, remote_id)
            place = person.id if person else remote_id
            groups = await self._groups.of(place, since=time.monotonic() - RECENT) if place else []
        except (Changed, Vanished) as error:
            raise DeliveryError("changed_meanwhile", permanent=False) from error
        refs = sorted(GroupRef(group.external_id, group.name or "") for group in groups)
        if person is None:  # gone, or hidden; a right that is left is one all the same
            return (
                Desired(external_id=external_id, user_name="", full_name="", groups=refs, active=False)
                if refs
                else None
            )
        values = {field: value for field, value in person.values.items() if field != users.FORMATTED}
        return Desired(groups=refs, **values)

    async def rights(self) -> Rights:
        """Of every group, read whole."""
        await self._wire.describe()
        try:
            return Rights([], 0) if self.learnt.no_groups else await self._groups.everybody()
        except (Changed, Vanished) as error:
            raise DeliveryError("changed_meanwhile", permanent=False) from error

    async def whose(self, members: Collection[str]) -> dict[str, str | None]:
        """By what we gave the user; nothing of a user that is not there."""
        found: dict[str, str | None] = {}
        for member in members:
            try:
                raw = await self._wire.get(USERS, member)
            except DeliveryError as error:
                if error.of_system:
                    raise
            else:
                found[member] = users.held_of(raw).external_id if raw is not None else None
        return found

    async def take_right(self, right: Right) -> bool:
        """By a patch, or where there is none or it had no effect by writing the group whole; and looks."""
        group = Group(right.group_id, right.group, None, "")
        for again in (False, True):
            with contextlib.suppress(Changed, Vanished, Conflict, Unsupported):
                await self._groups.leave(group, right.member_id, again=again)
            if not await self._groups.holds(group, right.member_id):
                return True
        return False

    def kept(self, wanted: Desired, held: Desired) -> Desired:
        """Without what this system is known not to keep."""
        learnt = self.learnt
        given: dict[str, Any] = {
            field: getattr(held, field)
            for field in learnt.loses
            if field in users.PATHS and field != users.FORMATTED
        }
        if learnt.no_groups:
            given["groups"] = held.groups
        if users.is_same("user_name", held.user_name, wanted.user_name, wanted, learnt):
            given["user_name"] = held.user_name
        return msgspec.structs.replace(wanted, **given)

    async def close(self) -> None:
        """Give connections back."""
        await self._wire.close()
