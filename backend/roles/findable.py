"""Whoever has, had or wanted a role is found by name, also when an earlier release wrote it (rule 912)."""

from __future__ import annotations

import asyncio
from uuid import UUID

from sqlalchemy import Select, exists, select, union

from backend.account import Account
from backend.accounts.identity import called
from backend.accounts.identity.called import NameWord
from backend.db import Database
from backend.kit import Kit
from backend.roles.models import Role, RoleRequest

BATCH = 200


async def fill(db: Database, kit: Kit) -> None:
    """Make findable who is not, a few in each transaction."""
    async with db.read() as tx:
        unfound = list(await tx.scalars(_unfound()))
    for start in range(0, len(unfound), BATCH):
        async with db.write() as tx:
            await called.make_findable(tx, kit, unfound[start : start + BATCH])
        await asyncio.sleep(0)


def _unfound() -> Select[UUID]:
    concerned = union(select(Role.account_id), select(RoleRequest.account_id))
    known = exists().where(NameWord.account_id == Account.id)
    return select(Account.id).where(Account.id.in_(concerned), Account.status == "active", ~known)
