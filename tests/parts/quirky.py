"""A small SCIM 2.0 server, each of whose oddities has been met in the field; the first part of the path switches it on.

`url("noent")` is a system of its own with that oddity; `world("noent")` is what it holds, `writes` what reached it.
"""

from __future__ import annotations

import copy
import itertools
import json
import re
import threading
import uuid
from collections import defaultdict
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.parts.quirky_patch import ENT, applied, members_of

EXT = "urn:ietf:params:scim:schemas:extension:vendor:2.0:User"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
QUIRKS = {
    "plain": "does everything",
    "ignoremembersfilter": "a filter on members.value is ignored: every group comes back",
    "blindmembersfilter": "a filter on members.value finds nothing, whoever is asked about",
    "ignorefilters": "every filter is ignored: everything comes back",
    "refusefilters": "every filter is refused (400 invalidFilter)",
    "blindfilters": "no filter finds anything",
    "xextdecl": "users carry a declared extension of the vendor's",
    "unknown": "users carry undeclared attributes, empty texts and nulls",
    "wrongschemas": "replies name other schemas than they have, attributes are spelt in small letters",
    "numbers": "identifiers are numbers, and a title of digits comes back as a number",
    "nogroups": "there is no /Groups",
    "noent": "title and the enterprise extension are dropped silently",
    "refuseent": "the enterprise extension is refused",
    "uppername": "userName is kept in capitals",
    "fixednames": "a userName cannot be changed",
    "softdelete": "inactive users are hidden, and their names stay taken",
    "frozenleavers": "the same, and who is switched off cannot be renamed by the same call",
    "nopatch": "PATCH is not there (501), and the system says so",
    "nopatchunsaid": "PATCH is not there (405), and the system says it is",
    "noconfig": "there is no ServiceProviderConfig",
    "every2nd429": "every second call is one too many",
    "every3rd502": "every third call fails in a gateway",
    "deafgroups": "groups take every PATCH and change nothing",
    "deafactive": "active stays as it is",
    "stickygroups": "groups take every change and keep whoever is in",
    "nomembers": "groups never have members, whatever is written",
    "unlistedmembers": "a list of groups leaves out who is in them",
    "html": "answers with a sign-in page",
    "elsewhere": "nothing is under this address",
}


class World:
    """What one quirk's system holds."""

    def __init__(self) -> None:
        self.stores: dict[str, dict[str, dict[str, Any]]] = {"Users": {}, "Groups": {}}
        self.numbers, self.calls = itertools.count(1001), 0
        self.writes, self.lists = list[str](), list[str]()  # of lists each page counts
        self.names, self.paging = list[str](), ""  # of the next users; how lists are wrong
        self.refused: set[str] = set()  # paths of attributes that a PATCH of a user is refused for

    @property
    def users(self) -> list[dict[str, Any]]:
        return list(self.stores["Users"].values())

    def user(self, external_id: object) -> dict[str, Any]:
        """The one that is switched on, else the last that was made."""
        found = [one for one in self.users if one.get("externalId") == str(external_id)]
        return max(found, key=lambda one: one.get("active") is not False)

    def groups_of(self, external_id: object) -> set[str]:
        """External identifiers of the groups that any user of that person is in."""
        ids = {str(one["id"]) for one in self.users if one.get("externalId") == str(external_id)}
        return {
            str(group.get("externalId"))
            for group in self.stores["Groups"].values()
            if ids & {str(member["value"]) for member in group.get("members") or []}
        }


