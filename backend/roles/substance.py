"""What an account is at one moment, so that somebody who judged it then is not taken to have judged it later (R26).

Identifiers, versions and times of everything that makes the account what it is, and nothing of a person. That somebody
signs in changes nothing of it.
"""

from __future__ import annotations

import hashlib
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.models import Certificate, Identifier, Identity, Password, Phone
from backend.roles.models import Role, RoleRequest

ACCOUNT = (
    Account.status,
    Account.version,
    Account.role_version,
    Account.vouched_by,
    Account.frozen_at,
    Account.recovery_frozen_at,
    Account.phone_changed_at,
    Account.recovered_at,
    Account.vneid_at,
    Account.certificate_at,
)
PARTS = (
    (Identifier.account_id, (Identifier.id, Identifier.ended_at)),
    (Identity.account_id, (Identity.id, Identity.level)),
    (Phone.account_id, (Phone.id, Phone.is_main, Phone.ended_at, Phone.kept_until)),
    (Certificate.account_id, (Certificate.id, Certificate.ended_at, Certificate.kept_until)),
    (Password.account_id, (Password.account_id, Password.changed_at, Password.kept_until)),
    (Role.account_id, (Role.id, Role.state, Role.unit_id)),
    (RoleRequest.account_id, (RoleRequest.id, RoleRequest.status, RoleRequest.version)),
)


async def of(tx: AsyncSession, account_id: UUID) -> str:
    """A digest that is another one after any change of substance; the caller holds the account."""
    await tx.flush()
    said: list[object] = [tuple((await tx.execute(select(*ACCOUNT).where(Account.id == account_id))).one())]
    for owner, columns in PARTS:
        rows = await tx.execute(select(*columns).where(owner == account_id).order_by(columns[0]))
        said.append([tuple(row) for row in rows])
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()
