"""What somebody states of themselves while an account is opened, without evidence for it yet."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts import attributes
from backend.accounts.models import Attribute
from backend.db import new_id
from backend.errors import FieldError
from backend.kit import Kit


def email(text: str | None, *, now: datetime) -> str | FieldError | None:
    """The address as it is kept, what is wrong with it under `email`, or nothing where nothing was stated."""
    if text is None or not text.strip():
        return None
    value = attributes.checked("email", text, today=now.date())
    return FieldError("email", value.code, value.message) if isinstance(value, FieldError) else value


def put(tx: AsyncSession, kit: Kit, account_id: UUID, name: str, value: str, *, now: datetime) -> None:
    """Keep one attribute of a new account."""
    row = Attribute(id=new_id(), account_id=account_id, name=name, source="self", updated_at=now)
    row.value = kit.keys.seal("attributes.value", row.id, value)
    tx.add(row)
