"""The stand-in e-ID on the wire: what a client asks, and the page where a person is picked."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl, urlsplit

import msgspec
from litestar import Controller, Response, Router, get, post
from litestar.di import NamedDependency, Provide
from litestar.enums import MediaType

from ngomon.demo.eid import Refused, StandInEid
from ngomon.demo.eid_claims import Fault
from ngomon.demo.eid_clients import NotTheClient
from ngomon.demo.pages import Visit, json_of, own_page_only, page
from ngomon.demo.persona import NotAPersona, Persona, invent

SLOW_SECONDS = 12.0
FORM = "application/x-www-form-urlencoded"
NO_STORE = {"Cache-Control": "no-store"}


def eid_router(eid: StandInEid, path: str | None = None) -> Router:
    """The routes of one stand-in, mounted where its issuer says, or at `path`."""
    return Router(
        path or urlsplit(eid.issuer).path or "/",
        route_handlers=[_Provider, _Person],
        dependencies={"eid": Provide(lambda: eid, sync_to_thread=False)},
        include_in_schema=False,
    )


class _Provider(Controller):
    """What a client program talks to."""

    @get("/.well-known/openid-configuration")
    async def discovery(self, eid: NamedDependency[StandInEid]) -> Response[bytes]:
        """OpenID Connect Discovery §4."""
        return _down() if eid.down else json_of(eid.metadata())

    @get("/jwks")
    async def jwks(self, eid: NamedDependency[StandInEid]) -> Response[bytes]:
        """The public signing key."""
        return _down() if eid.down else json_of(eid.jwks())

    @post("/token", status_code=200)
    async def token(self, request: Visit, eid: NamedDependency[StandInEid]) -> Response[bytes]:
        """A code for tokens (RFC 6749 §4.1.3)."""
        if eid.down:
            return _down()
        if request.headers.get("content-type", "").partition(";")[0].strip() != FORM:
            return json_of({"error": "invalid_request"}, 400)
        pairs = _form(await request.body())
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
            return _down()
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


class _Person(Controller):
    """What a person sees, and the switches of the demo."""

    @get("/")
    async def index(self, request: Visit, eid: NamedDependency[StandInEid]) -> Response[bytes]:
        """The cast and the switches, outside any sign-in."""
        return _choose(request, eid, "")

    @get("/authorize")
    async def authorize(self, request: Visit, eid: NamedDependency[StandInEid]) -> Response[bytes]:
        """Check the client's request and show who may sign in.

        `prompt=none` with a cast member's key in `login_hint` answers at once, which scripts like.
        """
        if eid.down:
            return page(request, "eid_refused.html", status=503, error="temporarily_unavailable")
        try:
            ticket = eid.ask(parse_qsl(request.url.query, keep_blank_values=True))
        except Refused as refused:
            if refused.redirect_to:
                return _go(refused.redirect_to)
            return page(request, "eid_refused.html", status=400, error=refused.description)
        hinted = eid.personas.get(request.query_params.get("login_hint", ""))
        if request.query_params.get("prompt") == "none" and hinted:
            return _go(eid.approve(ticket, hinted))
        return _choose(request, eid, ticket)

    @post("/approve", guards=[own_page_only])
    async def approve(self, request: Visit, eid: NamedDependency[StandInEid]) -> Response[bytes]:
        """The person picked somebody, or described somebody, or cancelled."""
        form = dict(_form(await request.body()))
        ticket = form.get("ticket", "")
        try:
            if "cancel" in form:
                return _go(eid.cancel(ticket))
            return _go(eid.approve(ticket, _who(eid, form)))
        except NotAPersona as trouble:
            return _choose(request, eid, ticket, trouble=trouble, filled=form)
        except Refused as refused:
            return page(request, "eid_refused.html", status=400, error=refused.description)

    @post("/switch", guards=[own_page_only])
    async def switch(self, request: Visit, eid: NamedDependency[StandInEid]) -> Response[bytes]:
        """Decide how the next sign-in goes: `next=<fault>` or empty, and `down=on|off`; form or JSON."""
        body = await request.body()
        is_json = request.headers.get("content-type", "").startswith("application/json")
        given = msgspec.json.decode(body, type=dict[str, str]) if is_json else dict(_form(body))
        try:
            eid.next_fault = Fault(given["next"]) if given.get("next") else None
        except ValueError:
            return json_of({"error": "unknown_switch", "known": [fault.value for fault in Fault]}, 400)
        eid.down = given.get("down") == "on"
        if is_json:
            return json_of({"next": eid.next_fault, "down": eid.down}, 200)
        return _choose(request, eid, given.get("ticket", ""))


def _who(eid: StandInEid, form: dict[str, str]) -> Persona:
    known = eid.personas.get(form.get("persona", ""))
    return known or invent(form)


def _choose(
    request: Visit,
    eid: StandInEid,
    ticket: str,
    *,
    trouble: NotAPersona | None = None,
    filled: dict[str, str] | None = None,
) -> Response[bytes]:
    target = urlsplit(eid.returns_to(ticket) or "")
    return page(
        request,
        "eid.html",
        status=422 if trouble else 200,
        forms=f"'self' {target.scheme}://{target.netloc}" if target.netloc else "'self'",
        base=urlsplit(eid.issuer).path,
        personas=eid.personas.values(),
        faults=[fault.value for fault in Fault],
        next_fault=eid.next_fault,
        down=eid.down,
        ticket=ticket if target.netloc else "",
        trouble=trouble,
        filled=filled or {},
    )


def _claims(request: Visit, eid: StandInEid) -> Response[bytes]:
    if eid.down:
        return _down()
    claims = eid.userinfo(request.headers.get("authorization", ""))
    if claims is None:
        return json_of({"error": "invalid_token"}, 401, {"WWW-Authenticate": 'Bearer error="invalid_token"'})
    return json_of(claims)


def _form(body: bytes) -> list[tuple[str, str]]:
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=40)


def _go(location: str) -> Response[bytes]:
    headers = {"Location": location} | NO_STORE
    return Response(b"", status_code=303, headers=headers, media_type=MediaType.TEXT)


def _down() -> Response[bytes]:
    return json_of({"error": "temporarily_unavailable"}, 503, {"Retry-After": "30"})
