"""What a call costs before its handler begins: neither a thread nor a task of the framework's."""

from __future__ import annotations

from pathlib import Path

import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from litestar.utils.sync import AsyncCallable

from backend.crypto import new_secret_key
from backend.environment import load
from ngomon.app import create_app


@pytest.fixture
def app(tmp_path: Path) -> Litestar:
    url = f"sqlite+aiosqlite:///{tmp_path / 'n.db'}"
    return create_app(load({"NGOMON_DATABASE_URL": url, "NGOMON_SECRET_KEYS": new_secret_key()})).litestar


def handlers(app: Litestar) -> list[HTTPRouteHandler]:
    found = [one for route in app.routes if isinstance(route, HTTPRoute) for one in route.route_handlers]
    assert len(found) > 200
    return found


def test_no_guard_is_run_by_a_thread(app: Litestar) -> None:
    guards = {guard for handler in handlers(app) for guard in handler.resolve_guards()}
    assert len(guards) > 5
    assert not [guard for guard in guards if isinstance(guard, AsyncCallable)]


def test_what_handlers_are_given_is_given_in_turn_and_begins_no_tasks(app: Litestar) -> None:
    models = [
        model
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for _, model in route.route_handler_map.values()
    ]
    batches = [batch for model in models for batch in model.dependency_batches]
    assert len(batches) > 500
    assert {len(batch) for batch in batches} == {1}
