"""Whose account a role of a file would fall to, and what stands in the way (cases O15; R30)."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.identity.evidence import IMPORTED
from backend.accounts.identity.following import names_of
from backend.accounts.identity.numbers import NATIONAL_ID
from backend.accounts.models import Identifier
from backend.kit import Kit
from backend.names import same_birth_date, same_name
from backend.roles import policy, rows
from backend.roles.catalogue.entries import Catalogue
from backend.roles.models import Role, RoleRequest, Unit
from backend.roles.staff_rows import StaffPerson

STRANGER = "account_differs"
UNPROVED = "account_unproved"
CLOSED = "account_shut"


class Holder(NamedTuple):
    """Who has an account under a number; `home` is the unit of the home role, now or from a day to come."""

    account: Account
    home: str | None
    has_open: bool


async def holders_of(tx: AsyncSession, kit: Kit, numbers: Collection[str]) -> dict[str, Holder]:
    """Who has an account under these personal numbers, with the home role and whether a request is open."""
    blinds = {blind: number for number in numbers for blind in kit.keys.blinds("national_id", number)}
    held = (
        select(Identifier.blind, Account)
        .join(Account, Account.id == Identifier.account_id)
        .where(
            Identifier.kind == NATIONAL_ID, Identifier.blind.in_(list(blinds)), Identifier.ended_at.is_(None)
        )
    )
    found = {
        blinds[blind]: account for blind, account in await tx.execute(held.execution_options(**rows.FRESH))
    }
    ids = [account.id for account in found.values()]
    homes = select(Role.account_id, Unit.code).join(Unit, Unit.id == Role.unit_id)
    homes = homes.where(Role.account_id.in_(ids), Role.is_home, Role.state.in_(policy.HELD))
    home = {account_id: code for account_id, code in await tx.execute(homes)}  # noqa: C416
    asked = select(RoleRequest.account_id).where(
        RoleRequest.account_id.in_(ids), RoleRequest.status.in_(policy.OPEN)
    )
    asking = set(await tx.scalars(asked))
    return {number: Holder(one, home.get(one.id), one.id in asking) for number, one in found.items()}


def why_not(kit: Kit, catalogue: Catalogue, holder: Holder, person: StaffPerson, subject_type: str) -> str:
    """The reason why this account gets no role of the file, a code: it is somebody else's, or may be."""
    account = holder.account
    name, born = names_of(kit, account)
    if account.status != "active":
        return CLOSED
    if not same_name(name, person.full_name) or not (
        born is None or same_birth_date(born, person.birth_date)
    ):
        return STRANGER
    if holder.home is not None or (account.vouched_by == IMPORTED and not account.is_owned):
        return ""
    vneid, certificate = account.vneid_at is not None, account.certificate_at is not None
    by = catalogue.vouched_by(subject_type)
    unproved = policy.why_not_vouched(vneid=vneid, certificate=certificate, by=by)
    return UNPROVED if unproved else ""


async def addresses_of(tx: AsyncSession, kit: Kit, mails: Collection[str]) -> dict[str, set[UUID]]:
    """Whose roles have these official addresses, now or from a day to come."""
    blinds = {blind: mail for mail in mails if mail for blind in kit.keys.blinds("official_email", mail)}
    query = select(Role.email_blind, Role.account_id).where(
        Role.email_blind.in_(list(blinds)), Role.state.in_(policy.HELD)
    )
    found: dict[str, set[UUID]] = {}
    for blind, account_id in await tx.execute(query):
        if blind is not None:
            found.setdefault(blinds[blind], set()).add(account_id)
    return found
