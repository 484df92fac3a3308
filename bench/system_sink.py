"""A downstream system that answers at once: SCIM as far as it is asked, and any POST to /hook; everything in memory.

`python -m bench.system_sink PORT`; GET /calls says how often it was called, by method and place.
Groups are listed with their members, page by page, unless the question leaves those out.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections import Counter
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import msgspec
import uvloop

Resource = dict[str, Any]
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
FILTER = re.compile(r'([\w.]+) eq "([^"]*)"')
MEMBER = re.compile(r'members\[value eq "([^"]+)"\]')
NAMED = ("externalId", "userName")
ABLE = {name: {"supported": True} for name in ("patch", "filter")} | {"etag": {"supported": False}}


class Holdings:
    """What the system holds, found by identifier, name and member without looking through it."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self._all: dict[str, dict[str, Resource]] = {"Users": {}, "Groups": {}}
        self._by: dict[tuple[str, str, str], list[Resource]] = {}
        self._of: dict[str, dict[str, Resource]] = {}  # groups by member
        self._in: dict[str, dict[str, None]] = {}  # members by group

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, Any]:
        """Status and body for one call."""
        url = urlsplit(target)
        place, _, one = url.path.strip("/").partition("/")
        asked = {name: values[0] for name, values in parse_qs(url.query).items()}
        if place == "calls":
            return 200, dict(self.calls)
        self.calls[f"{method} {place}"] += 1
        if place == "ServiceProviderConfig":
            return 200, ABLE
        if place == "hook":
            self.told(msgspec.json.decode(body))
            return 204, None
        if method == "GET" and not one:
            return 200, self._page(place, asked)
        if method == "POST":
            return 201, self._shown(self._made(place, msgspec.json.decode(body)), {})
        held = self._all[place].get(one)
        if held is None:
            return 404, None
        if method == "PATCH":
            for operation in msgspec.json.decode(body)["Operations"]:
                self._change(held, operation)
        return 200, self._shown(held, asked)

    def told(self, message: Resource) -> None:
        """What a webhook says."""

    def _page(self, place: str, asked: dict[str, str]) -> Resource:
        found = self._found(place, asked.get("filter", ""))
        start = int(asked.get("startIndex", "1")) - 1
        page = found[start : start + int(asked.get("count", str(len(found) or 1)))]
        return {"totalResults": len(found), "Resources": [self._shown(one, asked) for one in page]}

    def _found(self, place: str, asked: str) -> list[Resource]:
        if not (match := FILTER.fullmatch(asked)):
            return list(self._all[place].values())
        if match[1] == "members.value":
            return list(self._of.get(match[2], {}).values())
        return self._by.get((place, match[1], match[2].lower()), [])

    def _made(self, place: str, body: Resource) -> Resource:
        made = body | {"id": str(uuid4()), "meta": {"created": "2026-01-01T00:00:00Z", "version": '"1"'}}
        self._all[place][made["id"]] = made
        for name in NAMED:
            if name in made:
                self._by.setdefault((place, name, made[name].lower()), []).append(made)
        return made

    def _change(self, held: Resource, operation: Resource) -> None:
        path, value = str(operation.get("path", "")), operation.get("value")
        if match := MEMBER.fullmatch(path):
            self._of.get(match[1], {}).pop(held["id"], None)
            self._in.get(held["id"], {}).pop(match[1], None)
        elif path == "members":
            for member in value or []:
                self._of.setdefault(member["value"], {})[held["id"]] = held
                self._in.setdefault(held["id"], {})[member["value"]] = None
        else:
            extension, _, name = path.rpartition(":")
            place = held.setdefault(extension, {}) if extension else held
            if path in NAMED:
                self._forget_name(held, path)
                self._by.setdefault(("Users", path, str(value).lower()), []).append(held)
            *above, name = name.split(".")
            for step in above:
                place = place.setdefault(step, {})
            place[name] = value

    def _forget_name(self, held: Resource, name: str) -> None:
        bearers = self._by.get(("Users", name, str(held.get(name, "")).lower()), [])
        bearers[:] = [one for one in bearers if one is not held]

    def _shown(self, one: Resource, asked: dict[str, str]) -> Resource:
        if one["id"] not in self._in or asked.get("excludedAttributes") == "members":
            return one
        return one | {"members": [{"value": member} for member in self._in[one["id"]]]}


class Connection(asyncio.Protocol):
    """One kept-alive connection."""

    _transport: asyncio.Transport

    def __init__(self, holdings: Holdings) -> None:
        self._holdings, self._buffer = holdings, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is no subclass

    def data_received(self, data: bytes) -> None:
        """Answer what is whole."""
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, rest = self._buffer.partition(b"\r\n\r\n")
            match = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
            size = int(match[1]) if match else 0
            if len(rest) < size:
                return
            self._buffer = rest[size:]
            method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
            self._answer(method, target, rest[:size])

    def _answer(self, method: str, target: str, body: bytes) -> None:
        self._write(*self._holdings.answer(method, target, body))

    def _write(self, status: int, said: Any, more: bytes = b"") -> None:
        body = b"" if said is None else msgspec.json.encode(said)
        self._transport.write(
            b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\n%scontent-length: %d\r\n\r\n%s"
            % (status, more, len(body), body)
        )


async def run(port: int) -> None:
    """Serve until the process ends."""
    holdings = Holdings()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(holdings), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(run(int(sys.argv[1])))
