"""What the app shows a person before anything else: told with the act that it is about (source 004, 2)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import new_id
from backend.kit import Kit
from backend.support.models import Notice


def tell(tx: AsyncSession, kit: Kit, account_id: UUID, kind: str, *, now: datetime, **details: str) -> Notice:
    """Leave a notice of `kind` for one person, in the transaction of the act; `details` are sealed."""
    notice = Notice(id=new_id(), account_id=account_id, kind=kind, at=now, is_denied=False)
    if details:
        notice.details = kit.keys.seal("notices.details", notice.id, msgspec.json.encode(details).decode())
    tx.add(notice)
    return notice
