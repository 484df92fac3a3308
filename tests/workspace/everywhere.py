"""Every page of the route table, with something on it: a province is filled, then whoever is somebody follows the links.

A page that is added to the product is found by itself, once a page leads to it; until then `missing` names it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from contextlib import AsyncExitStack
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx2
from litestar import Litestar
from litestar.routes import HTTPRoute

from tests.parts.client import client
from tests.service import Service
from tests.workspace.lived_in import Lived
from tests.workspace.office import Somebody

LINK = re.compile(r"""(?:href|action)=["']([^"'#]+)["']""")
ELSEWHERE = ("/v1", "/schema", "/.well-known", "/health", "/metrics")  # what is no page for people
NO_PAGE = {  # a call, a file, or a way through
    "/demo/app/{file_path:path}", "/demo/static/{file_path:path}", "/workspace/static/{digest:str}/{name:str}",
    "/demo/ca/crl", "/demo/ca/root.pem", "/demo/inbox.json", "/demo/systems.json", "/demo/steps.json",
    "/demo/registries/rows.json", "/demo/registries/people/{number:str}", "/demo/registries/subscribers/{phone:str}",
    "/demo/systems/{name:str}/scim/v2", "/demo/systems/{name:str}/scim/v2/{rest:path}",
    "/demo/eid/.well-known/openid-configuration", "/demo/eid/jwks", "/demo/eid/userinfo",
    "/demo/post-office/.well-known/openid-configuration", "/demo/post-office/jwks", "/demo/post-office/userinfo",
    "/demo/portal/oauth2/userinfo", "/demo/post-office/authorize", "/demo/portal/oauth2/authorize",
    "/workspace/events", "/workspace/login/start", "/workspace/login/callback", "/workspace/bulk",
    "/workspace/operator/catalogue",
    "/workspace/audit/export.csv", "/workspace/audit/export.xlsx", "/workspace/decisions/export.csv",
    "/workspace/decisions/export.xlsx",
}  # fmt: skip
FIRST = [  # where nothing leads, or what is asked for by an address alone
    "/", "/app/post-office", "/app/vneid", "/app/workspace-login/9f1c", "/app/nothing", "/demo/eid", "/demo/inbox",
    "/demo/mail", "/demo/phone", "/demo/portal", "/demo/post-office", "/demo/registries", "/demo/systems",
    "/workspace", "/workspace/login", "/workspace/login/qr", "/workspace/me", "/workspace/nothing", "/workspace/support",
    "/workspace/differences",
    "/workspace/support/new", "/verify/unknown", "/problems/not_found", "/problems/nothing",
]  # fmt: skip
EACH = 2  # addresses of one page that one person looks at


class Seen(NamedTuple):
    """A page as somebody sees it."""

    route: str
    path: str
    who: Somebody | None
    text: str


class Table:
    """The routes that answer to GET, and which of them an address is."""

    def __init__(self, app: Litestar) -> None:
        self._known: list[tuple[re.Pattern[str], str]] = []
        for route in app.routes:
            if (
                isinstance(route, HTTPRoute)
                and "GET" in route.methods
                and not route.path.startswith(ELSEWHERE)
            ):
                parts = (
                    p if isinstance(p, str) else (".+" if p.full.endswith(":path") else "[^/]+")
                    for p in route.path_components
                )
                self._known.append((re.compile("/" + "/".join(parts)), route.path))
        self._known.sort(key=lambda one: (":path}" in one[1], one[1].count("{")))  # what is named goes first

    @property
    def pages(self) -> set[str]:
        """What people look at."""
        return {route for _, route in self._known} - NO_PAGE

    def route_of(self, path: str) -> str | None:
        """The page at this address."""
        found = next((route for pattern, route in self._known if pattern.fullmatch(path)), None)
        return found if found in self.pages else None


async def everywhere(service: Service, lived: Lived) -> tuple[list[Seen], set[str]]:
    """Each page as each of these people sees it, and the pages that nobody has come to."""
    table = Table(service.app.litestar)
    seen: list[Seen] = []
    async with AsyncExitStack() as stack:
        for who in (*lived.people, None):
            http = await stack.enter_async_context(client(service.url))
            if who is not None:
                http.cookies.set("ngomon", await lived.office.token_of(who))
            seen += await _walked(http, table, [*FIRST, *lived.first], who)
            for path in lived.more:
                answer = await http.get(path)
                if answer.status_code == 200:
                    seen.append(Seen(str(table.route_of(path)), path, who, answer.text))
    return seen, table.pages - {one.route for one in seen}


async def _walked(
    http: httpx2.AsyncClient, table: Table, first: Iterable[str], who: Somebody | None
) -> list[Seen]:
    seen: list[Seen] = []
    waiting, known, looked = list(first), set(first), dict.fromkeys(table.pages, 0)
    while waiting:
        path = waiting.pop(0)
        route = table.route_of(urlsplit(path).path)
        if route is None or looked[route] >= EACH:
            continue
        answer = await http.get(path)
        if answer.status_code >= 300 and answer.status_code != 404:
            continue
        if answer.status_code == 404 and not path.endswith(("nothing", "unknown")):
            continue
        if "text/html" not in answer.headers.get("content-type", ""):
            continue
        looked[route] += 1
        seen.append(Seen(route, path, who, answer.text))
        for link in LINK.findall(answer.text):
            to = html.unescape(link)
            if to.startswith("/") and to not in known:
                known.add(to)
                waiting.append(to)
    return seen
