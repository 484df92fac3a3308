"""One delivery to a SCIM system: read, take rights, correct, give rights, and read again (rule 701).

Rights are taken before anything else is tried, each by itself, so that what a system refuses later does not keep them.
What was written often enough and is not there afterwards, the system does not keep: that is said of the system.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from backend.outside.connectors import DeliveryError, Desired, GroupRef, LostTurn, StillMine
from backend.outside.connectors.scim import user as users
from backend.outside.connectors.scim.finding import Finder
from backend.outside.connectors.scim.groups import Group, Groups, names
from backend.outside.connectors.scim.user import Held
from backend.outside.connectors.scim.wire import USERS, Wire
from backend.outside.connectors.scim.words import OF_AN_ATTRIBUTE, Changed, Conflict, Unsupported, Vanished

ENOUGH = 2  # writes of one thing that had no effect, before the system is known not to keep it
NEEDED = {"active", "user_name"}


class Work:
    """One delivery: what was tried so far, and what is left to do."""

    def __init__(
        self,
        wire: Wire,
        groups: Groups,
        finder: Finder,
        desired: Desired,
        remote_id: str | None,
        still_mine: StillMine,
    ) -> None:
        self._wire, self._groups, self._finder = wire, groups, finder
        self._desired, self._still_mine = desired, still_mine
        self.remote_id, self.changed = remote_id, False
        self._since = (
            time.monotonic()
        )  # what was read before this delivery, or its last write, proves nothing
        self._wrote = False
        self._tried: Counter[str] = Counter()
        self._named = False  # whether a leaver's name has been asked back

    async def is_done(self) -> bool:
        """One round: read, take rights, correct, give rights. True when there was nothing to do."""
        if self._wrote:
            self._since, self._wrote = time.monotonic(), False
        person = await self._finder.person(self._desired, self.remote_id, self._claim)
        if person is None and not self._desired.active:
            return await self._leave_hidden()
        if person is None:
            person = await self._return_or_make()
            self.remote_id = person.id
            await self._join(person.id, [])
            return False
        self.remote_id = person.id
        taken = await self._switch_off(person) if not self._desired.active else False
        held = await self._groups.of(person.id, since=self._since)
        taken = await self._leave(person.id, held) or taken
        if self._desired.active:
            taken = await self._correct(person) or taken
            taken = await self._join(person.id, held) or taken
        return not taken

    async def _leave_hidden(self) -> bool:
        """Nobody is there to be switched off; the groups may hold the person all the same."""
        if self._tried["active"]:
            self._wire.learnt.hides_inactive = True
        if self.remote_id is None:
            return True
        return not await self._leave(self.remote_id, await self._groups.of(self.remote_id, since=self._since))

    async def _return_or_make(self) -> Held:
        """Switch on whom the system only hid, else make the user anew."""
        if self.remote_id is not None and not self._wire.learnt.no_patch:
            await self._claim()
            try:
                changes = {
                    field: value
                    for field, value in users.wanted_of(self._desired).items()
                    if value is not None
                }
                await self._wire.patch(USERS, self.remote_id, users.operations(changes))
            except (Vanished, Conflict, Unsupported):
                pass
            except DeliveryError as error:
                if not error.permanent:
                    raise
            else:
                if again := await self._finder.known(self._desired.external_id, self.remote_id):
                    return again
        return await self._finder.make(self._desired, self.remote_id, self._claim)

    async def _switch_off(self, person: Held) -> bool:
        """The right goes first and alone; the name is given back with it where the system lets both go at once."""
        changes = users.differences(person, self._desired, self._wire.learnt)
        if "active" in changes:
            self._give_up_on("active")
            self._tried["active"] += 1
            whole = changes if not self._named else {"active": False}
            self._named = True
            if not await self._write(person, whole, is_tried=len(whole) > 1):
                await self._write(person, {"active": False})
            return True
        if "user_name" in changes and self._tried["user_name"] >= ENOUGH:
            self._give_up_on("user_name")
            del changes["user_name"]
        if "user_name" in changes:
            self._tried["user_name"] += 1
            if self._tried["user_name"] == ENOUGH:
                changes["user_name"] = users.spare_name(self._desired, person.id)
        if changes:
            await self._write(person, changes, is_tried=True)
        return bool(changes)

    async def _correct(self, person: Held) -> bool:
        changes = users.differences(person, self._desired, self._wire.learnt)
        for field in list(changes):
            if self._tried[field] >= ENOUGH:
                self._give_up_on(field)
                del changes[field]
        if not changes:
            return False
        for field in changes:
            self._tried[field] += 1
        try:
            await self._write(person, changes)
        except Conflict:
            await self._finder.free_name(self._desired, self._claim)
        except DeliveryError as error:
            if error.code not in OF_AN_ATTRIBUTE or (len(changes) == 1 and set(changes) <= NEEDED):
                raise
            await self._one_by_one(person, changes)
        return True

    async def _one_by_one(self, person: Held, changes: dict[str, Any]) -> None:
        """It knows some attribute not at all: write the others, and remember which it was."""
        for field, value in changes.items():
            try:
                fresh = await self._wire.get(USERS, person.id)
                await self._write(users.held_of(fresh) if fresh else person, {field: value})
            except DeliveryError as error:
                if error.code not in OF_AN_ATTRIBUTE or field in NEEDED:
                    raise
                self._wire.learnt.does_not_keep(field)

    def _give_up_on(self, field: str) -> None:
        """What was written often enough and was not there afterwards is not kept."""
        if self._tried[field] < ENOUGH:
            return
        if field == "active":
            raise DeliveryError("active_not_kept", permanent=False, of_system=True)
        if field == "user_name":
            self._wire.learnt.no_renaming = True
        else:
            self._wire.learnt.does_not_keep(field)

    async def _write(self, person: Held, changes: dict[str, Any], *, is_tried: bool = False) -> bool:
        """PATCH, or PUT of the whole; False when it was refused and only tried."""
        await self._claim()
        try:
            if self._wire.learnt.no_patch:
                await self._wire.put(USERS, users.replaced(person, changes), version=person.version)
            else:
                await self._wire.patch(USERS, person.id, users.operations(changes), version=person.version)
        except Unsupported:
            if self._wire.learnt.no_patch:
                raise DeliveryError("patch_unsupported", permanent=False, of_system=True) from None
            self._wire.learnt.no_patch = True
            raise Changed from None
        except (Conflict, DeliveryError) as error:
            if not is_tried or (isinstance(error, DeliveryError) and not error.permanent):
                raise
            return False
        return True

    async def _leave(self, person_id: str, held: list[Group]) -> bool:
        """Out of every group of ours that is not wanted; each by itself."""
        wanted = {group.external_id for group in self._desired.groups} if self._desired.active else set()
        leaving = [group for group in held if group.external_id not in wanted]
        for group in leaving:
            await self._claim()
            await self._groups.leave(group, person_id, again=self._again(f"-{group.id}"))
        return bool(leaving)

    async def _join(self, person_id: str, held: list[Group]) -> bool:
        if self._wire.learnt.no_groups:
            return False
        there = {group.external_id: group for group in held}
        found = False
        for ref in sorted(self._desired.groups):
            known = there.get(ref.external_id)
            if known is None:
                await self._enter(ref, person_id)
                found = True
            elif known.name not in names(ref) and self._tried[f"={ref.external_id}"] < ENOUGH:
                self._tried[f"={ref.external_id}"] += 1
                await self._claim()
                await self._groups.rename(known, ref)
                found = True
        return found

    async def _enter(self, ref: GroupRef, person_id: str) -> None:
        try:
            group = await self._groups.known(ref)
        except Vanished:
            if not await self._wire.has_groups():
                return
            raise
        if group is None:
            await self._claim()
            group = await self._groups.make(ref)
        await self._claim()
        await self._groups.join(group, person_id, again=self._again(f"+{ref.external_id}"))

    def _again(self, what: str) -> bool:
        """Whether the first way had no effect; a system that takes neither keeps no memberships."""
        self._tried[what] += 1
        if self._tried[what] > ENOUGH + 1:
            raise DeliveryError("membership_not_kept", permanent=False, of_system=True)
        return self._tried[what] > ENOUGH

    async def _claim(self) -> None:
        if not await self._still_mine():
            raise LostTurn
        self.changed = self._wrote = True
