"""Keeps one SCIM 2.0 system in step (contract §7, security X5).

Looks up before it creates, adopts what is already there, changes only the attributes
that are ours, and never deletes: who has no role is switched off and leaves our groups.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from typing import Any, ClassVar

from scim2_models import EnterpriseUser, Group, Name

from backend.outside.connectors import DeliveryError, Desired, GroupRef, LostTurn, Receipt, StillMine, Target
from backend.outside.connectors.scim_wire import Changed, Conflict, Operation, Person, Vanished, Wire
from backend.outside.http import Guarded

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
TRIES = 4  # times that somebody else may write between our reading and our writing

PATHS = {
    "external_id": "externalId",
    "user_name": "userName",
    "active": "active",
    "full_name": "displayName",
    "title": "title",
    "employee_number": f"{ENTERPRISE}:employeeNumber",
    "organization": f"{ENTERPRISE}:organization",
    "department": f"{ENTERPRISE}:department",
}
OF_A_LEAVER = ("external_id", "active")  # whoever left keeps the last known rest


def connect(target: Target, http: Guarded) -> ScimConnector:
    """The connector for one system."""
    return ScimConnector(Wire(target, http))


class ScimConnector:
    """See backend.outside.connectors.Connector."""

    holds: ClassVar[tuple[str, ...]] = (*PATHS, "groups")

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._groups: dict[str, Group] = {}
        self._making: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def apply(self, desired: Desired, remote_id: str | None, still_mine: StillMine) -> Receipt:
        """Bring the person and the memberships to `desired`; reads again when somebody wrote meanwhile."""
        await self._wire.describe()
        changed = False
        for _ in range(TRIES):
            try:
                person = await self._find(desired.external_id, desired.user_name, remote_id)
                if person is None and not desired.active:
                    return Receipt(None, changed)
                if person is None:
                    person, changed = await self._create(desired, still_mine), True
                elif await self._correct(person, desired, still_mine):
                    changed = True
                if await self._join_and_leave(person, desired, still_mine):
                    changed = True
                return Receipt(person.id, changed)
            except (Changed, Vanished):
                self._groups.clear()
        raise DeliveryError("changed_meanwhile", permanent=False)

    async def read(self, external_id: str, remote_id: str | None) -> Desired | None:
        """What is there: found by identifier only, never by name."""
        await self._wire.describe()
        try:
            person = await self._find(external_id, None, remote_id)
            if person is None:
                return None
            groups = await self._memberships(str(person.id))
        except (Changed, Vanished) as error:
            raise DeliveryError("changed_meanwhile", permanent=False) from error
        refs = [GroupRef(str(group.external_id), group.display_name or "") for group in groups]
        return Desired(groups=sorted(refs), **_held(person))

    def kept(self, wanted: Desired, held: Desired) -> Desired:  # noqa: ARG002 (whatever it holds)
        """All of it."""
        return wanted

    async def close(self) -> None:
        """Give connections back."""
        await self._wire.close()

    async def _find(self, external_id: str, user_name: str | None, remote_id: str | None) -> Person | None:
        known = await self._wire.get(Person, remote_id) if remote_id else None
        if known is not None and known.external_id in {None, external_id}:
            return known
        found = await self._wire.find(Person, "externalId", external_id)
        ours = [one for one in found if one.external_id == external_id]  # some systems ignore filters
        if len(ours) > 1:
            raise DeliveryError("twins", permanent=True)
        if ours or user_name is None:
            return await self._fresh(ours)
        found = await self._wire.find(Person, "userName", user_name)
        same = [one for one in found if (one.user_name or "").casefold() == user_name.casefold()]
        if same and same[0].external_id:
            raise DeliveryError("user_name_taken", permanent=True)
        return await self._fresh(same)

    async def _fresh(self, found: list[Person]) -> Person | None:
        """The whole resource with the version it has now; lists may be cut or lack versions."""
        return await self._wire.get(Person, str(found[0].id)) if found else None

    async def _create(self, desired: Desired, still_mine: StillMine) -> Person:
        person = Person(
            external_id=desired.external_id,
            user_name=desired.user_name,
            display_name=desired.full_name,
            name=Name(formatted=desired.full_name),
            title=desired.title,
            active=desired.active,
        )
        person[EnterpriseUser] = EnterpriseUser(
            employee_number=desired.employee_number,
            organization=desired.organization,
            department=desired.department,
        )
        await _claim(still_mine)
        try:
            return await self._wire.create(person)
        except Conflict as error:
            # Made by somebody else since we looked: the next round finds and adopts it, or parks.
            if await self._find(desired.external_id, desired.user_name, None) is None:
                raise DeliveryError("user_name_taken", permanent=True) from error
            raise Changed from error

    async def _correct(self, person: Person, desired: Desired, still_mine: StillMine) -> bool:
        held = _held(person)
        fields = PATHS if desired.active else OF_A_LEAVER
        operations: list[Operation] = []
        for field in fields:
            wanted = getattr(desired, field)
            if held[field] != wanted:
                operations.append(_set(PATHS[field], wanted))
        if desired.active and (person.name is None or person.name.formatted != desired.full_name):
            operations.append(_set("name.formatted", desired.full_name))
        if not operations:
            return False
        await _claim(still_mine)
        try:
            await self._wire.patch(person, operations)
        except Conflict as error:
            raise DeliveryError("user_name_taken", permanent=True) from error
        return True

    async def _join_and_leave(self, person: Person, desired: Desired, still_mine: StillMine) -> bool:
        wanted = {group.external_id: group for group in desired.groups} if desired.active else {}
        memberships = await self._memberships(str(person.id))
        held = {str(group.external_id): group for group in memberships}
        changed = False
        for group in memberships:
            if group.external_id not in wanted:
                await _claim(still_mine)
                leave = {"op": "remove", "path": f'members[value eq "{person.id}"]'}
                await self._wire.patch_members(group, [leave])
                changed = True
        for external_id, ref in sorted(wanted.items()):
            if external_id not in held:
                group = await self._group(ref, still_mine)
                await _claim(still_mine)
                join = {"op": "add", "path": "members", "value": [{"value": person.id}]}
                await self._wire.patch_members(group, [join])
                changed = True
            elif held[external_id].display_name not in _names(ref):
                await _claim(still_mine)
                rename = _set("displayName", ref.display_name)
                await self._wire.patch_members(held[external_id], [rename])
                changed = True
        return changed

    async def _memberships(self, person_id: str) -> list[Group]:
        """Our groups that the person is in; a group without externalId is not ours."""
        found = await self._wire.find(Group, "members.value", person_id, without="members")
        if not self._wire.filters:
            found = [group for group in found if any(m.value == person_id for m in group.members or [])]
        return [group for group in found if group.external_id]

    async def _group(self, ref: GroupRef, still_mine: StillMine) -> Group:
        """The group of a unit or role, made when it is missing; one task at a time, lest there be two."""
        async with self._making[ref.external_id]:
            if known := self._groups.get(ref.external_id):
                return known
            group = await self._look_up(ref.external_id)
            for name in _names(ref):
                if group is not None:
                    break
                await _claim(still_mine)
                with contextlib.suppress(Conflict):  # the name is taken, or somebody was quicker
                    await self._wire.create(Group(external_id=ref.external_id, display_name=name))
                group = await self._look_up(ref.external_id)
            if group is None:
                raise DeliveryError("group_name_taken", permanent=True)
            self._groups[ref.external_id] = group
            return group

    async def _look_up(self, external_id: str) -> Group | None:
        found = await self._wire.find(Group, "externalId", external_id, without="members")
        found = [group for group in found if group.external_id == external_id]
        return min(found, key=_age, default=None)  # two workers made it at once: everybody takes the first


def _held(person: Person) -> dict[str, Any]:
    extra = person[EnterpriseUser] or EnterpriseUser()
    return {
        "external_id": person.external_id,
        "user_name": person.user_name or None,
        "active": person.active is not False,
        "full_name": person.display_name or None,
        "title": person.title or None,
        "employee_number": extra.employee_number or None,
        "organization": extra.organization or None,
        "department": extra.department or None,
    }


def _age(group: Group) -> tuple[float, str]:
    made = group.meta.created if group.meta else None
    return made.timestamp() if made else 0.0, str(group.id)


def _names(ref: GroupRef) -> tuple[str, str]:
    """Many agencies have a unit of the same name; where a system minds, the code tells them apart."""
    return ref.display_name, f"{ref.display_name} ({ref.external_id})"


def _set(path: str, value: object) -> Operation:
    return (
        {"op": "remove", "path": path} if value is None else {"op": "replace", "path": path, "value": value}
    )


async def _claim(still_mine: StillMine) -> None:
    if not await still_mine():
        raise LostTurn
