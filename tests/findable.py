"""Who has to be found by name, worked out anew: every word of the name, opened, and each of its beginnings."""

from __future__ import annotations

import re
from functools import lru_cache
from uuid import UUID

from sqlalchemy import select, union
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.identity.called import NameWord
from backend.crypto import KeyRing
from backend.kit import Kit
from backend.names import folded
from backend.roles.models import Role, RoleRequest


async def unfindable(tx: AsyncSession, kit: Kit) -> list[str]:
    """Everybody with a role or a request who is found by other words than those of the name."""
    words: dict[UUID, set[bytes]] = {}
    for row in await tx.execute(select(NameWord.account_id, NameWord.blind)):
        words.setdefault(row.account_id, set()).add(row.blind)
    concerned = union(select(Role.account_id), select(RoleRequest.account_id), select(NameWord.account_id))
    query = select(Account.id, Account.status, Account.full_name).where(Account.id.in_(concerned))
    found = []
    for account_id, status, name in await tx.execute(query):
        now = words.get(account_id, set())
        if status == "active" and now not in _wanted(kit.keys, account_id, name):
            found.append(f"account {account_id} is not found by the words of its name")
        elif status != "active" and now:
            found.append(f"account {account_id} is closed and still found by name")
    return found


@lru_cache(maxsize=4096)
def _wanted(keys: KeyRing, account_id: UUID, sealed: bytes) -> list[set[bytes]]:
    """Under each key, all of them under one."""
    name = folded(keys.open("accounts.full_name", account_id, sealed))
    words = list(dict.fromkeys(word[:12] for word in re.findall(r"\w+", name)))[:16]
    starts = {word[:end] for word in words for end in range(1, len(word) + 1)}
    return [{keys.mac("blind:name_word", one.encode(), key)[:8] for one in starts} for key in keys.key_ids]
