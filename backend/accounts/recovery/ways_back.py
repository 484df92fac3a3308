"""Whose code a recovery sends, and where; and who has no way back but VNeID (rules 170, 172, 105; cases A02, A06).

Whoever has somebody's SIM and card could set the first password of an account that never had one, and be in. So a
recovery renews a password that is there, and of a role's holder none.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.door import Door
from backend.accounts.identity import numbers, people
from backend.accounts.identity.evidence import SUBSCRIBER, SURE
from backend.accounts.models import Certificate, Identity
from backend.accounts.passwords import passwords
from backend.errors import Conflict
from backend.outside.clock import local_day

USE_VNEID = "use_vneid"


class UseVneid(Conflict):
    """The account has no password that could be renewed, or its person holds a role: VNeID leads in."""

    code = USE_VNEID
    title = "Tài khoản này không lấy lại mật khẩu bằng số điện thoại. Hãy đăng nhập bằng VNeID"


async def leads_to_vneid(tx: AsyncSession, door: Door, account_id: UUID) -> bool:
    """Whether a code brings this account no password."""
    return await passwords.current(tx, account_id) is None or await door.holds_role(tx, account_id)


async def is_unproved(tx: AsyncSession, door: Door, account_id: UUID) -> bool:
    """Whether the number for codes took another's place by a session's word alone: no registry has confirmed it, and
    its owner has not come by VNeID or a certificate since.

    An official mailbox asks no registry, so whoever held an unlocked phone for a minute would open it (rule 162).
    """
    changed = (await tx.get_one(Account, account_id)).phone_changed_at
    main = (await people.phones_of(tx, account_id))[:1]
    if changed is None or all(row.source == SUBSCRIBER for row in main):
        return False
    vneid = select(Identity.id).where(Identity.account_id == account_id, Identity.last_used_at > changed)
    sure = vneid.where(Identity.level >= SURE, Identity.issuer != door.settings.post_office.issuer)
    signed = select(Certificate.id).where(
        Certificate.account_id == account_id, Certificate.last_used_at > changed
    )
    return await tx.scalar(sure.limit(1)) is None and await tx.scalar(signed.limit(1)) is None


async def receiver(
    tx: AsyncSession, door: Door, number: str | None, mail: str | None, *, now: datetime
) -> tuple[UUID | None, str | None]:
    """Whose code it is and where it goes; two times nothing for nobody.

    The code of an official mail goes to a phone of somebody whom VNeID or a certificate vouches for, else to the number
    that the directory names for the address: an account that others opened says nothing about a mailbox (A02).
    """
    if mail is not None:
        holder = await door.holder_of_mail(tx, door.kit, mail, local_day(now))
        if holder is None:
            return None, None
        account_id, listed = holder.account_id, holder.phone
    else:
        assert number is not None
        account_id, listed = await numbers.holder_of_any(tx, door.kit, number), None
    somebody = account_id or UUID(int=0)  # the same questions for nobody: how long they take says nothing
    account = await tx.get(Account, somebody)
    phones = await people.phones_of(tx, somebody)
    if account is None or (mail is not None and not account.is_owned):
        return None, listed
    closed = account.status != "active" or account.frozen_at is not None
    if closed or (mail is None and account.recovery_frozen_at is not None):
        return account_id, None
    return account_id, people.number_of(door.kit, phones[0]) if phones else listed
