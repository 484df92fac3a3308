"""What a manager begins for somebody carries that manager's words at once (rule 612, case R41)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers
from backend.errors import Refusal
from backend.kit import Kit
from backend.roles import authority, carried, forms, policy, requests, review, rights, rows
from backend.roles import draft as drafts
from backend.roles.carried import How
from backend.roles.models import Role, RoleRequest, Unit
from backend.roles.wish import Draft
from backend.support import notices


async def start(
    tx: AsyncSession,
    kit: Kit,
    role_id: UUID,
    draft: Draft,
    *,
    by: UUID,
    now: datetime,
    note: str | None = None,
    how: How = How(),  # noqa: B008 - immutable
) -> RoleRequest | Refusal:
    """A manager moves somebody: what is theirs to say is said, another unit is asked; with the last word it is so.

    A refusal that has to be remembered is returned (`settle` it after the commit).
    """
    await rows.tree_stands(tx)
    role = await rows.role_now(tx, role_id)
    if role is None:
        return requests.refused(tx, kit, policy.RoleNotFound(), role_id, by, now)
    await rows.account_locked(tx, role.account_id)
    role = await rows.role_now(tx, role_id)
    if role is None or role.state != policy.ACTIVE:
        raise policy.RoleMoved
    refusal, duties = await own_duties(tx, kit, role, draft, by, now)
    if refusal is not None:
        return requests.refused(tx, kit, refusal, role_id, by, now)
    checked = await drafts.check(tx, kit, draft, account_id=role.account_id, role=role, now=now)
    await requests.ensure_may_begin(tx, role.account_id, role, checked)
    found = await requests.add(tx, kit, checked, account_id=role.account_id, role=role, by=by, now=now)
    if note:
        found.note = kit.keys.seal("role_requests.note", found.id, forms.reason(note))
    await carried.weigh(tx, kit, found, duties, how, by=by)
    await tx.flush()
    await review.say_own(tx, kit, found, duties, by=by, now=now)
    if found.status == policy.PENDING:
        here = await tx.get_one(Unit, role.unit_id)
        whose, kind = found.account_id, found.kind
        notices.tell(tx, kit, whose, "request_begun", now=now, about=found.id, unit=here.name, what=kind)
    return found


async def own_duties(
    tx: AsyncSession, kit: Kit, role: Role, draft: Draft, by: UUID, now: datetime
) -> tuple[Refusal | None, frozenset[str]]:
    """The words that a beginning manager has to say, and why not where there is none."""
    who = await authority.of(tx, kit, by, now=now, hold=True)
    here = await tx.get_one(Unit, role.unit_id)
    there = await drafts.find_unit(tx, draft.unit) if draft.unit else here
    units = [here, *([there] if there else [])]
    managers = await rights.managers_over(tx, [unit.path for unit in units], on=who.today)
    own = set(await numbers.blinds_of(tx, kit, role.account_id))
    duties = set()
    for word in draft.entry.words if draft.entry.by_managers else ():
        unit = here if word.ours else there
        if unit is not None and who.decides(rights.decider(unit.path, managers, own)):
            duties.add(word.duty)
    refusal = policy.why_not_start(is_subject=role.account_id == by, duties=duties)
    if isinstance(refusal, policy.NotYourUnit) and not rights.reads(who, here.path, managers):
        refusal = policy.RoleNotFound()
    return refusal, frozenset(duties)
