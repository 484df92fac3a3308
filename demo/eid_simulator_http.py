"""The simulators of the special flavours on the wire."""

from __future__ import annotations

from urllib.parse import urlsplit

from litestar import HttpMethod, Response, Router, get, post, route
from litestar.di import Provide
from litestar.enums import MediaType

from demo.eid_clients import NotTheClient
from demo.eid_counter import Refused
from demo.eid_http import FORM
from demo.eid_page import NO_STORE, PersonController, authorized, down, form_of
from demo.eid_simulator import Simulator
from demo.pages import Visit, json_of
from workspace.given_once import GivenOnce


def simulator_router(simulator: Simulator) -> Router:
    """The routes of one simulator, mounted where its issuer says."""
    at_authorize, at_token, at_userinfo = simulator.paths

    @get(at_authorize)
    async def authorize(request: Visit) -> Response[bytes]:
        """Where the browser is sent."""
        return authorized(request, simulator)

    @post(at_token)
    async def token(request: Visit) -> Response[bytes]:
        """A code for an access token; a body that is no form gets 415, as from the real one."""
        if simulator.down:
            return down()
        if request.headers.get("content-type", "").partition(";")[0].strip() != FORM:
            return json_of({"error": "invalid_request"}, 415)
        try:
            return _said(simulator.redeem(dict(form_of(await request.body()))))
        except NotTheClient:
            return json_of({"error": "invalid_client"}, 401)
        except Refused as refused:
            return json_of({"error": refused.error, "error_description": refused.description}, refused.status)

    @route(at_userinfo, http_method=[HttpMethod.GET, HttpMethod.POST])
    async def userinfo(request: Visit) -> Response[bytes]:
        """Who is behind an access token."""
        if simulator.down:
            return down()
        answer = simulator.userinfo(request.headers.get("authorization", ""))
        return _said(answer) if answer else json_of({"error": "invalid_token"}, 401)

    return GivenOnce(
        urlsplit(simulator.issuer).path,
        route_handlers=[authorize, token, userinfo, PersonController],
        dependencies={"eid": Provide(lambda: simulator, sync_to_thread=False)},
        include_in_schema=False,
    )


def _said(answer: tuple[int, bytes]) -> Response[bytes]:
    status, body = answer
    return Response(body, status_code=status, media_type=MediaType.JSON, headers=NO_STORE)
