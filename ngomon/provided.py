"""What handlers are given by name: parts of the product that stand ready."""

from __future__ import annotations

from typing import Any

from litestar import Litestar
from litestar.di import Provide
from litestar.routes import HTTPRoute


def provided(**values: Any) -> dict[str, Provide]:
    """Each under its name."""
    return {name: _ready(value) for name, value in values.items()}


def in_turn(app: Litestar) -> Litestar:
    """The application, with every handler given what it names one after another.

    The framework begins a task for each of several that could be waited for at once, and a group around them. Of ours
    one at most waits for anything, so the tasks would be all that it cost.
    """
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for _, model in route.route_handler_map.values():
                model.dependency_batches = [
                    {one}
                    for batch in model.dependency_batches
                    for one in sorted(batch, key=lambda one: one.key)
                ]
    return app


def _ready(value: Any) -> Provide:
    def give() -> Any:
        return value

    return Provide(give, sync_to_thread=False)
