"""The address without a path: what this is, and where one goes from here."""

from __future__ import annotations

from litestar import Response, get

from backend.openness import Openness
from workspace.auth import Visit
from workspace.headers import PageHeaders
from workspace.pages import page


@get("/", open_to=Openness.ANYBODY, include_in_schema=False, middleware=[PageHeaders()])
async def front(request: Visit) -> Response[str]:
    """The same for everybody; in the demo its guide stands here."""
    return page(request, "front.html")
