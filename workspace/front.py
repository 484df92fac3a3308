"""The address without a path, and what a browser shows of a link that was meant for the app (rule 807).

Whoever comes here carries what the e-ID gave for the app: a code and a state. Nothing of it is shown, kept, logged or
handed on to another address, not even as a referrer.
"""

from __future__ import annotations

from typing import Any

from litestar import Response, Router, get
from litestar.params import FromPath

from backend.errors import NotFound, catalogue
from backend.openness import Openness
from backend.words import LANGUAGES, gettext
from workspace.auth import Visit
from workspace.given_once import GivenOnce
from workspace.headers import PageHeaders
from workspace.pages import brand_of, lang_of, page

SCANNED = "/workspace-login"  # the code of the workspace's sign-in page, below /app
UNTOLD = {"Referrer-Policy": "no-referrer"}
BARE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
}  # no script either: the page is read, and nothing else


@get("/", open_to=Openness.ANYBODY, include_in_schema=False, middleware=[PageHeaders(UNTOLD)])
async def front(request: Visit) -> Response[str]:
    """The same for everybody; in the demo its guide stands here."""
    return page(request, "front.html", here="/")


@get("/{rest:path}", open_to=Openness.ANYBODY)
async def uncaught(request: Visit, rest: FromPath[str]) -> Response[str]:
    """A link that no app has caught: how to go on, in both languages."""
    return page(
        request, "uncaught.html", here="/", tongues=_tongues(request), scanned=rest.startswith(SCANNED)
    )


@get(
    "/problems/{code:str}", open_to=Openness.ANYBODY, include_in_schema=False, middleware=[PageHeaders(BARE)]
)
async def problem(request: Visit, code: FromPath[str]) -> Response[str]:
    """What the `type` of a refusal leads to: its words in both languages, for whoever follows it (case D04)."""
    kind = catalogue().get(code)
    return page(
        request,
        "problem.html",
        here="/",
        refusal=None if kind else NotFound(),
        kind=kind,
        tongues=_tongues(request),
        places=brand_of(request).places,
    )


def _tongues(request: Visit) -> list[tuple[str, Any]]:
    """Both languages, the caller's first."""
    chosen = lang_of(request)
    spoken = sorted(LANGUAGES, key=lambda one: one != chosen)
    return [(one, gettext(one)) for one in spoken]


def app_addresses() -> Router:
    """Everything below `/app`; in the demo its phone answers where the e-ID returns to."""
    return GivenOnce(
        "/app",
        route_handlers=[uncaught],
        middleware=[PageHeaders({**UNTOLD, **BARE})],
        include_in_schema=False,
    )
