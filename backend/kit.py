"""What nearly every use case needs beside the transaction: keys, journal, budgets, numbers."""

from __future__ import annotations

from typing import NamedTuple

from backend.crypto import KeyRing
from backend.journal import Journal
from backend.limits import Limits
from backend.throttle import Throttle


class Kit(NamedTuple):
    """Made once by the composition root, handed to use cases beside `tx`, `by` and `now`."""

    keys: KeyRing
    journal: Journal
    throttle: Throttle
    limits: Limits

    @classmethod
    def of(cls, keys: KeyRing, limits: Limits) -> Kit:
        """The usual bundle over one ring of keys."""
        return cls(keys, Journal(keys), Throttle(keys), limits)
