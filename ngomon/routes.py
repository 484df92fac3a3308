"""What handlers say of themselves, for those who have to know it before the framework has found the handler.

The edge and the door stand in front of the router. An address that no handler serves says nothing, and is closed.
"""

from __future__ import annotations

from typing import NamedTuple

from litestar import Litestar
from litestar.routes import HTTPRoute
from litestar.types.internal_types import PathParameterDefinition

from backend.openness import Openness


class Said(NamedTuple):
    """How open a call is, and whether a body of some kibibytes is all that it takes (rule 805)."""

    open_to: Openness = Openness.SESSION
    short: bool = False


CLOSED = Said()


class _Place:
    """What stands at one address, and what lies below it."""

    def __init__(self) -> None:
        self.below: dict[str, _Place] = {}
        self.any: _Place | None = None  # below a parameter
        self.takes_rest = False
        self.said: dict[str, Said] = {}

    def at(self, part: str | PathParameterDefinition) -> _Place:
        """The place below, made if there is none yet."""
        if isinstance(part, str):
            return self.below.setdefault(part, _Place())
        self.any = self.any or _Place()
        self.any.takes_rest = part.full.endswith(":path")
        return self.any


class Routes:
    """Every handler of an application by method and address."""

    def __init__(self, app: Litestar) -> None:
        self._top = _Place()
        for route in app.routes:
            if isinstance(route, HTTPRoute):
                self._add(route)

    def said(self, method: str, path: str) -> Said:
        """What the handler of this call says; a method that the address lacks is as open as what it has."""
        place: _Place | None = self._top
        for part in path.rstrip("/").split("/")[1:]:
            place = place.below.get(part, place.any) if place is not None else None
            if place is None or place.takes_rest:
                break
        if place is None:
            return CLOSED
        all_here = set(place.said.values())
        return place.said.get(method) or (all_here.pop() if len(all_here) == 1 else CLOSED)

    def openness_of(self, method: str, path: str) -> Openness:
        """How open this call is."""
        return self.said(method, path).open_to

    def _add(self, route: HTTPRoute) -> None:
        place = self._top
        for part in route.path_components:
            place = place.at(part)
        for method, (handler, _) in route.route_handler_map.items():
            if method != "OPTIONS":  # the framework's own
                opt = handler.opt
                place.said[method] = Said(opt.get("open_to", Openness.SESSION), opt.get("short", False))
