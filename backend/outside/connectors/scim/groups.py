"""The groups of a SCIM system: who is in, read and never believed; joining, leaving, making (rule 701).

Whether a filter on `members.value` is told the truth has to be proved: a system may ignore it and list every group,
or not know it and list none. Until one of its answers was right both ways, and for ever where one was wrong, the
members themselves are read.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from backend.outside.connectors import DeliveryError, GroupRef, Right, Rights
from backend.outside.connectors.scim.roll import Roll, members_of, with_members
from backend.outside.connectors.scim.wire import GROUPS, Operation, Wire, version_of
from backend.outside.connectors.scim.words import (
    Changed,
    Conflict,
    Resource,
    Unsupported,
    Vanished,
    pick,
    text_of,
)

GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
NOBODY = "00000000-0000-4000-8000-000000000000"  # whom no group holds
Change = Callable[[list[Any]], list[Any]]


class Group(msgspec.Struct, frozen=True):
    """A group as it was read; one without externalId is not ours."""

    id: str
    external_id: str
    name: str | None
    made: str


class Groups:
    """The groups of one system, and what was learnt of them."""

    def __init__(self, wire: Wire) -> None:
        self._wire, self._roll = wire, Roll(wire)
        self._known: dict[str, Group] = {}
        self._making: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def forget(self) -> None:
        """Somebody else has changed them."""
        self._known.clear()
        self._roll.forget()

    async def of(self, person_id: str, *, since: float) -> list[Group]:
        """Our groups that somebody is in, read after `since` (time.monotonic); none where the system has no groups."""
        learnt = self._wire.learnt
        if learnt.no_groups:
            return []
        try:
            if not learnt.no_filters and learnt.members_filter is not False:
                found = await self._asked(person_id)
                if found is not None:
                    return found
            return await self._read_through(person_id, since)
        except (Vanished, Unsupported):
            if not await self._wire.has_groups():
                return []
            learnt.members_filter = False
            raise Changed from None

    async def _asked(self, person_id: str) -> list[Group] | None:
        """By the filter, where its answer can be believed."""
        learnt = self._wire.learnt

        def fits(one: Resource) -> bool:
            return not isinstance(pick(one, "members"), list) or person_id in members_of(one)

        found = await self._wire.chosen(GROUPS, "members.value", person_id, fits, without="members")
        if found and learnt.members_filter is None:
            nobodys = await self._wire.chosen(
                GROUPS, "members.value", NOBODY, lambda _: False, without="members"
            )
            learnt.members_filter = nobodys is not None
        if found is None:
            learnt.members_filter = False
        if learnt.members_filter is False or (not found and learnt.members_filter is None):
            return None  # an empty answer proves nothing yet
        return _ours(found or [])

    async def _read_through(self, person_id: str, since: float) -> list[Group]:
        """By reading every group's members, once for all who ask meanwhile."""
        found = await self._roll.of(person_id, since)
        if found and self._wire.learnt.members_filter is None and not self._wire.learnt.no_filters:
            self._wire.learnt.members_filter = False  # it listed none of these
        return _ours(found)

    async def everybody(self) -> Rights:
        """Who is in which group that has an identifier, and how many have none."""
        found, foreign, unread = [], 0, list[Resource]()
        async for one in with_members(self._wire, unread):
            group = _group(one)
            foreign += not group.external_id
            if group.external_id:
                found += [Right(group.external_id, group.id, member) for member in sorted(members_of(one))]
            await asyncio.sleep(0)  # a group may be long: deliveries go on meanwhile
        long = [_group(one) for one in unread]
        foreign += sum(not group.external_id for group in long)
        return Rights(found, foreign, [group.external_id for group in long if group.external_id])

    async def holds(self, group: Group, person_id: str) -> bool:
        """Whether a reading finds somebody in a group."""
        whole = await self._wire.get(GROUPS, group.id)
        return whole is not None and person_id in members_of(whole)

    async def leave(self, group: Group, person_id: str, *, again: bool) -> None:
        """Take somebody out; `again` when the first way had no effect."""
        if again or self._wire.learnt.no_patch:
            await self._put(group, lambda members: [one for one in members if _value(one) != person_id])
        else:
            await self._patch(group, {"op": "remove", "path": f'members[value eq "{person_id}"]'})

    async def join(self, group: Group, person_id: str, *, again: bool) -> None:
        """Put somebody in; `again` as above."""
        new = {"value": person_id}
        if again or self._wire.learnt.no_patch:
            await self._put(group, lambda members: [*members, new])
        else:
            await self._patch(group, {"op": "add", "path": "members", "value": [new]})

    async def rename(self, group: Group, ref: GroupRef) -> None:
        """Give a unit's group the unit's name; where another bears it, the code is added."""
        for name in names(ref):
            with contextlib.suppress(Conflict):
                if self._wire.learnt.no_patch:
                    await self._put(group, None, name)
                else:
                    await self._patch(group, {"op": "replace", "path": "displayName", "value": name})
                return

    async def known(self, ref: GroupRef) -> Group | None:
        """The group of a unit or role, where there is one."""
        if ref.external_id not in self._known and (found := await self._look_up(ref.external_id)):
            self._known[ref.external_id] = found
        return self._known.get(ref.external_id)

    async def make(self, ref: GroupRef) -> Group:
        """Make the group where it is missing; one task at a time, lest there be two."""
        async with self._making[ref.external_id]:
            if found := (await self.known(ref) or await self._overlooked(ref.external_id)):
                return found
            for name in names(ref):
                taken = False
                try:
                    await self._wire.create(
                        GROUPS, {"schemas": [GROUP], "externalId": ref.external_id, "displayName": name}
                    )
                except Conflict:  # the name is taken, or somebody was quicker
                    taken = True
                if found := await self.known(ref):
                    return found
                if not taken:  # made, and not found by its identifier
                    raise DeliveryError("group_not_kept", permanent=False, of_system=True)
            raise DeliveryError("group_name_taken", permanent=True)

    async def _look_up(self, external_id: str) -> Group | None:
        found = await self._wire.find(GROUPS, "externalId", external_id, without="members")
        return _oldest(_ours(found), external_id)

    async def _overlooked(self, external_id: str) -> Group | None:
        """It is there all the same, though the system's filter says nothing: then the filter is no use."""
        if self._wire.learnt.no_filters:
            return None
        listed = _ours([one async for one in self._wire.all(GROUPS, without="members")])
        found = _oldest(listed, external_id)
        if found is not None:
            self._wire.learnt.no_filters = True
            self._known[external_id] = found
        return found

    async def _patch(self, group: Group, operation: Operation) -> None:
        """Whatever the version: others join and leave at the same time, and all of it adds up."""
        try:
            await self._wire.patch(GROUPS, group.id, [operation])
        except Unsupported:
            self._wire.learnt.no_patch = True
            raise Changed from None

    async def _put(self, group: Group, change: Change | None, name: str | None = None) -> None:
        """Read, change, write the whole, under its version; one task at a time."""
        async with self._making[group.external_id]:
            whole = await self._wire.get(GROUPS, group.id)
            if whole is None:
                raise Vanished
            listed = pick(whole, "members")
            members = listed if isinstance(listed, list) else []
            body = {key: value for key, value in whole.items() if key.lower() != "members"}
            body["members"] = change(members) if change else members
            if name:
                body["displayName"] = name
            await self._wire.put(GROUPS, body, version=version_of(whole))


def names(ref: GroupRef) -> tuple[str, str]:
    """Many agencies have a unit of the same name; where a system minds, the code tells them apart."""
    return ref.display_name, f"{ref.display_name} ({ref.external_id})"


def _ours(found: list[Resource]) -> list[Group]:
    groups = [_group(one) for one in found]
    return [group for group in groups if group.external_id]


def _oldest(found: list[Group], external_id: str) -> Group | None:
    """The first, should two workers have made it at once."""
    same = [group for group in found if group.external_id == external_id]
    return min(same, key=lambda group: (group.made, group.id), default=None)


def _group(one: Resource) -> Group:
    made = text_of(pick(pick(one, "meta"), "created")) or ""
    with contextlib.suppress(ValueError):
        made = f"{datetime.fromisoformat(made).timestamp():020.6f}"
    external_id = text_of(pick(one, "externalId")) or ""
    return Group(text_of(pick(one, "id")) or "", external_id, text_of(pick(one, "displayName")), made)


def _value(member: object) -> str:
    return text_of(pick(member, "value")) or ""
