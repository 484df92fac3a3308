"""What an operator has laid down and not yet said yes to: read, sealed, and gone after a day (rule 641)."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import String
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from backend.db import Base, UtcDateTime, new_id
from backend.errors import NotFound
from backend.kit import Kit
from backend.retention import Life
from backend.sealed import Whose, sealed

LASTS = timedelta(days=1)
REORGANISE = "reorganise"


class UploadGone(NotFound):
    """Nobody laid that down, somebody else did, or it was more than a day ago."""

    code = "upload_gone"
    title = "Tệp này không còn: tệp được giữ một ngày cho riêng người đã tải lên; hãy tải lại"


class Upload(Base):
    """One file as it was read, or the plan that was made of it."""

    __tablename__ = "uploads"
    retention = Life("at", LASTS)
    whose = Whose("account_id")

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    account_id: Mapped[UUID] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(String(12))
    content: Mapped[bytes] = sealed(
        passing=True, withheld="it lives for a day, and is about others than the one who laid it down"
    )
    at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


def lay(tx: AsyncSession, kit: Kit, kind: str, content: str, *, by: UUID, now: datetime) -> UUID:
    """Keep it for whoever laid it down; where it is found again."""
    row = new_id()
    sealed_ = kit.keys.seal("uploads.content", row, content)
    tx.add(Upload(id=row, account_id=by, kind=kind, content=sealed_, at=now))
    return row


async def read(
    tx: AsyncSession, kit: Kit, upload_id: UUID, kind: str, *, by: UUID, now: datetime
) -> tuple[str, datetime]:
    """What was laid down, and when; raises UploadGone."""
    found = await tx.get(Upload, upload_id)
    if found is None or (found.account_id, found.kind) != (by, kind) or found.at + LASTS < now:
        raise UploadGone
    return kit.keys.open("uploads.content", found.id, found.content), found.at


async def forget(tx: AsyncSession, upload_id: UUID) -> None:
    """It has been acted on."""
    found = await tx.get(Upload, upload_id)
    if found is not None:
        await tx.delete(found)
