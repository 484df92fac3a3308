"""Which accounts are one person's: the one that is open, and those that it has taken over (case R26).

Rows go along with a join. What stays with the closed account is what happened: the journal, and sign-ins that are over.
Whoever asks for that, or names who it was, asks here whose it is.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.facts import AccountJoined, as_told
from backend.journal import Entry

JOINED = str(AccountJoined.__struct_config__.tag)
PART = 400


async def ever(tx: AsyncSession, people: Collection[UUID]) -> set[UUID]:
    """These, and the accounts that they have taken over."""
    found, new = set(people), set(people)
    while new:
        told, asked = set[UUID](), sorted(new)
        for start in range(0, len(asked), PART):
            some = Entry.subject.in_(asked[start : start + PART])
            for text in await tx.scalars(select(Entry.fact).where(some, Entry.tag == JOINED)):
                if isinstance(fact := as_told(JOINED, text), AccountJoined):
                    told.add(fact.absorbed)
        new = told - found
        found |= new
    return found


async def now_of(tx: AsyncSession, accounts: Collection[UUID]) -> dict[UUID, UUID]:
    """Of those accounts that were taken over: whose they are now."""
    into: dict[UUID, UUID] = {}
    new = set(accounts)
    while new:
        query = select(Account.id, Account.joined_into).where(Account.id.in_(new))
        rows = await tx.execute(query.where(Account.joined_into.is_not(None)))
        told = {row.id: row.joined_into for row in rows}
        new = set(told.values()) - into.keys()
        into |= told
    return {one: _last(one, into) for one in set(accounts) & into.keys()}


def _last(account: UUID, into: dict[UUID, UUID]) -> UUID:
    while account in into:
        account = into[account]
    return account