class QuirkyScim:
    """Every quirk on one port, in a thread."""

    def __init__(self) -> None:
        self.worlds, self.lock = defaultdict[str, World](World), threading.RLock()
        handler = type("Handler", (_Handler,), {"part": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def url(self, quirk: str) -> str:
        """The base address of one."""
        assert quirk in QUIRKS
        return f"http://127.0.0.1:{self._server.server_address[1]}/{quirk}/scim/v2"

    def world(self, quirk: str) -> World:
        """What it holds."""
        return self.worlds[quirk]

    def stop(self) -> None:
        """For good."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    part: QuirkyScim

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 the base class's name
        """The test says what it wants to know."""

    def do_GET(self) -> None:
        """Any method is routed alike."""
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        self.quirk, *rest = [unquote(piece) for piece in parts.path.split("/") if piece]
        with self.part.lock:
            self.world = self.part.worlds[self.quirk]
            self.world.calls += 1
            if not self._is_busy():
                self._route(rest[2:], parse_qs(parts.query), json.loads(raw) if raw else None)

    do_POST = do_PUT = do_PATCH = do_GET  # noqa: N815 the base class's names

    def _send(
        self, status: int, body: Any = None, kind: str = "application/scim+json", **headers: str
    ) -> None:
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(raw)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(raw)

    def _refuse(self, status: int, kind: str | None = None) -> None:
        self._send(status, {"schemas": [ERROR], "status": str(status)} | ({"scimType": kind} if kind else {}))

    def _is_busy(self) -> bool:
        count = self.world.calls
        if self.quirk == "every2nd429" and count % 2 == 0:
            self._send(429, b"slow down", "text/plain", Retry_After="0")
        elif self.quirk == "every3rd502" and count % 3 == 0:
            self._send(502, b"<html>Bad gateway</html>", "text/html")
        elif self.quirk == "html":
            self._send(200, b"<html>Sign in</html>", "text/html")
        else:
            return False
        return True

    def _route(self, path: list[str], asked: dict[str, list[str]], body: Any) -> None:
        if path == ["ServiceProviderConfig"] and self.quirk not in {"noconfig", "elsewhere"}:
            said = {"patch": self.quirk != "nopatch", "filter": True, "etag": False}
            return self._send(200, {name: {"supported": value} for name, value in said.items()})
        gone = self.quirk == "elsewhere" or (path[:1] == ["Groups"] and self.quirk == "nogroups")
        if gone or path[0] not in self.world.stores:
            return self._refuse(404)
        if self.command != "GET":
            self.world.writes.append(f"{self.command} {path[0]}")
        if len(path) == 1:
            return self._create(path[0], body) if self.command == "POST" else self._list(path[0], asked)
        return self._one(path[0], path[1], body)

    def _is_hidden(self, kind: str, one: dict[str, Any]) -> bool:
        hides = self.quirk in {"softdelete", "frozenleavers"}
        return hides and kind == "Users" and one.get("active") is False

    def _list(self, kind: str, asked: dict[str, list[str]]) -> None:
        self.world.lists.append(kind)
        found = [one for one in self.world.stores[kind].values() if not self._is_hidden(kind, one)]
        match = re.fullmatch(r'([\w.:]+) eq "(.*)"', (asked.get("filter") or [""])[0])
        if match and self.quirk == "refusefilters":
            return self._refuse(400, "invalidFilter")
        if match and self.quirk == "blindfilters":
            found = []
        elif match and match[1] == "members.value":
            if self.quirk == "blindmembersfilter":
                found = []
            elif self.quirk not in {"ignoremembersfilter", "ignorefilters"}:
                found = [one for one in found if match[2] in members_of(one)]
        elif match and self.quirk != "ignorefilters":
            found = [one for one in found if str(one.get(match[1]) or "").lower() == match[2].lower()]
        total, start = len(found), int((asked.get("startIndex") or ["1"])[0])
        paging = self.world.paging
        if paging == "refused" and start > total:
            return self._refuse(400, "invalidValue")
        start -= {"same": start - 1, "zero": -1}.get(paging, 0)
        found = found[start - 1 :][: int((asked.get("count") or ["3"])[0])]
        drop = (asked.get("excludedAttributes") or [""])[0].split(",")
        if kind == "Groups" and self.quirk == "unlistedmembers":
            drop.append("members")
        shown: Any = [self._shown(kind, one, drop) for one in found]
        if paging == "object" and shown:
            shown = shown[0]
        totals = {} if paging == "none" else {"totalResults": len(found) if paging == "one" else total}
        return self._send(200, {"schemas": [LIST], **totals, "startIndex": start, "Resources": shown})

    def _create(self, kind: str, body: dict[str, Any]) -> None:
        if kind == "Users" and self._is_taken(body["userName"], None):
            return self._refuse(409, "uniqueness")
        if self.quirk == "refuseent" and ENT in body:
            return self._refuse(400, "invalidSyntax")
        number: object = next(self.world.numbers) if self.quirk == "numbers" else str(uuid.uuid4())
        if kind == "Users" and self.world.names:
            number = self.world.names.pop(0)
        made = {"resourceType": kind[:-1], "created": datetime.now(UTC).isoformat()}
        one = {**copy.deepcopy(body), "id": number, "meta": made}
        self._keep(kind, one, None)
        self.world.stores[kind][str(number)] = one
        return self._send(201, self._shown(kind, one, []))

    def _is_taken(self, name: str, own: object) -> bool:
        others = [one for one in self.world.users if one["id"] != own]
        return any(one["userName"].lower() == name.lower() for one in others)

    def _one(self, kind: str, key: str, body: Any) -> None:
        one = self.world.stores[kind].get(key)
        if one is None or self._is_hidden(kind, one):
            return self._refuse(404)
        if self.command == "GET":
            return self._send(200, self._shown(kind, one, []))
        if self.command == "PATCH" and self.quirk.startswith("nopatch"):
            return self._refuse(501 if self.quirk == "nopatch" else 405)
        fresh = copy.deepcopy(one)
        if self.command == "PUT":
            fresh = {**body, "id": one["id"], "meta": one["meta"]}
        else:
            paths = [operation.get("path") for operation in body["Operations"]]
            if refusal := self._objection(kind, one, body["Operations"], paths):
                return self._refuse(*refusal)
            for operation in body["Operations"]:
                applied(fresh, operation)
        if kind == "Users" and self._is_taken(fresh["userName"], one["id"]):
            return self._refuse(409, "uniqueness")
        self._keep(kind, fresh, one)
        self.world.stores[kind][key] = fresh
        return self._send(204)

    def _objection(
        self, kind: str, one: dict[str, Any], operations: list[Any], paths: list[Any]
    ) -> tuple[int, str] | None:
        if kind == "Users" and self.world.refused & set(paths):
            return 400, "invalidValue"
        if self.quirk == "refuseent" and any(str(path).startswith(ENT) for path in paths):
            return 400, "invalidPath"
        if self.quirk == "fixednames" and "userName" in paths:
            return 400, "mutability"
        leaves = {"op": "replace", "path": "active", "value": False} in operations
        if self.quirk == "frozenleavers" and leaves and "userName" in paths and one["userName"]:
            return 400, "mutability"
        return None

    def _keep(self, kind: str, one: dict[str, Any], before: dict[str, Any] | None) -> None:
        if self.quirk == "noent":
            one.pop(ENT, None)
            one.pop("title", None)
        if self.quirk == "uppername" and kind == "Users":
            one["userName"] = one["userName"].upper()
        if self.quirk == "deafactive" and before is not None and kind == "Users":
            one["active"] = before["active"]
        if self.quirk == "deafgroups" and before is not None and kind == "Groups" and self.command == "PATCH":
            one["members"] = before.get("members", [])
        if self.quirk == "stickygroups" and before is not None and kind == "Groups":
            one["members"] = before.get("members") or one.get("members")
        if self.quirk == "nomembers" and kind == "Groups":
            one["members"] = []

    def _shown(self, kind: str, one: dict[str, Any], drop: list[str]) -> dict[str, Any]:
        shown = {name: value for name, value in copy.deepcopy(one).items() if name not in drop}
        if kind != "Users":
            return shown
        if self.quirk == "xextdecl":
            shown |= {"schemas": [*shown.get("schemas", []), EXT], EXT: {"costCenter": "1"}}
        if self.quirk == "unknown":
            shown |= {"nickName": "", "x-own": {"a": [1, None]}, "emails": None, "photos": [{}], "locale": 7}
        if self.quirk == "wrongschemas":
            shown = {name if name == ENT else name.lower(): value for name, value in shown.items()}
            shown["schemas"] = ["urn:example:something:else"]
        if self.quirk == "numbers" and str(shown.get("title")).isdigit():
            shown["title"] = int(shown["title"])
        return shown
