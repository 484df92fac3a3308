"""What handlers say of themselves, for those who have to know it before the framework has found the handler.

The edge and the door stand in front of the router.
"""

from __future__ import annotations

from typing import NamedTuple

from litestar import Litestar
from litestar.routes import HTTPRoute
from litestar.types.internal_types import PathParameterDefinition

from backend.openness import Openness


class Said(NamedTuple):
    """How open a call is, and whether a body of some kibibytes is all that it takes, or a file (rule 805)."""

    open_to: Openness = Openness.SESSION
    short: bool = False
    upload: bool = False


CLOSED = Said()


class _Place:
    """What stands at one address, and what lies below it."""

    def __init__(self) -> None:
        self.below: dict[str, _Place] = {}
        self.any: _Place | None = None  # below a parameter
        self.takes_rest = False
        self.said: dict[str, Said] = {}
        self.around: set[Openness] = set()  # of everything that is served here and below

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
        """What the handler of this call says.

        Of what nobody serves the router tells whoever comes in there: it is open where all that is served around it
        is open in one way, and closed elsewhere.
        """
        place = served = self._top
        for part in path.split("/")[1:]:
            below = place.below.get(part, place.any)
            if below is None:
                return _alone(served.around)
            place = below
            served = place if place.said else served
            if place.takes_rest:
                break
        return place.said.get(method) or _alone(served.around)

    def methods(self, path: str) -> str:
        """What the handlers of this address answer to, as `Allow` says it; nothing where there is none."""
        place = self._top
        for part in path.split("/")[1:]:
            below = place.below.get(part, place.any)
            if below is None:
                return ""
            place = below
            if place.takes_rest:
                break
        named = {*place.said, "OPTIONS", *(["HEAD"] if "GET" in place.said else [])}
        return ", ".join(sorted(named)) if place.said else ""

    def openness_of(self, method: str, path: str) -> Openness:
        """How open this call is."""
        return self.said(method, path).open_to

    def _add(self, route: HTTPRoute) -> None:
        place = self._top
        way = [place]
        for part in route.path_components:
            place = place.at(part)
            way.append(place)
        for method, (handler, _) in route.route_handler_map.items():
            if method != "OPTIONS":  # the framework's own
                opt = handler.opt
                said = Said(
                    opt.get("open_to", Openness.SESSION), opt.get("short", False), opt.get("upload", False)
                )
                place.said[method] = said
                for above in way:
                    above.around.add(place.said[method].open_to)


def _alone(around: set[Openness]) -> Said:
    """How open they are, if in one way; what a replaced device may still do is one call, and nothing beside it."""
    found = next(iter(around), Openness.SESSION)
    return Said(found) if len(around) == 1 and found.is_open else CLOSED
