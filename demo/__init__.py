"""The demo: stand-ins for everything that is not ours, a phone in the browser and a guide.

A production profile never mounts this. The stand-ins are the ones that the tests use too.
"""

from __future__ import annotations

from pathlib import Path

from litestar import Router
from litestar.datastructures import CacheControlHeader
from litestar.static_files import create_static_files_router

from demo.eid import StandInEid
from demo.eid_http import eid_router
from demo.guide import guide_router
from demo.inbox import Inbox, inbox_router
from demo.scim import StandInSystem
from demo.scim_http import systems_router
from workspace.given_once import GivenOnce

HERE = Path(__file__).parent


def router(public_url: str, inbox: Inbox, eid: StandInEid, systems: dict[str, StandInSystem]) -> list[Router]:
    """Everything that the demo adds to the product's own routes."""
    return [
        guide_router(public_url),
        eid_router(eid),
        inbox_router(inbox),
        systems_router(systems),
        _files("/demo/static", "static"),
        _files("/demo/app", "phone"),
    ]


def _files(path: str, folder: str) -> Router:
    """Plain files; the browser asks again each time, so that a new version is seen at once."""
    fresh = CacheControlHeader(no_cache=True)
    return create_static_files_router(
        path, [HERE / folder], cache_control=fresh, include_in_schema=False, router_class=GivenOnce
    )
