"""How long something lives by a clock that nobody can set: of what a process saw begin, it also sees the end.

Moments in the database are the machine's wall clock, which is right across processes and restarts, and may jump.
Whatever must not live longer because of that asks here too (case TO10).
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Hashable
from datetime import timedelta

MOST = 20_000  # remembered at once; the province's budget of messages allows far fewer in ten minutes


class Lives:
    """The lives that this process knows of, oldest first; its own clock is shifted by `ahead` seconds (zero
    outside tests).
    """

    def __init__(self) -> None:
        self._ends: OrderedDict[Hashable, float] = OrderedDict()
        self._asked: dict[str, float] = {}
        self.ahead = 0.0

    def begin(self, name: Hashable, seconds: float) -> None:
        """From now on, for so long."""
        self._ends[name] = self._now() + seconds
        while len(self._ends) > MOST:
            self._ends.popitem(last=False)

    def end(self, name: Hashable) -> None:
        """It is over for good, also when a clock that was ahead is put right again."""
        self.begin(name, 0)

    def is_over(self, name: Hashable) -> bool:
        """Whether it is known to be over."""
        return self._ends.get(name, math.inf) <= self._now()

    def since_last(self, name: str) -> timedelta:
        """What has passed in this process since this was asked before; nothing the first time."""
        now = self._now()
        passed = now - self._asked.get(name, now)
        self._asked[name] = now
        return timedelta(seconds=passed)

    def _now(self) -> float:
        return time.monotonic() + self.ahead
