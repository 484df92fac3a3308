"""Where the catalogue wants two people, a second one says yes as well (rule 619)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers
from backend.errors import Conflict
from backend.kit import Kit
from backend.roles import deciding, holding, policy, rights, rows
from backend.roles.catalogue.in_force import hold_catalogue
from backend.roles.models import RequestStep, RoleRequest, Unit


class SecondPersonNeeded(Conflict):
    """Two people have to say yes, and this one already has."""

    code = "second_person_needed"
    title = "Việc này cần người thứ hai phê duyệt; bạn đã phê duyệt rồi"


class NotInBulk(Conflict):
    """One of many, and two people have to look at it."""

    code = "two_people_needed"
    title = "Yêu cầu này cần hai người phê duyệt; hãy mở yêu cầu để quyết định riêng"


def why_not(steps: Sequence[RequestStep], duties: Collection[str], by: UUID) -> Conflict | None:
    """The reason why somebody may not say the second word: the first was theirs."""
    theirs = any(step.by == by for step in steps if step.duty != policy.RELEASE)
    return SecondPersonNeeded() if policy.CONFIRM in duties and theirs else None


def given(decisions: Iterable[str | None]) -> int:
    """How many people have said yes for what is asked."""
    return sum(decision == policy.APPROVED for decision in decisions)


async def is_wanted(tx: AsyncSession, found: RoleRequest) -> bool:
    """Whether one person's yes is not enough, by the catalogue of now."""
    role = await rows.role_now(tx, found.role_id)
    return await holding.needs(tx, await hold_catalogue(tx), found, role) > 1


async def ask(tx: AsyncSession, kit: Kit, found: RoleRequest, steps: Sequence[RequestStep], by: UUID) -> bool:
    """After the last unit's yes: ask for a second person where one is wanted; True when the request waits for it."""
    if any(step.duty == policy.CONFIRM for step in steps) or not await is_wanted(tx, found):
        return False
    unit_id = await _place(tx, kit, steps[-1].unit_id, found.account_id, by)
    step = RequestStep(request_id=found.id, position=len(steps) + 1, unit_id=unit_id, duty=policy.CONFIRM)
    tx.add(step)
    await tx.flush()
    await deciding.place(tx, kit, found)
    return True


async def unask(tx: AsyncSession, request_id: UUID) -> None:
    """The first yes was taken back: nobody is asked for a second one."""
    waiting = (RequestStep.duty == policy.CONFIRM, RequestStep.decision.is_(None))
    await tx.execute(delete(RequestStep).where(RequestStep.request_id == request_id, *waiting))


async def _place(tx: AsyncSession, kit: Kit, unit_id: UUID, applicant: UUID, by: UUID) -> UUID:
    """The same unit, or the one above where nobody else decides for it."""
    unit = await tx.get_one(Unit, unit_id)
    above = (await rights.deciding_units(tx, kit, [unit], about=applicant))[unit_id]
    if above is None:
        return unit_id
    managers = (await rights.managers_by_unit(tx, [above])).get(above, set())
    own = {blind for one in (by, applicant) for blind in await numbers.blinds_of(tx, kit, one)}
    if not managers <= own:
        return unit_id
    return (await tx.get_one(Unit, above)).parent_id or unit_id
