"""A router that hangs in one application, as all of ours do; ngomon and the demo make theirs of it too."""

from __future__ import annotations

from litestar import Router


class GivenAway(RuntimeError):
    """A router was given to a second application: it would answer with what the first one has."""


class GivenOnce(Router):
    """Taken as it is, with all that hangs in it.

    The framework copies a router with everything below it, so that several applications may have it. That was two
    fifths of what it costs to make one.
    """

    __slots__ = ()

    def __deepcopy__(self, _: object) -> GivenOnce:
        """What the framework hangs in itself."""
        if self.owner is not None:
            raise GivenAway(f"{self.path} hangs in an application already")
        return self
