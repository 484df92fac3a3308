"""How a manager wants to hear that something waits: each way can be switched off (rule 628)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Date, ForeignKey, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from backend.account import Account
from backend.db import Base, insert_into
from backend.retention import Stays
from backend.sealed import Whose
from backend.statements import Question, given


class Hearing(Base):
    """What one person has chosen; without a row everything is on."""

    __tablename__ = "manager_hearing"
    retention = Stays("what somebody has chosen, as long as the account is there")
    whose = Whose("account_id")

    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    by_push: Mapped[bool] = mapped_column(server_default=true())
    by_mail: Mapped[bool] = mapped_column(server_default=true())
    mailed_on: Mapped[date | None] = mapped_column(Date)  # the day of the last mail, or of the last look


class Quiet(NamedTuple):
    """Somebody who wants no push."""

    account_id: UUID


QUIET = Question(
    Quiet,
    select(Hearing.account_id).where(
        Hearing.account_id == given("account", Account.id), Hearing.by_push.is_(False)
    ),
)


class Choice(NamedTuple):
    """A push at once, and a mail in the morning."""

    by_push: bool = True
    by_mail: bool = True


async def of(tx: AsyncSession, account_id: UUID) -> Choice:
    """What somebody has chosen."""
    row = await tx.get(Hearing, account_id)
    return Choice(row.by_push, row.by_mail) if row else Choice()


async def choose(tx: AsyncSession, account_id: UUID, choice: Choice) -> None:
    """From now on, so."""
    said = choice._asdict()
    row = insert_into(tx, Hearing).values(account_id=account_id, **said)
    await tx.execute(row.on_conflict_do_update(index_elements=["account_id"], set_=said))


async def without_push(tx: AsyncSession, accounts: Collection[UUID]) -> set[UUID]:
    """Those of some people who want no push."""
    return {one for one in accounts if await QUIET.maybe(tx, account=one) is not None}
