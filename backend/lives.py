"""How long something lives by a clock that nobody can set: of what a process saw begin, it also sees the end.

Moments in the database are the machine's wall clock, which is right across processes and restarts, and may jump.
Whatever must not live longer because of that asks here too (security TO10).
"""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import NamedTuple
from uuid import UUID

MOST = 20_000  # remembered at once; the province's budget of messages allows far fewer in ten minutes


class Life(NamedTuple):
    """Seconds of the process's own clock."""

    began: float
    ends: float


class Lives:
    """The lives that this process knows of, oldest first."""

    def __init__(self) -> None:
        self._known: OrderedDict[UUID, Life] = OrderedDict()

    def begin(self, name: UUID, seconds: float) -> None:
        """From now on, for so long."""
        now = time.monotonic()
        self._known[name] = Life(now, now + seconds)
        while len(self._known) > MOST:
            self._known.popitem(last=False)

    def lengthen(self, name: UUID, seconds: float, *, total: float) -> None:
        """For so long from now on, and never past `total` seconds from its beginning."""
        if (known := self._known.get(name)) is not None and known.ends > (now := time.monotonic()):
            self._known[name] = Life(known.began, min(now + seconds, known.began + total))

    def end(self, name: UUID) -> None:
        """It is over for good, also when a clock that was ahead is put right again."""
        self.begin(name, 0)

    def is_over(self, name: UUID) -> bool:
        """Whether it is known to be over."""
        known = self._known.get(name)
        return known is not None and known.ends <= time.monotonic()
