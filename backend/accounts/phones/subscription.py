"""What the carriers' registry says of a number before it is trusted with a way back, or with codes from now on."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from backend.account import Account
from backend.accounts.codes import otp
from backend.accounts.codes.code_rows import Code
from backend.accounts.door import Door
from backend.accounts.identity import following, numbers
from backend.kit import Kit
from backend.names import same_birth_date, same_name
from backend.outside.registries import RegistryUnavailable, Subscriber


async def ask(door: Door, phone: str, code: Code) -> Subscriber | None:
    """Who has the number; raises RegistryUnavailable, and then the right code that led here stays right."""
    try:
        return await door.registries.subscriber(phone)
    except RegistryUnavailable:
        await otp.give_back(door, code)
        raise


async def names(door: Door, found: Subscriber | None, account_id: UUID | None) -> bool:
    """Whether the registry names the account's person: number, name, and the birth date where we know one."""
    if found is None or not found.active or account_id is None:
        return False
    async with door.db.read() as tx:
        account = await tx.get_one(Account, account_id)
        name, birth = following.names_of(door.kit, account)
        number = found.national_id
        holder = await numbers.holder_of(tx, door.kit, number, numbers.kind_of(number))
    born = birth is None or same_birth_date(birth, found.birth_date)
    return holder == account.id and same_name(name, found.full_name) and born


def sim_is_fresh(kit: Kit, found: Subscriber | None, now: datetime) -> bool:
    """Whether the SIM was changed so lately that its holder need not be the number's owner (case TO20)."""
    changed = found.sim_changed_at if found is not None else None
    return changed is not None and now - changed < timedelta(seconds=kit.limits.sim_rest)
