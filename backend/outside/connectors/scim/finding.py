"""Whose user it is: found by identifier, adopted by a proved address, made anew (case A08).

A user that is there already under the person's official address is somebody. It becomes the person's own only where the
staff directory gives that address to this very number; else the delivery is parked, for a human to look at.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from backend.outside.connectors import DeliveryError, Desired
from backend.outside.connectors.scim import user as users
from backend.outside.connectors.scim.user import ENTERPRISE, Held, held_of
from backend.outside.connectors.scim.wire import USERS, Wire
from backend.outside.connectors.scim.words import Changed, Conflict, Resource, pick

Claim = Callable[[], Awaitable[None]]  # asked before every write

OF_THE_BODY = {"rejected_invalidSyntax", "rejected_invalidPath", "rejected_noTarget"}


class Finder:
    """Finds and makes users of one system."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def known(self, external_id: str, remote_id: str | None) -> Held | None:
        """By our identifiers only."""
        raw = await self._wire.get(USERS, remote_id) if remote_id else None
        if raw is not None and held_of(raw).external_id in {None, external_id}:
            return held_of(raw)
        if "external_id" in self._wire.learnt.loses:
            return None
        found = await self._wire.find(USERS, "externalId", external_id)
        ours = [one for one in map(held_of, found) if one.external_id == external_id]
        if len(ours) > 1:
            raise DeliveryError("twins", permanent=True)
        return await self._fresh(ours[0]) if ours else None

    async def person(self, desired: Desired, remote_id: str | None, claim: Claim) -> Held | None:
        """The same, and whoever bears the person's userName, if that is the person."""
        known = await self.known(desired.external_id, remote_id)
        if known is not None or not desired.active:
            return known
        named = await self._bearer(desired.user_name)
        if named is None or await self._was_freed(named, desired, claim):
            return None
        return await self._fresh(named)

    async def make(self, desired: Desired, remote_id: str | None, claim: Claim) -> Held:
        """A new user; under a spare name where one that is hidden keeps the right one."""
        spare = [
            name
            for name in (desired.external_id, users.spare_name(desired, remote_id))
            if name != desired.user_name
        ]
        for name in (desired.user_name, *spare):
            await claim()
            try:
                return held_of(await self._post(desired, name))
            except Conflict:
                bearer = await self._overlooked(desired, name)
                if bearer is None:
                    self._wire.learnt.hides_inactive = True
                elif bearer.external_id == desired.external_id:
                    return bearer
                elif not await self._was_freed(bearer, desired, claim):
                    return bearer  # proved to be the person: the next round makes it theirs
                else:
                    raise Changed from None
        raise DeliveryError("user_name_taken", permanent=True)

    async def free_name(self, desired: Desired, claim: Claim) -> None:
        """The name that a known user should get is another's: take it from a leaver, or say whose it is."""
        bearer = await self._bearer(desired.user_name)
        if (
            bearer is not None
            and bearer.external_id != desired.external_id
            and await self._was_freed(bearer, desired, claim)
        ):
            return
        raise DeliveryError("user_name_taken", permanent=True)

    async def _was_freed(self, bearer: Held, desired: Desired, claim: Claim) -> bool:
        """Whether a leaver of ours gave the name back; False when the bearer is the person; else it is parked."""
        if bearer.external_id in {None, desired.external_id}:
            if bearer.external_id is None and not desired.address_proved:
                raise DeliveryError("belongs_to_somebody", permanent=True)
            return False
        if bearer.values["active"] or not desired.address_proved or self._wire.learnt.no_renaming:
            raise DeliveryError("user_name_taken", permanent=True)
        changes = {"user_name": bearer.external_id}
        await claim()
        if self._wire.learnt.no_patch:
            await self._wire.put(USERS, users.replaced(bearer, changes), version=bearer.version)
        else:
            await self._wire.patch(USERS, bearer.id, users.operations(changes), version=bearer.version)
        return True

    async def _post(self, desired: Desired, name: str) -> Resource:
        body = users.new_user(desired, name, self._wire.learnt)
        try:
            return await self._wire.create(USERS, body)
        except DeliveryError as error:
            if error.code not in OF_THE_BODY or ENTERPRISE not in body:
                raise
        del body[ENTERPRISE]
        body["schemas"] = [users.USER]
        made = await self._wire.create(USERS, body)
        for field in users.OF_THE_EXTENSION:  # it took the user without, and had refused it with
            self._wire.learnt.does_not_keep(field)
        return made

    async def _bearer(self, name: str) -> Held | None:
        found = await self._wire.find(USERS, "userName", name)
        return held_of(found[0]) if found else None

    async def _overlooked(self, desired: Desired, name: str) -> Held | None:
        """Who has the name that was refused, looked for one by one where the system's filters found nobody."""
        if bearer := await self._bearer(name):
            return bearer
        if self._wire.learnt.hides_inactive or self._wire.learnt.no_filters:
            return None
        async for raw in self._wire.all(USERS):
            one = held_of(raw)
            named = str(one.values["user_name"] or "").casefold() == name.casefold()
            if named or one.external_id == desired.external_id:
                self._wire.learnt.no_filters = True
                return one
        return None

    async def _fresh(self, found: Held) -> Held | None:
        """The whole resource with the version it has now; lists may be cut or lack versions."""
        if pick(found.raw, "meta") is not None and found.version is not None:
            return found
        raw = await self._wire.get(USERS, found.id)
        return held_of(raw) if raw is not None else None
