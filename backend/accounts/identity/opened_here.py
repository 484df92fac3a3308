"""What a transaction has itself written of the account that it opens: it need not read that again to show it."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity.identity_rows import Own

OPENED = "accounts opened here"


def begin(tx: AsyncSession, account_id: UUID) -> None:
    """It has been opened just now, with no number and no phone yet."""
    tx.info.setdefault(OPENED, {})[account_id] = []


def wrote(tx: AsyncSession, account_id: UUID, own: Own) -> None:
    """One number or phone more."""
    if (written := of(tx, account_id)) is not None:
        written.append(own)


def of(tx: AsyncSession, account_id: UUID) -> list[Own] | None:
    """All of its numbers and phones; nothing of an account that was there before."""
    known: dict[UUID, list[Own]] = tx.info.get(OPENED, {})
    return known.get(account_id)


def forget(tx: AsyncSession, account_id: UUID) -> None:
    """It is not opened after all, or somebody else writes of it: whoever asks reads."""
    tx.info.get(OPENED, {}).pop(account_id, None)
