"""What nearly every use case needs beside the transaction: keys, journal, budgets, numbers."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.branding.brand import Brand, shipped
from backend.crypto import KeyRing
from backend.facts import Operator
from backend.journal import Journal
from backend.limits import Limits
from backend.lives import Lives
from backend.throttle import Throttle
from backend.working_days import WorkingDays
from backend.working_days import shipped as usual_days


class Phones(Protocol):
    """Whatever pushes to the phones of one account."""

    def tell_after(self, tx: AsyncSession, account_id: UUID, kind: str, title: str, *, now: datetime) -> None:
        """Push `title` when this transaction has been committed."""

    async def tell_left(
        self, tx: AsyncSession, account_id: UUID, kind: str, title: str, *, now: datetime
    ) -> None:
        """The same to those alone whom this transaction has signed out; where none of them can be reached, nothing."""


class Kit(NamedTuple):
    """Made once by the composition root, handed to use cases beside `tx`, `by` and `now`."""

    keys: KeyRing
    journal: Journal
    throttle: Throttle
    limits: Limits
    lives: Lives
    brand: Brand
    days: WorkingDays
    phones: Phones | None = None  # a command pushes nothing: what it tells is read in the app

    @classmethod
    def of(
        cls,
        keys: KeyRing,
        limits: Limits,
        phones: Phones | None = None,
        operator: Operator | None = None,
        brand: Brand | None = None,
        days: WorkingDays | None = None,
    ) -> Kit:
        """The usual bundle over one ring of keys; `operator` runs the command that asks for it."""
        journal, throttle = Journal(keys, operator), Throttle(keys)
        return cls(keys, journal, throttle, limits, Lives(), brand or shipped(), days or usual_days(), phones)
