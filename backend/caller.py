"""Who calls, as the door has found out before a use case is asked (rules 303, 306, 802)."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from backend.errors import Unproved


class Who(NamedTuple):
    """Somebody who is signed in on a phone."""

    account_id: UUID
    session_id: UUID
    kind: str
    level: int
    authenticated_at: datetime
    version: int
    jkt: str | None
    method: str


class Caller(NamedTuple):
    """One call: when, by which device key, from which network address, and by whom if somebody is signed in."""

    now: datetime
    jkt: str | None = None  # the thumbprint (RFC 7638) of the key that the call has proved
    address: str = ""
    who: Who | None = None

    @property
    def me(self) -> Who:
        """Whoever is signed in; raises Unproved when nobody is."""
        if self.who is None:
            raise Unproved
        return self.who
