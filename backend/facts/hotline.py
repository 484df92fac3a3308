"""What an operator did because the hotline was asked to."""

from __future__ import annotations

from uuid import UUID

from backend.facts.fact import Fact


class FreezeOrdered(Fact, tag="account.freeze_ordered", frozen=True, kw_only=True):
    """An operator let nobody in any more, as the hotline was asked to; why stands sealed in the notice of it."""

    notice: UUID
