"""The first page of the demo, and the page that is a phone."""

from __future__ import annotations

from litestar import Response, Router, get
from litestar.di import NamedDependency, Provide

from demo.pages import Visit, page
from demo.persona import PERSONAS
from workspace.given_once import GivenOnce


@get("/")
async def guide(request: Visit, public_url: NamedDependency[str]) -> Response[bytes]:
    """The cockpit: phone, inbox, workspace and systems on one screen, and the steps to try them."""
    return page(request, "guide.html", frames="'self'", personas=PERSONAS, public_url=public_url)


@get(["/demo/phone", "/app/vneid", "/app/post-office"])
async def phone(request: Visit, public_url: NamedDependency[str]) -> Response[bytes]:
    """The phone. The e-ID and the post office return to the other addresses, as they would to the app's own links."""
    return page(request, "phone.html", public_url=public_url)


@get("/app/workspace-login/{login_id:str}")
async def scanned(request: Visit, public_url: NamedDependency[str]) -> Response[bytes]:
    """The phone, at the code of the workspace's sign-in page that it has scanned."""
    return page(request, "phone.html", public_url=public_url)


def guide_router(public_url: str) -> Router:
    """The routes of the guide and the phone."""
    return GivenOnce(
        "/",
        route_handlers=[guide, phone, scanned],
        dependencies={"public_url": Provide(lambda: public_url.rstrip("/"), sync_to_thread=False)},
        include_in_schema=False,
    )
