"""The stand-in systems on the wire: their SCIM endpoints, and the page where one sees and breaks them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import msgspec
from litestar import Controller, Request, Response, Router, get, post, route
from litestar.datastructures import State
from litestar.di import NamedDependency, Provide
from litestar.enums import HttpMethod
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from demo.pages import Visit, json_of, own_page_only, page
from demo.scim import Mood, StandInSystem
from workspace.given_once import GivenOnce

Systems = dict[str, StandInSystem]


class _Switch(msgspec.Struct, forbid_unknown_fields=True):
    mood: Mood


class SystemsPage(Controller):
    """All systems at a glance."""

    path = "/demo"

    @get("/systems")
    async def html(self, request: Visit) -> Response[bytes]:
        """The page, which keeps itself fresh."""
        return page(request, "systems.html")

    @get("/systems.json")
    async def listing(self, systems: NamedDependency[Systems]) -> Response[bytes]:
        """What each system holds, and how it feels."""
        return json_of({"items": [system.holdings() for system in systems.values()]})

    @post("/systems/{name:str}/switch", guards=[own_page_only], status_code=200)
    async def switch(
        self, name: FromPath[str], request: Visit, systems: NamedDependency[Systems]
    ) -> Response[bytes]:
        """Break or heal one system: `{"mood": "well"|"broken"|"slow"|"refusing"}`."""
        system = _named(systems, name)
        try:
            system.mood = msgspec.json.decode(await request.body(), type=_Switch).mood
        except msgspec.DecodeError:
            return json_of({"error": "unknown_mood", "known": [mood.value for mood in Mood]}, 400)
        return json_of({"name": system.name, "mood": system.mood})


@route(
    ["/demo/systems/{name:str}/scim/v2", "/demo/systems/{name:str}/scim/v2/{rest:path}"],
    http_method=[HttpMethod.GET, HttpMethod.POST, HttpMethod.PUT, HttpMethod.PATCH, HttpMethod.DELETE],
    status_code=200,
)
async def scim(
    request: Request[Any, Any, State], name: FromPath[str], systems: NamedDependency[Systems]
) -> Response[bytes]:
    """Hand one call to the system that it names (RFC 7644 §3.2)."""
    from scim2_server.requests import ScimRequest

    before, mark, after = str(request.url.path).partition("/scim/v2")
    root = f"{request.url.scheme}://{request.url.netloc}{before}{mark}"
    status, headers, body = await _named(systems, name).answer(
        ScimRequest(
            method=request.method,
            base_url=root,
            path=after or "/",
            query=dict(parse_qsl(request.url.query, keep_blank_values=True)),
            headers=list(request.headers.items()),
            body=await request.body(),
        )
    )
    media_type = headers.pop("Content-Type", "application/scim+json")
    return Response(body, status_code=status, headers=headers, media_type=media_type)


def systems_router(systems: Systems) -> Router:
    """The routes of the stand-in systems."""
    return GivenOnce(
        "/",
        route_handlers=[SystemsPage, scim],
        dependencies={"systems": Provide(lambda: systems, sync_to_thread=False)},
        include_in_schema=False,
    )


def _named(systems: Systems, name: str) -> StandInSystem:
    if name not in systems:
        raise NotFoundException("no such system")
    return systems[name]
