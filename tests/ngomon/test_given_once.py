"""What an application hangs its routes in is taken as it is, so what everybody shares is there once."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar, get

from backend.crypto import KeyRing, new_secret_key
from backend.db import Database
from backend.environment import load
from backend.openness import Openness
from backend.outside.clock import Clock
from ngomon.app import create_app
from tests import databases
from workspace.given_once import GivenAway, GivenOnce

REAL = {
    "NGOMON_PROFILE": "production",
    "NGOMON_PUBLIC_URL": "https://cong.hue.example",
    "NGOMON_VNEID_ISSUER": "https://dinh-danh.example",
    "NGOMON_VNEID_CLIENT_ID": "cong",
    "NGOMON_VNEID_CLIENT_SECRET": "secret",
    "NGOMON_SMS_URL": "kannel://user:pass@sms:13013/?from=HUE-S",
    "NGOMON_METRICS_TOKEN": secrets.token_hex(16),
}


@pytest.mark.parametrize("profile", [{"NGOMON_PROFILE": "demo"}, REAL], ids=["demo", "production"])
def test_nothing_that_all_routes_share_is_copied_with_them(
    profile: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied: list[str] = []

    def copy(shared: object, _: Any) -> object:
        copied.append(type(shared).__name__)
        return shared

    for shared in (Clock, Database, KeyRing):
        monkeypatch.setattr(shared, "__deepcopy__", copy, raising=False)
    needed = {"NGOMON_DATABASE_URL": databases.sqlite(tmp_path), "NGOMON_SECRET_KEYS": new_secret_key()}
    app = create_app(load(profile | needed))
    assert app.litestar.routes
    assert copied == []


def test_a_router_hangs_in_one_application_alone() -> None:
    @get("/one", open_to=Openness.ANYBODY)
    async def one() -> None: ...

    below = GivenOnce("/below", route_handlers=[one])
    above = GivenOnce("/above", route_handlers=[below])
    assert "/above/below/one" in {route.path for route in Litestar([above]).routes}
    for again in (below, above):
        with pytest.raises(GivenAway, match=again.path):
            Litestar([again])
