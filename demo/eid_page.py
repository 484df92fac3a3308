"""The page of every stand-in e-ID: who signs in, and what goes wrong next."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.enums import MediaType

from demo.eid_counter import Counter, Refused
from demo.pages import Visit, json_of, own_page_only, page
from demo.persona import NotAPersona, Persona, invent

NO_STORE = {"Cache-Control": "no-store"}


class PersonController(Controller):
    """What a person sees, and the switches of the demo."""

    @get("/")
    async def index(self, request: Visit, eid: NamedDependency[Counter]) -> Response[bytes]:
        """The cast and the switches, outside any sign-in."""
        return _choose(request, eid, "")

    @post("/approve", guards=[own_page_only])
    async def approve(self, request: Visit, eid: NamedDependency[Counter]) -> Response[bytes]:
        """The person picked somebody, or described somebody, or cancelled."""
        form = dict(form_of(await request.body()))
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
    async def switch(self, request: Visit, eid: NamedDependency[Counter]) -> Response[bytes]:
        """Decide how the next sign-in goes: `next=<fault>` or empty, and `down=on|off`; form or JSON."""
        body = await request.body()
        is_json = request.headers.get("content-type", "").startswith("application/json")
        given = msgspec.json.decode(body, type=dict[str, str]) if is_json else dict(form_of(body))
        if given.get("next") and given["next"] not in eid.faults:
            return json_of({"error": "unknown_switch", "known": eid.faults}, 400)
        eid.next_fault = given.get("next") or None
        eid.down = given.get("down") == "on"
        if is_json:
            return json_of({"next": eid.next_fault, "down": eid.down}, 200)
        return _choose(request, eid, given.get("ticket", ""))


def authorized(request: Visit, eid: Counter) -> Response[bytes]:
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
    if "none" in request.query_params.getall("prompt", []) and hinted:
        return _go(eid.approve(ticket, hinted))
    return _choose(request, eid, ticket)


def _who(eid: Counter, form: dict[str, str]) -> Persona:
    known = eid.personas.get(form.get("persona", ""))
    return known or invent(form)


def _choose(
    request: Visit,
    eid: Counter,
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
        title=eid.title,
        faults=eid.faults,
        next_fault=eid.next_fault,
        down=eid.down,
        ticket=ticket if target.netloc else "",
        trouble=trouble,
        filled=filled or {},
    )


def form_of(body: bytes) -> list[tuple[str, str]]:
    """The fields of a posted form."""
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=40)


def _go(location: str) -> Response[bytes]:
    headers = {"Location": location} | NO_STORE
    return Response(b"", status_code=303, headers=headers, media_type=MediaType.TEXT)


def down() -> Response[bytes]:
    """What a stand-in answers that is out of order."""
    return json_of({"error": "temporarily_unavailable"}, 503, {"Retry-After": "30"})
