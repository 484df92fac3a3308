"""Where the catalogue wants two people, a second one says yes as well (rule 619)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers
from backend.errors import Conflict
from backend.kit import Kit
from backend.roles import authority, deciding, delegates, holding, policy, rights, rows
from backend.roles.authority import Authority
from backend.roles.catalogue.in_force import hold_catalogue
from backend.roles.models import RequestStep, RoleRequest, Unit
from backend.roles.policy import Standing


class SecondPersonNeeded(Conflict):
    """Two people have to say yes, and this one already has."""

    code = "second_person_needed"
    title = "Việc này cần người thứ hai phê duyệt; bạn đã phê duyệt rồi"


class SecondPersonBound(Conflict):
    """The first word was that of the person's delegate or delegator, or said by the right of one."""

    code = "second_person_bound"
    title = "Việc này cần người thứ hai độc lập; giữa bạn và người đã phê duyệt có ủy quyền"


class NotInBulk(Conflict):
    """One of many, and two people have to look at it."""

    code = "two_people_needed"
    title = "Yêu cầu này cần hai người phê duyệt; hãy mở yêu cầu để quyết định riêng"


async def why_not(
    tx: AsyncSession, kit: Kit, steps: Sequence[RequestStep], stands: Standing, who: Authority, now: datetime
) -> Conflict | None:
    """The reason why somebody may not say the second word: the first was theirs, or bound to them by a delegation."""
    if policy.CONFIRM not in stands.duties:
        return None
    spoken = [step for step in steps if step.duty != policy.RELEASE and step.by is not None]
    if any(step.by == who.account_id for step in spoken):
        return SecondPersonNeeded()
    bound = await delegates.bound_to(tx, kit, who)
    if (
        stands.lent.get(policy.CONFIRM) is not None
    ):  # said by somebody's right, it is bound as theirs would be
        lender = next(lent.by for lent in who.lent if lent.id == stands.lent[policy.CONFIRM])
        bound |= await delegates.bound_to(tx, kit, await authority.of(tx, kit, lender, now=now))
    behind = await delegates.behind(tx, spoken)
    return SecondPersonBound() if behind & (bound | {who.account_id}) else None


def given(decisions: Iterable[str | None]) -> int:
    """How many people have said yes for what is asked."""
    return sum(decision == policy.APPROVED for decision in decisions)


async def is_wanted(tx: AsyncSession, found: RoleRequest) -> bool:
    """Whether one person's yes is not enough, by the catalogue of now."""
    role = await rows.role_now(tx, found.role_id)
    return await holding.needs(tx, await hold_catalogue(tx), found, role) > 1


async def ask(
    tx: AsyncSession, kit: Kit, found: RoleRequest, steps: Sequence[RequestStep], by: UUID, now: datetime
) -> bool:
    """After the last unit's yes: ask for a second person where one is wanted; True when the request waits for it."""
    if any(step.duty == policy.CONFIRM for step in steps) or not await is_wanted(tx, found):
        return False
    unit_id = await _place(tx, kit, steps[-1].unit_id, found.account_id, by, now)
    step = RequestStep(request_id=found.id, position=len(steps) + 1, unit_id=unit_id, duty=policy.CONFIRM)
    tx.add(step)
    await tx.flush()
    await deciding.place(tx, kit, found, now=now)
    return True


async def unask(tx: AsyncSession, request_id: UUID) -> None:
    """The first yes was taken back: nobody is asked for a second one."""
    waiting = (RequestStep.duty == policy.CONFIRM, RequestStep.decision.is_(None))
    await tx.execute(delete(RequestStep).where(RequestStep.request_id == request_id, *waiting))


async def _place(tx: AsyncSession, kit: Kit, unit_id: UUID, applicant: UUID, by: UUID, now: datetime) -> UUID:
    """The same unit, or the one above where nobody else decides for it."""
    unit, who = await tx.get_one(Unit, unit_id), await authority.of(tx, kit, by, now=now)
    above = (await rights.deciding_units(tx, kit, [unit], about=applicant, on=who.today))[unit_id].nearest
    if above is None:
        return unit_id
    managers = (await rights.managers_by_unit(tx, [above], on=who.today)).get(above, set())
    barred = {by, applicant, *await delegates.bound_to(tx, kit, who)}
    own = {blind for one in barred for blind in await numbers.blinds_of(tx, kit, one)}
    if not managers <= own:
        return unit_id
    return (await tx.get_one(Unit, above)).parent_id or unit_id
