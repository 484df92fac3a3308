"""SCIM 2.0 on the wire (RFC 7644): plain JSON, of which only what we need is read.

A reply may hold anything else beside it (RFC 7643 §3.3): unknown attributes and extensions, numbers for texts,
other schemas are no fault. A moment's trouble is waited for within the call, so that what was done of one person
is not begun again with another.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any
from urllib.parse import quote

import httpx2

from backend.outside.addresses import AddressRefused, HttpTrouble, Unreachable
from backend.outside.connectors import DeliveryError, Target
from backend.outside.connectors.learnt import Learnt
from backend.outside.connectors.scim.lists import Reading, total_of
from backend.outside.connectors.scim.words import (
    OF_THE_MOMENT,
    Changed,
    Conflict,
    Resource,
    Unsupported,
    Vanished,
    answer_of,
    pick,
    retry_after,
    text_of,
)
from backend.outside.http import MOST, Guarded, ReplyTooLarge

Operation = dict[str, Any]
Fits = Callable[[Resource], bool]

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
PAGE = 20  # small enough for a reply that is cut
SITTING = (0.3, 1.0, 2.0)  # waits within a call for a system that is busy for a moment
CALM = 40  # calls that go one at a time after one that came too soon
LONGEST_SITTING = 5  # whoever asks for more is put off
USERS, GROUPS = "/Users", "/Groups"


class Wire:
    """The calls that the connector needs, and no other."""

    def __init__(self, target: Target, http: Guarded, learnt: Learnt | None = None) -> None:
        self._list_bytes = http.list_bytes
        self._http = http.client(
            base_url=target.url.rstrip("/"),
            headers={
                "Accept": "application/scim+json, application/json",
                "Content-Type": "application/scim+json",
            }
            | ({"Authorization": f"Bearer {target.token}"} if target.token else {}),
            timeout=target.reply_timeout,
        )
        self.learnt = learnt if learnt is not None else Learnt()
        self._described = self._has_versions = False
        self._alone, self._calm = asyncio.Lock(), 0

    async def describe(self) -> None:
        """Read once what the system says it can do (RFC 7643 §5), and whether it has groups by now."""
        if self._described:
            return
        try:
            config = await self._ask("GET", "/ServiceProviderConfig")
        except (Vanished, Unsupported, Conflict):
            config = None  # then whatever it does is learnt as we go
        except DeliveryError as error:
            if error.of_system or not error.permanent:
                raise
            config = None
        said = {name: pick(pick(config, name), "supported") for name in ("patch", "filter", "etag")}
        self.learnt.no_patch = self.learnt.no_patch or said["patch"] is False
        self.learnt.no_filters = self.learnt.no_filters or said["filter"] is False
        self._has_versions = said["etag"] is True
        if self.learnt.no_groups:
            await self.has_groups()
        self._described = True

    async def has_groups(self) -> bool:
        """Ask whether there are groups at all."""
        try:
            await self._ask("GET", GROUPS, params={"count": "1"})
        except (Vanished, Unsupported):
            self.learnt.no_groups = True
        else:
            self.learnt.no_groups = False
        return not self.learnt.no_groups

    async def get(self, place: str, remote_id: str) -> Resource | None:
        """One resource with its version, or nothing; another one than was asked for is an answer of nobody's."""
        try:
            found = _resource(await self._ask("GET", _at(place, remote_id)))
        except Vanished:
            return None
        if (text_of(pick(found, "id")) or "").casefold() != remote_id.casefold():
            raise DeliveryError("unreadable_user", permanent=False)
        return found

    async def find(
        self, place: str, attribute: str, value: str, *, without: str | None = None
    ) -> list[Resource]:
        """Resources whose attribute is that value, in whatever letters; of all where the system does not choose.

        Leaves out an attribute that may be long, where the system can.
        """

        def fits(one: Resource) -> bool:
            return (text_of(pick(one, attribute)) or "").casefold() == value.casefold()

        if not self.learnt.no_filters:
            found = await self.chosen(place, attribute, value, fits, without=without)
            if found is not None:
                return found
            self.learnt.no_filters = True  # it refused the question, or answered another one
        return [one async for one in self.all(place, without=without) if fits(one)]

    async def chosen(
        self, place: str, attribute: str, value: str, fits: Fits, *, without: str | None = None
    ) -> list[Resource] | None:
        """What the system chooses by a filter; nothing when it takes no such filter, or one does not fit."""
        asked = {"filter": f"{attribute} eq {json.dumps(value, ensure_ascii=False)}"}
        if without:
            asked["excludedAttributes"] = without
        found: list[Resource] = []
        try:
            async for one in self._pages(place, asked):
                if not fits(one):
                    return None
                found.append(one)
        except DeliveryError as error:
            if not error.permanent:
                raise
            return None  # whatever word it has for that
        except Unsupported:
            return None
        return found

    async def all(
        self, place: str, *, without: str | None = None, unread: list[Resource] | None = None
    ) -> AsyncIterator[Resource]:
        """Everything that is there, page by page.

        What is too long to be read goes into `unread` without its members; without such a list it is an error.
        """
        asked = {"excludedAttributes": without} if without else {}
        async for one in self._pages(place, asked, count=PAGE, unread=unread):
            yield one

    async def _pages(
        self,
        place: str,
        asked: Mapping[str, str],
        *,
        count: int | None = None,
        unread: list[Resource] | None = None,
    ) -> AsyncIterator[Resource]:
        reading = Reading()
        while True:
            page = {"startIndex": str(reading.seen + 1)} if reading.seen else {}
            page |= {"startIndex": str(reading.seen + 1), "count": str(count)} if count else {}
            too_long = False
            try:
                found, total = await self._page(place, dict(asked) | page)
            except ReplyTooLarge as error:
                if not count or (count == 1 and unread is None):
                    raise DeliveryError(error.code, permanent=False, of_system=True) from error
                if count > 1 or unread is None:
                    count = 1
                    continue
                too_long = True
                found, total = await self._without_members(place, page)
            except (DeliveryError, Vanished) as error:
                if reading.ended_with(error):
                    return
                raise
            new = reading.new_of(found)
            if too_long and unread is not None:
                unread += new
            else:
                for one in new:
                    yield one
            if reading.is_over(found, total, count):
                return

    async def _without_members(
        self, place: str, page: Mapping[str, str]
    ) -> tuple[list[Resource], int | None]:
        """Which one it is that is too long."""
        try:
            return await self._page(place, {**page, "excludedAttributes": "members"})
        except ReplyTooLarge as error:
            raise DeliveryError(error.code, permanent=False, of_system=True) from error

    async def _page(self, place: str, asked: Mapping[str, str]) -> tuple[list[Resource], int | None]:
        try:
            found = await self._ask("GET", place, params=asked, whole=False)
        except Vanished as error:
            if place == GROUPS:
                raise
            raise DeliveryError("endpoint_missing", permanent=False, of_system=True) from error
        resources = pick(found, "Resources")
        listed = [one for one in resources if isinstance(one, dict)] if isinstance(resources, list) else []
        if not isinstance(found, dict) or (resources is None and pick(found, "totalResults") is None):
            raise DeliveryError("unreadable_reply", permanent=False, of_system=True)
        return listed, total_of(found)

    async def create(self, place: str, resource: Resource) -> Resource:
        """POST; the answer carries the identifier."""
        return _resource(await self._ask("POST", place, body=resource))

    async def patch(
        self, place: str, remote_id: str, operations: list[Operation], *, version: str | None = None
    ) -> None:
        """PATCH, under the version that was read where the system has versions."""
        body = {"schemas": [PATCH], "Operations": operations}
        params = {"excludedAttributes": "members"} if place == GROUPS else None
        await self._ask("PATCH", _at(place, remote_id), params=params, body=body, version=version)

    async def put(self, place: str, resource: Resource, *, version: str | None = None) -> None:
        """PUT the whole of it (RFC 7644 §3.5.1), under the version that was read."""
        remote_id = text_of(pick(resource, "id")) or ""
        await self._ask("PUT", _at(place, remote_id), body=resource, version=version)

    async def close(self) -> None:
        """Give the connections back."""
        await self._http.aclose()

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        body: Resource | None = None,
        version: str | None = None,
        whole: bool = True,
    ) -> Any:
        content = None if body is None else json.dumps(body, ensure_ascii=False).encode()
        headers = {"If-Match": version} if version and self._has_versions else None
        try:
            said = await self._patiently(method, path, params=params, content=content, headers=headers)
        except ReplyTooLarge as error:
            if not whole:
                raise
            raise DeliveryError(error.code, permanent=False) from error
        except HttpTrouble as error:
            of_system = isinstance(error, Unreachable | AddressRefused)
            raise DeliveryError(error.code, permanent=False, of_system=of_system) from error
        return answer_of(said)

    async def _patiently(self, method: str, path: str, **more: Any) -> httpx2.Response:
        """One call, made again while the system is busy for a moment; who is in a group may be a long answer.

        One that counts calls gets them one at a time for a while: what eight tasks ask at once, none of them gets.
        """
        if method == "GET" and path.startswith(GROUPS):
            more["extensions"] = {MOST: self._list_bytes}
        if not self._calm:
            said = await self._http.request(method, path, **more)
            asked_for = retry_after(said.headers) or 0
            if said.status_code not in OF_THE_MOMENT or asked_for > LONGEST_SITTING:
                return said
            self._calm = CALM
            await asyncio.sleep(max(SITTING[0], asked_for))
        async with self._alone:
            for wait in SITTING:
                said = await self._http.request(method, path, **more)
                asked_for = retry_after(said.headers) or 0
                if said.status_code not in OF_THE_MOMENT or asked_for > LONGEST_SITTING:
                    self._calm = max(self._calm - 1, 0)
                    return said
                self._calm = CALM
                await asyncio.sleep(max(wait, asked_for))
            return await self._http.request(method, path, **more)


def version_of(resource: Resource) -> str | None:
    """The version of what was read (RFC 7644 §3.14)."""
    return text_of(pick(pick(resource, "meta"), "version"))


def _resource(found: Any) -> Resource:
    if not isinstance(found, dict) or text_of(pick(found, "id")) is None:
        raise DeliveryError("unreadable_user", permanent=False)
    return found


def _at(place: str, remote_id: str) -> str:
    return f"{place}/{quote(remote_id, safe='')}"


__all__ = [
    "GROUPS", "USERS", "Changed", "Conflict", "Operation", "Unsupported", "Vanished", "Wire", "version_of",
]  # fmt: skip
