"""Whose app opens our addresses: what phones fetch when the app is installed (rule 807, case D05)."""

from __future__ import annotations

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from backend import app_links
from backend.openness import Openness
from backend.settings import Settings
from mobile_api.problems import RouteNotFound

KEPT = {"Cache-Control": "public, max-age=3600"}  # an hour: whoever names another app sees it the same day


def well_known(settings: Settings) -> list[ControllerRouterHandler]:
    """`/.well-known/assetlinks.json` and `/.well-known/apple-app-site-association`."""

    @get("/.well-known/assetlinks.json", open_to=Openness.ANYBODY, include_in_schema=False)
    async def android() -> Response[app_links.Document]:
        return _shown(app_links.asset_links(settings))

    @get("/.well-known/apple-app-site-association", open_to=Openness.ANYBODY, include_in_schema=False)
    async def apple() -> Response[app_links.Document]:
        return _shown(app_links.site_association(settings))

    return [android, apple]


def _shown(found: app_links.Document | None) -> Response[app_links.Document]:
    """An app that nobody has named opens nothing: 404, not an empty list that phones would keep."""
    if found is None:
        raise RouteNotFound
    return Response(found, headers=KEPT, media_type="application/json")
