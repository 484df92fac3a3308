"""Deliveries under way as connectors are handed them: one that is ours, and one that is another's by now."""

from __future__ import annotations

from uuid import UUID

from backend.outside.connectors import Errand


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


mine, not_mine = Errand(UUID(int=1), 1, yes), Errand(UUID(int=1), 1, no)
