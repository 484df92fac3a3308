"""Whoever has, had or wanted a role is found by name, also when an earlier release wrote it (rule 912)."""

from __future__ import annotations

import asyncio
from uuid import UUID

from sqlalchemy import Select, exists, select, union
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.identity import called
from backend.accounts.identity.called import NameWord
from backend.db import Database
from backend.journal import KeyPrint, KeyRetired
from backend.kit import Kit
from backend.roles.models import Role, RoleRequest
from backend.trouble import apart

BATCH = 200


async def fill(db: Database, kit: Kit) -> None:
    """Make findable who is not, a few in each transaction. Raises KeyRetired."""
    async with db.read() as tx:
        unfound = list(await tx.scalars(_unfound()))
    for start in range(0, len(unfound), BATCH):
        async with db.write() as tx:
            await _hold_key(tx, kit)
            for one in unfound[start : start + BATCH]:
                with apart("names", one):
                    await called.make_findable(tx, kit, [one])
        await asyncio.sleep(0)


async def _hold_key(tx: AsyncSession, kit: Kit) -> None:
    """A key that was given up makes no index, and none is given up beside this; no entry of the journal asks here."""
    query = select(KeyPrint).where(KeyPrint.key_id == kit.keys.newest).with_for_update(read=True)
    known = await tx.scalar(query)
    if known is not None and known.retired_at is not None:
        raise KeyRetired(known.key_id)


def _unfound() -> Select[UUID]:
    concerned = union(select(Role.account_id), select(RoleRequest.account_id))
    known = exists().where(NameWord.account_id == Account.id)
    return select(Account.id).where(Account.id.in_(concerned), Account.status == "active", ~known)
