"""What somebody holds at once: posts beside each other, how many, and which do not go together (rule 619, case R11).

Asked when it is wished for, shown before the word, and asked again at the click.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.errors import Conflict
from backend.roles import beside, policy
from backend.roles.catalogue.entries import Catalogue, Incompatible
from backend.roles.models import Role, RoleRequest
from backend.roles.movements import Fate, Movement, Where, of


class IncompatiblePosts(Conflict):
    """One person does not hold these two at once; `posts` names them."""

    code = "incompatible_roles"
    title = "Một người không được giữ cùng lúc hai chức vụ này"


class ConcurrentLimit(Conflict):
    """As many posts beside the home post as the catalogue allows; `most` says how many."""

    code = "concurrent_limit"
    title = "Người này đã kiêm nhiệm đủ số chức vụ cho phép"


async def others_of(tx: AsyncSession, account_id: UUID, role: Role | None, move: Movement) -> list[Role]:
    """What the person holds or will hold beside what the movement gives; a post that waits comes back by itself.

    Not beside it is the role that goes, and the home post that waits for just that role.
    """
    query = select(Role).where(Role.account_id == account_id, Role.state.in_(policy.HELD)).order_by(Role.id)
    goes = role is not None and move.fate not in {Fate.NONE, Fate.BESIDE}
    apart = {role.id} if role is not None and goes else set()
    if role is not None and goes and role.is_home and role.stands_on is not None:
        apart.add(role.stands_on)
    return [one for one in await tx.scalars(query) if one.id not in apart]


async def conflict(
    tx: AsyncSession, catalogue: Catalogue, account_id: UUID, role: Role | None, move: Movement, position: str
) -> Incompatible | None:
    """The rule against this post beside the others; none of a correction that leaves the post as it is."""
    if not move.gives or (role is not None and move.fate is Fate.CORRECTED and role.position == position):
        return None
    if not catalogue.keeps_apart(position):
        return None  # whatever else the person holds: nobody has to read it
    others = await others_of(tx, account_id, role, move)
    rules = (catalogue.conflict(one.position, position) for one in others)
    return min((rule for rule in rules if rule), key=lambda rule: rule.two_people, default=None)


async def ensure(
    tx: AsyncSession, catalogue: Catalogue, account_id: UUID, role: Role | None, move: Movement, position: str
) -> None:
    """Raises IncompatiblePosts where no number of people may allow it, and ConcurrentLimit."""
    rule = await conflict(tx, catalogue, account_id, role, move, position)
    if rule is not None and not rule.two_people:
        raise IncompatiblePosts(posts=list(rule.positions))
    if move.fate is Fate.BESIDE:
        others = await others_of(tx, account_id, role, move)
        if sum(not one.is_home for one in others) >= catalogue.concurrent_limit:
            raise ConcurrentLimit(most=catalogue.concurrent_limit)


async def needs(tx: AsyncSession, catalogue: Catalogue, found: RoleRequest, role: Role | None) -> int:
    """How many people have to say yes."""
    move = of(found)
    rule = await conflict(tx, catalogue, found.account_id, role, move, found.position)
    return max(
        2 if rule and rule.two_people else 1,
        catalogue.needs(found.kind, found.position if move.gives else ""),
    )


async def after(tx: AsyncSession, found: RoleRequest, role: Role | None) -> tuple[set[UUID], set[UUID]]:
    """Which roles are no longer in force after an approval, and which are so again."""
    fate = of(found).fate
    if role is None or fate is Fate.BESIDE:
        return set(), set()
    if fate in {Fate.HALTED, Fate.GONE}:
        return set(await tx.scalars(select(Role.id).where(Role.account_id == role.account_id))), set()
    if fate not in {Fate.REPLACED, Fate.OVER}:
        return {role.id}, set()
    standing = set(await tx.scalars(select(Role.id).where(Role.stands_on == role.id)))
    waits = {role.stands_on} if role.is_home and role.stands_on is not None else set()
    return {role.id, *standing} - set(await spared(tx, found, role)), waits


async def spared(tx: AsyncSession, found: RoleRequest, role: Role) -> Sequence[UUID]:
    """What stands on a role that ends and does not end with it: in the same unit all, else what is named."""
    move = of(found)
    if move.begins and move.where is Where.HERE:
        return (await tx.scalars(select(Role.id).where(Role.stands_on == role.id))).all()
    return beside.kept(found)


async def carry_over(tx: AsyncSession, old: UUID, new: UUID) -> None:
    """What is left standing on the old post stands on the new one."""
    moved = update(Role).where(Role.stands_on == old, Role.state.in_(policy.HELD), Role.id != new)
    await tx.execute(moved.values(stands_on=new).execution_options(synchronize_session=False))
