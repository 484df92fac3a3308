"""What an approval will change in each system: the difference of two pure functions of the roles (rule 820)."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.kit import Kit
from backend.outbox.models import System
from backend.outside.connectors import Desired
from backend.roles import desired as wanted
from backend.roles import draft as drafts
from backend.roles import holding, movements, scope
from backend.roles.catalogue.entries import Catalogue
from backend.roles.catalogue.in_force import in_force
from backend.roles.models import Role, RoleRequest, Unit
from backend.roles.views import Change, Effect
from backend.words import mark as _


async def effects(
    tx: AsyncSession, kit: Kit, found: RoleRequest, old: Role | None, account: Account
) -> list[Effect]:
    """System by system, in words; nothing where none is concerned."""
    name = kit.keys.open("accounts.full_name", account.id, account.full_name)
    catalogue, touched = await in_force(tx), {found.unit_id} | ({old.unit_id} if old else set())
    gone, back = await holding.after(tx, found, old)
    first = old is None or (old.is_home and movements.of(found).is_home)
    effects = []
    for system in await scope.systems_touched(tx, touched):
        before = await wanted.posts_of(tx, kit, account.id, system)
        new = await _post(tx, kit, found, system) if movements.of(found).gives else []
        rest = await wanted.posts_of(tx, kit, account.id, system, without=gone, also=back)
        after = [*new, *rest] if first else [*rest, *new]
        changes = _changes(
            wanted.state_of(account.id, name, before, catalogue, system.name),
            wanted.state_of(account.id, name, after, catalogue, system.name),
            catalogue.position_label(after[0].position) if after else "",
            catalogue,
        )
        effects.append(Effect(system.name, changes))
    return effects


async def _post(tx: AsyncSession, kit: Kit, found: RoleRequest, system: System) -> list[wanted.Post]:
    unit = await tx.get_one(Unit, found.unit_id)
    if not scope.in_scope(unit.path, await scope.scope_of(tx, system)):
        return []
    fields = drafts.asked_fields(kit, found)
    return [await wanted.post_of(tx, fields, found.subject_type, found.position, unit)]


def _changes(before: Desired, after: Desired, title: str, catalogue: Catalogue) -> list[Change]:
    """What differs; the words of the catalogue in every language, though a system is told the Vietnamese ones."""
    changes = []
    if after.active and not before.active:
        changes.append(Change(_("Cấp quyền sử dụng")))
    if before.active and not after.active:
        changes.append(Change(_("Thu quyền sử dụng")))
    if after.active and after.title != before.title:
        changes.append(Change(_("Chức vụ"), title))
    if after.active and after.department != before.department:
        changes.append(Change(_("Đơn vị"), after.department or ""))
    if after.email != before.email and after.email:
        changes.append(Change(_("Thư điện tử công vụ"), after.email))
    joined = [group for group in after.groups if group not in before.groups]
    left = [group for group in before.groups if group not in after.groups]
    changes += [Change(_("Thêm vào nhóm"), wanted.words_of(group, catalogue)) for group in joined]
    changes += [Change(_("Ra khỏi nhóm"), wanted.words_of(group, catalogue)) for group in left]
    return changes or [Change(_("Không thay đổi"))]
