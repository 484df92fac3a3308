"""The stand-in e-ID on the wire: what a client asks, and the page where a person is picked."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from litestar import Controller, Response, Router, get, post
from litestar.di import NamedDependency, Provide

from demo.eid import StandInEid
from demo.eid_claims import Fault
from demo.eid_clients import NotTheClient
from demo.eid_counter import Refused
from demo.eid_page import PersonController, authorized, down, form_of
from demo.pages import Visit, json_of
from workspace.given_once import GivenOnce

SLOW_SECONDS = 12.0
FORM = "application/x-www-form-urlencoded"


def eid_router(eid: StandInEid, path: str | None = None) -> Router:
    """The routes of one stand-in, mounted where its issuer says, or at `path`."""
    return GivenOnce(
        path or urlsplit(eid.issuer).path or "/",
        route_handlers=[_Provider, PersonController],
        dependencies={"eid": Provide(lambda: eid, sync_to_thread=False)},
        include_in_schema=False,
    )


class _Provider(Controller):
    """What a client program talks to."""

    @get("/.well-known/openid-configuration")
    async def discovery(self, eid: NamedDependency[StandInEid]) -> Response[bytes]:
        """OpenID Connect Discovery §4."""
        return down() if eid.down else json_of(eid.metadata())

    @get("/authorize")
    async def authorize(self, request: Visit, eid: NamedDependency[StandInEid]) -> Response[bytes]:
        """Where the browser is sent."""
        return authorized(request, eid)

    @get("/jwks")
    async def jwks(self, eid: NamedDependency[StandInEid]) -> Response[bytes]:
        """The public signing key."""
        return down() if eid.down else json_of(eid.jwks())

    @post("/token", status_code=200)
    async def token(self, request: Visit, eid: NamedDependency[StandInEid]) -> Response[bytes]:
        """A code for tokens (RFC 6749 §4.1.3)."""
        if eid.down:
            return down()
        if request.headers.get("content-type", "").partition(";")[0].strip() != FORM:
            return json_of({"error": "invalid_request"}, 400)
        pairs = form_of(await request.body())
        if len(pairs) != len(dict(pairs)):
            return json_of({"error": "invalid_request"}, 400)
        try:
            answer, fault = eid.redeem(request.headers.get("authorization", ""), dict(pairs))
        except NotTheClient:
            challenge = {"WWW-Authenticate": 'Basic realm="eid"'}
            return json_of({"error": "invalid_client"}, 401, challenge)
        except Refused as refused:
            return json_of({"error": refused.error, "error_description": refused.description}, refused.status)
        if fault is Fault.PROVIDER_503:
            return down()
        if fault is Fault.SLOW:
            await asyncio.sleep(SLOW_SECONDS)
        return json_of(answer)

    @get("/userinfo")
    async def userinfo(self, request: Visit, eid: NamedDependency[StandInEid]) -> Response[bytes]:
        """The claims behind an access token; POST asks the same (OpenID Connect Core §5.3.1)."""
        return _claims(request, eid)

    @post("/userinfo", status_code=200)
    async def userinfo_posted(self, request: Visit, eid: NamedDependency[StandInEid]) -> Response[bytes]:
        """As `userinfo`."""
        return _claims(request, eid)


def _claims(request: Visit, eid: StandInEid) -> Response[bytes]:
    if eid.down:
        return down()
    claims = eid.userinfo(request.headers.get("authorization", ""))
    if claims is None:
        return json_of({"error": "invalid_token"}, 401, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
    return json_of(claims)
