"""What a downstream system should hold of a person: a pure function of the person's roles (rule 701)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from uuid import UUID

import msgspec
from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.db import in_parts
from backend.kit import Kit
from backend.outbox.models import System
from backend.outside.connectors import Desired, GroupRef
from backend.roles import agencies, policy, staff
from backend.roles import draft as drafts
from backend.roles.catalogue.entries import Catalogue
from backend.roles.catalogue.in_force import in_force
from backend.roles.models import Role, StaffRecord, Unit
from backend.roles.scope import in_scope, scope_of

GRANTED = "role:"  # begins the code of a group that the catalogue grants; any other is a unit's


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


async def desired(
    tx: AsyncSession, kit: Kit, account_ids: Sequence[UUID], system: System
) -> dict[UUID, Desired]:
    """What `system` should hold of each of these people now; as many statements for a hundred as for one."""
    catalogue = await in_force(tx)
    rows = select(Account.id, Account.full_name, Account.status).where(Account.id.in_(account_ids))
    people = (await tx.execute(rows)).all()
    posts = await _posts(tx, kit, [one.id for one in people if one.status == "active"], system)
    states = {}
    for one in people:
        name = kit.keys.open("accounts.full_name", one.id, one.full_name)
        states[one.id] = state_of(one.id, name, posts.get(one.id, ()), catalogue, system.name)
    addresses = {account_id: state.email for account_id, state in states.items() if state.email}
    for account_id in await staff.given(tx, kit, addresses):
        states[account_id] = msgspec.structs.replace(states[account_id], address_proved=True)
    return states


async def posts_of(
    tx: AsyncSession,
    kit: Kit,
    account_id: UUID,
    system: System,
    *,
    without: Collection[UUID] = (),
    also: Collection[UUID] = (),
) -> list[Post]:
    """The person's roles in force within the system's scope; of a preview `without` some and `also` others."""
    found = await _posts(tx, kit, [account_id], system, without=without, also=also)
    return found.get(account_id, [])


async def _posts(
    tx: AsyncSession,
    kit: Kit,
    account_ids: Sequence[UUID],
    system: System,
    *,
    without: Collection[UUID] = (),
    also: Collection[UUID] = (),
) -> dict[UUID, list[Post]]:
    query = (
        select(Role, Unit)
        .join(Unit, Unit.id == Role.unit_id)
        .where(Role.account_id.in_(account_ids), or_(Role.state == policy.ACTIVE, Role.id.in_(also)))
        .where(Role.id.not_in(without))
        .order_by(Role.is_home.desc(), Role.id)
    )
    scope = await scope_of(tx, system)
    held = [(role, unit) for role, unit in await tx.execute(query) if in_scope(unit.path, scope)]
    places = await Places.of(tx, {unit.id: unit for _, unit in held}.values())
    found: dict[UUID, list[Post]] = {}
    for role, unit in held:
        post = places.post(drafts.fields_of(kit, role), role.subject_type, role.position, unit)
        found.setdefault(role.account_id, []).append(post)
    return found


async def post_of(
    tx: AsyncSession, fields: dict[str, str], subject_type: str, position: str, unit: Unit
) -> Post:
    """A post at `unit` with these form values."""
    return (await Places.of(tx, [unit])).post(fields, subject_type, position, unit)


class Places:
    """Of some units: the agency that each belongs to, and the name of its group."""

    def __init__(self, above: dict[UUID, Unit], bearers: dict[str, set[UUID]]) -> None:
        self._above, self._bearers = above, bearers

    @classmethod
    async def of(cls, tx: AsyncSession, units: Collection[Unit]) -> Places:
        """Read what stands above these units, and who bears their names."""
        if not units:
            return cls({}, {})
        above = await agencies.above(tx, units)
        same = select(Unit.id, Unit.name).where(Unit.name.in_({unit.name for unit in units}))
        bearers: dict[str, set[UUID]] = defaultdict(set)
        for row in await tx.execute(same.where(Unit.ended_on.is_(None))):
            bearers[row.name].add(row.id)
        return cls(above, bearers)

    def post(self, fields: dict[str, str], subject_type: str, position: str, unit: Unit) -> Post:
        """A post at one of them."""
        organization = agencies.agency_of(unit, self._above).name
        return Post(
            unit.code,
            unit.name,
            self._group_name(unit, organization),
            organization,
            subject_type,
            position,
            fields.get("employee_code") or None,
            fields.get("official_email") or None,
        )

    def _group_name(self, unit: Unit, organization: str) -> str:
        """The unit's name, with its agency's where another unit has the same: nearly every agency has an office."""
        if organization == unit.name or not self._bearers.get(unit.name, set()) - {unit.id}:
            return unit.name
        return f"{unit.name}, {organization}"


def _groups(posts: Sequence[Post], catalogue: Catalogue, system: str) -> list[GroupRef]:
    """One group per unit, externally known by the unit's code, and one per granted system role."""
    units = {post.unit_code: post.group_name for post in posts}
    grants = {
        GroupRef(f"{GRANTED}{grant.code}", grant.label)
        for post in posts
        for grant in catalogue.grants_of(post.subject_type, post.position, system)
    }
    found = [GroupRef(code, name) for code, name in units.items()]
    return sorted(found) + sorted(grants)


def words_of(group: GroupRef, catalogue: Catalogue) -> str:
    """What a group is called on our pages: a granted one as the reader's catalogue does, a unit's as the unit."""
    _, mark, code = group.external_id.partition(GRANTED)
    granted = catalogue.grants.get(code) if mark else None
    return granted.words if granted else group.display_name


async def leaving(tx: AsyncSession, kit: Kit, account_ids: Sequence[UUID]) -> dict[UUID, Desired]:
    """What a system that is taken away should hold of these people: nothing but that they are gone."""
    catalogue = await in_force(tx)
    rows = select(Account.id, Account.full_name).where(Account.id.in_(account_ids))
    found = {}
    for one in await tx.execute(rows):
        name = kit.keys.open("accounts.full_name", one.id, one.full_name)
        found[one.id] = state_of(one.id, name, (), catalogue, "")
    return found


async def our_groups(tx: AsyncSession, system: System, codes: Collection[str]) -> set[str]:
    """Which of these are groups of ours: of a unit that the system serves, or of what the catalogue grants there.

    Another source of the same system may call its groups as we do; what is not surely ours is left alone.
    """
    scope, catalogue = await scope_of(tx, system), await in_force(tx)
    rows = await tx.execute(select(Unit.code, Unit.path).where(Unit.code.in_(codes)))
    granted = {
        f"{GRANTED}{grant.code}" for grant in catalogue.grants.values() if grant.counts_at(system.name)
    }
    return {row.code for row in rows if in_scope(row.path, scope)} | granted.intersection(codes)


async def people_in_scope(tx: AsyncSession, system: System) -> list[tuple[UUID, int]]:
    """Everybody with a role in force within the system's scope, with the version of their roles; in no order."""
    scope = await scope_of(tx, system)
    query = (
        select(Account.id, Account.role_version, Unit.path)
        .join(Role, Role.account_id == Account.id)
        .join(Unit, Unit.id == Role.unit_id)
        .where(Role.state == policy.ACTIVE, Account.status == "active")
    )
    found: dict[UUID, int] = {}
    async for rows in in_parts(tx, query):
        found |= {account_id: version for account_id, version, path in rows if in_scope(path, scope)}
    return list(found.items())


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
