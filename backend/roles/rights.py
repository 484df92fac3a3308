"""Who manages what, read from the database in the transaction that needs it (rules 613, 616)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.models import Identifier
from backend.alarms import alarm
from backend.db import after_commit
from backend.errors import Refusal
from backend.kit import Kit
from backend.roles import policy
from backend.roles.models import Manager, RequestStep, Role, RoleRequest, StaffRecord, Unit
from backend.roles.policy import Standing, UnitPost


async def blinds_of(tx: AsyncSession, kit: Kit, account_id: UUID) -> list[bytes]:
    """The blind indexes of the person's current personal number, under every live key."""
    number = (await national_ids_of(tx, kit, [account_id])).get(account_id)
    return kit.keys.blinds("national_id", number) if number else []


async def national_ids_of(tx: AsyncSession, kit: Kit, accounts: Iterable[UUID]) -> dict[UUID, str]:
    """Current personal numbers by account."""
    held = await tx.scalars(
        select(Identifier).where(
            Identifier.account_id.in_(set(accounts)),
            Identifier.kind == "national_id",
            Identifier.ended_at.is_(None),
        )
    )
    return {one.account_id: kit.keys.open("identifiers.value", one.id, one.value) for one in held}


async def managers_by_unit(tx: AsyncSession, units: Iterable[UUID] | None = None) -> dict[UUID, set[bytes]]:
    """The blind personal numbers of the current managers of some units, or of all."""
    query = select(Manager.unit_id, Manager.national_id_blind).where(Manager.decides())
    if units is not None:
        query = query.where(Manager.unit_id.in_(list(units)))
    found: dict[UUID, set[bytes]] = {}
    for row in await tx.execute(query):
        found.setdefault(row.unit_id, set()).add(row.national_id_blind)
    return found


async def alarm_of_vacancy(tx: AsyncSession, unit_id: UUID) -> None:
    """Somebody's right to decide for the unit has just ended: if it was the last one's, an operator is told."""
    if not await managers_by_unit(tx, [unit_id]):
        after_commit(tx, partial(alarm, "unit_without_manager"))


def decider(path: str, managers: dict[UUID, set[bytes]], own: set[bytes]) -> UUID | None:
    """The deciding unit on the way from a unit to its root, about somebody with these blind numbers."""
    way = [UUID(part) for part in reversed(path.strip("/").split("/")) if part]
    posts = [UnitPost(unit, unit in managers, not own.isdisjoint(managers.get(unit, ()))) for unit in way]
    return policy.deciding_unit(posts)


async def managed_by(tx: AsyncSession, kit: Kit, account_id: UUID, *, hold: bool = False) -> dict[UUID, str]:
    """The units that somebody manages now, id to path; `hold` keeps the right until the commit."""
    blinds = await blinds_of(tx, kit, account_id)
    if not blinds:
        return {}
    query = (
        select(Unit.id, Unit.path)
        .join(Manager, Manager.unit_id == Unit.id)
        .where(Manager.national_id_blind.in_(blinds), Manager.decides())
    )
    if hold:
        query = query.with_for_update(read=True, of=Manager)
    return {row.id: row.path for row in await tx.execute(query)}


async def deciding_unit(tx: AsyncSession, kit: Kit, unit_id: UUID, applicant: UUID) -> UUID | None:
    """The unit whose managers decide about `applicant` at `unit_id` (policy.deciding_unit)."""
    path = await tx.scalar(select(Unit.path).where(Unit.id == unit_id)) or ""
    managers = await managers_by_unit(tx, [UUID(part) for part in path.strip("/").split("/") if part])
    return decider(path, managers, set(await blinds_of(tx, kit, applicant)))


async def duties_of(
    tx: AsyncSession, kit: Kit, steps: Iterable[RequestStep], *, applicant: UUID, managed: Iterable[UUID]
) -> frozenset[str]:
    """Which of the steps, decided or not, fall to somebody who manages `managed`."""
    mine = set(managed)
    found = set()
    for step in steps:
        if mine and await deciding_unit(tx, kit, step.unit_id, applicant) in mine:
            found.add(step.duty)
    return frozenset(found)


async def why_not_take_over(
    tx: AsyncSession, kit: Kit, found: RoleRequest, steps: list[RequestStep], by: UUID, *, hold: bool = False
) -> Refusal | None:
    """The reason why somebody may neither correct nor withdraw a request, as things are now."""
    managed = await managed_by(tx, kit, by, hold=hold)
    return policy.why_not_take_over(
        is_subject=found.account_id == by,
        began_by_subject=found.created_by == found.account_id,
        concerned=bool(await duties_of(tx, kit, steps, applicant=found.account_id, managed=managed)),
    )


async def standing(
    tx: AsyncSession,
    kit: Kit,
    found: RoleRequest,
    steps: list[RequestStep],
    somebody: UUID,
    *,
    hold: bool = False,
) -> Standing:
    """How somebody stands towards a request: sees it, is its subject, may decide which duties."""
    managed = await managed_by(tx, kit, somebody, hold=hold)
    paths = (await tx.scalars(select(Unit.path).where(Unit.id.in_([step.unit_id for step in steps])))).all()
    is_subject = found.account_id == somebody  # whoever began it for another sees it while their units do
    within = any(path.startswith(top) for path in paths for top in managed.values())
    waiting = [step for step in steps if step.decision is None]
    frozen_at = await tx.scalar(select(Account.frozen_at).where(Account.id == found.account_id))
    return Standing(
        sees=is_subject or within,
        is_subject=is_subject,
        duties=await duties_of(tx, kit, waiting, applicant=found.account_id, managed=managed),
        frozen=frozen_at is not None,
        acted=any(step.by == somebody or (step.decision and step.unit_id in managed) for step in steps),
    )


async def units_managed(tx: AsyncSession, kit: Kit, account_id: UUID) -> list[Unit]:
    """The units that somebody manages, by code."""
    managed = await managed_by(tx, kit, account_id)
    return list(await tx.scalars(select(Unit).where(Unit.id.in_(managed)).order_by(Unit.code)))


async def askable(tx: AsyncSession, kit: Kit, account_id: UUID) -> list[str]:
    """Names of the units that decide about somebody's own posts, as the roles and the staff directory know them."""
    blinds = await blinds_of(tx, kit, account_id)
    held = select(Role.unit_id).where(Role.account_id == account_id, Role.state.in_(policy.HELD))
    there = (StaffRecord.national_id_blind.in_(blinds), StaffRecord.left_at.is_(None))
    listed = select(StaffRecord.unit_id).where(*there)
    posts = {*await tx.scalars(held), *await tx.scalars(listed)}
    deciding = {await deciding_unit(tx, kit, unit_id, account_id) for unit_id in posts} - {None}
    return list(await tx.scalars(select(Unit.name).where(Unit.id.in_(deciding)).order_by(Unit.name)))


async def is_within(tx: AsyncSession, unit_id: UUID, managed: dict[UUID, str]) -> bool:
    """Whether a unit is one of the managed ones or lies below one."""
    path = await tx.scalar(select(Unit.path).where(Unit.id == unit_id)) or ""
    return any(path.startswith(top) for top in managed.values())
