"""A downstream system that answers at once: SCIM as far as it is asked, and any POST to /hook; everything in memory.

`python -m bench.system_sink PORT`; GET /calls says how often it was called, by method and place.
"""

from __future__ import annotations

import asyncio
import re
import sys
from collections import Counter
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import msgspec
import uvloop

Resource = dict[str, Any]
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
FILTER = re.compile(r'([\w.]+) eq "([^"]*)"')
MEMBER = re.compile(r'members\[value eq "([^"]+)"\]')
ABLE = {name: {"supported": True} for name in ("patch", "filter")} | {"etag": {"supported": False}}


class Holdings:
    """What the system holds, found by identifier, name and member without looking through it."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self._all: dict[str, dict[str, Resource]] = {"Users": {}, "Groups": {}}
        self._by: dict[tuple[str, str, str], list[Resource]] = {}
        self._of: dict[str, dict[str, Resource]] = {}

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, Any]:
        """Status and body for one call."""
        url = urlsplit(target)
        place, _, one = url.path.strip("/").partition("/")
        if place == "calls":
            return 200, dict(self.calls)
        self.calls[f"{method} {place}"] += 1
        if place == "ServiceProviderConfig":
            return 200, ABLE
        if place == "hook":
            return 204, None
        if method == "GET" and not one:
            found = self._found(place, parse_qs(url.query).get("filter", [""])[0])
            return 200, {"totalResults": len(found), "Resources": [self._shown(place, it) for it in found]}
        if method == "POST":
            return 201, self._shown(place, self._made(place, msgspec.json.decode(body)))
        held = self._all[place].get(one)
        if held is None:
            return 404, None
        if method == "PATCH":
            for operation in msgspec.json.decode(body)["Operations"]:
                self._change(held, operation)
        return 200, self._shown(place, held)

    def _found(self, place: str, asked: str) -> list[Resource]:
        if not (match := FILTER.fullmatch(asked)):
            return list(self._all[place].values())
        if match[1] == "members.value":
            return list(self._of.get(match[2], {}).values())
        return self._by.get((place, match[1], match[2].lower()), [])

    def _made(self, place: str, body: Resource) -> Resource:
        made = body | {"id": str(uuid4()), "meta": {"created": "2026-01-01T00:00:00Z", "version": '"1"'}}
        self._all[place][made["id"]] = made
        for name in ("externalId", "userName"):
            if name in made:
                self._by.setdefault((place, name, made[name].lower()), []).append(made)
        return made

    def _change(self, held: Resource, operation: Resource) -> None:
        path, value = operation.get("path", ""), operation.get("value")
        if match := MEMBER.fullmatch(path):
            self._of.get(match[1], {}).pop(held["id"], None)
        elif path == "members":
            for member in value or []:
                self._of.setdefault(member["value"], {})[held["id"]] = held
        else:
            extension, _, name = path.rpartition(":")
            place = held.setdefault(extension, {}) if extension else held
            *above, name = name.split(".")
            for step in above:
                place = place.setdefault(step, {})
            place[name] = value

    @staticmethod
    def _shown(place: str, one: Resource) -> Resource:
        return one if place == "Users" else {key: one[key] for key in one if key != "members"}


class Connection(asyncio.Protocol):
    """One kept-alive connection."""

    def __init__(self, holdings: Holdings) -> None:
        self._holdings, self._buffer = holdings, b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = transport

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
            status, said = self._holdings.answer(method, target, rest[:size])
            body = b"" if said is None else msgspec.json.encode(said)
            self._transport.write(
                b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
                % (status, len(body), body)
            )


async def run(port: int) -> None:
    """Serve until the process ends."""
    holdings = Holdings()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(holdings), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(run(int(sys.argv[1])))
