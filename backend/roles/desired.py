"""What a downstream system should hold of a person: a pure function of the person's roles (rule 701)."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import msgspec
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.kit import Kit
from backend.outbox.models import System
from backend.outside.connectors import Desired, GroupRef
from backend.roles import draft as drafts
from backend.roles import policy, staff
from backend.roles.catalogue.entries import Catalogue
from backend.roles.catalogue.in_force import in_force
from backend.roles.models import Role, StaffRecord, Unit
from backend.roles.scope import in_scope, scope_of


class Post(msgspec.Struct, frozen=True):
    """One role in force, as far as other systems care; home roles come first."""

    unit_code: str
    unit_name: str
    group_name: str
    organization: str
    subject_type: str
    position: str
    employee_code: str | None
    email: str | None


def state_of(
    account_id: UUID, full_name: str, posts: Sequence[Post], catalogue: Catalogue, system: str
) -> Desired:
    """What follows from the posts within a system's scope; without any the person is inactive there."""
    if not posts:
        return Desired(
            external_id=str(account_id), user_name=str(account_id), full_name=full_name, active=False
        )
    first = posts[0]
    return Desired(
        external_id=str(account_id),
        user_name=first.email or str(account_id),
        full_name=full_name,
        title=str(catalogue.position_label(first.position)),
        employee_number=first.employee_code,
        email=first.email,
        organization=first.organization,
        department=first.unit_name,
        unit_code=first.unit_code,
        groups=_groups(posts, catalogue, system),
        active=True,
    )


async def desired(tx: AsyncSession, kit: Kit, account_id: UUID, system: System) -> Desired:
    """What `system` should hold of the person now."""
    account = (await tx.execute(select(Account).where(Account.id == account_id))).scalar_one()
    name = kit.keys.open("accounts.full_name", account.id, account.full_name)
    is_active, catalogue = account.status == "active", await in_force(tx)
    posts = await posts_of(tx, kit, account_id, system) if is_active else []
    state = state_of(account_id, name, posts, catalogue, system.name)
    proved = state.email is not None and await staff.gives(tx, kit, account_id, state.email)
    return msgspec.structs.replace(state, address_proved=proved)


async def posts_of(tx: AsyncSession, kit: Kit, account_id: UUID, system: System) -> list[Post]:
    """The person's roles in force within the system's scope."""
    query = (
        select(Role, Unit)
        .join(Unit, Unit.id == Role.unit_id)
        .where(Role.account_id == account_id, Role.state == policy.ACTIVE)
        .order_by(Role.is_home.desc(), Role.id)
    )
    scope = await scope_of(tx, system)
    found = []
    for role, unit in await tx.execute(query):
        if in_scope(unit.path, scope):
            found.append(
                await post_of(tx, drafts.fields_of(kit, role), role.subject_type, role.position, unit)
            )
    return found


async def post_of(
    tx: AsyncSession, fields: dict[str, str], subject_type: str, position: str, unit: Unit
) -> Post:
    """A post at `unit` with these form values."""
    organization = await _organization(tx, unit)
    return Post(
        unit.code,
        unit.name,
        await _group_name(tx, unit, organization),
        organization,
        subject_type,
        position,
        fields.get("employee_code") or None,
        fields.get("official_email") or None,
    )


async def _organization(tx: AsyncSession, unit: Unit) -> str:
    """The agency that a unit belongs to (rule 701): of the second level, else the nearest, else the root."""
    way = [UUID(part) for part in reversed(unit.path.strip("/").split("/"))]
    above = {one.id: one for one in await tx.scalars(select(Unit).where(Unit.id.in_(way)))}
    units = [above[unit_id] for unit_id in way if unit_id in above] or [unit]
    agencies = [one for one in units if one.agency_code]
    second = [one for one in agencies if (one.agency_code or "").count(".") == 1]
    return (second or agencies or units[-1:])[0].name


async def _group_name(tx: AsyncSession, unit: Unit, organization: str) -> str:
    """The unit's name, with its agency's where another unit has the same: nearly every agency has an office."""
    same = select(Unit.id).where(Unit.name == unit.name, Unit.id != unit.id, Unit.ended_on.is_(None))
    if organization == unit.name or await tx.scalar(same.limit(1)) is None:
        return unit.name
    return f"{unit.name}, {organization}"


def _groups(posts: Sequence[Post], catalogue: Catalogue, system: str) -> list[GroupRef]:
    """One group per unit, externally known by the unit's code, and one per granted system role."""
    units = {post.unit_code: post.group_name for post in posts}
    grants = {
        GroupRef(f"role:{grant.code}", grant.label)
        for post in posts
        for grant in catalogue.grants_of(post.subject_type, post.position, system)
    }
    found = [GroupRef(code, name) for code, name in units.items()]
    return sorted(found) + sorted(grants)


async def people_in_scope(tx: AsyncSession, system: System) -> list[tuple[UUID, int]]:
    """Everybody with a role in force within the system's scope, with the version of their roles."""
    scope = await scope_of(tx, system)
    query = (
        select(Account.id, Account.role_version, Unit.path)
        .join(Role, Role.account_id == Account.id)
        .join(Unit, Unit.id == Role.unit_id)
        .where(Role.state == policy.ACTIVE, Account.status == "active")
    )
    rows = await tx.execute(query)
    return sorted({(account_id, version) for account_id, version, path in rows if in_scope(path, scope)})


async def listed_in_scope(tx: AsyncSession, system: System) -> int:
    """How many people the staff directory has within the system's scope: most have no role yet (O10)."""
    scope = await scope_of(tx, system)
    query = (
        select(Unit.path, func.count())
        .join(StaffRecord, StaffRecord.unit_id == Unit.id)
        .where(StaffRecord.left_at.is_(None))
        .group_by(Unit.path)
    )
    return sum(count for path, count in await tx.execute(query) if in_scope(path, scope))
