"""From when to when: the order of a wish's days, and what the catalogue allows of them (cases R16, TW04)."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from backend.errors import FieldError, FieldsInvalid
from backend.kit import Kit
from backend.roles import movements, policy
from backend.roles.catalogue import entries
from backend.roles.catalogue.entries import Catalogue
from backend.roles.models import Role, RoleRequest
from backend.roles.movements import Fate, Movement
from backend.roles.wish import Draft
from backend.words import mark as _

TOO_EARLY = _("Ngày hiệu lực sớm nhất là {first}")


async def checked(
    tx: AsyncSession,
    kit: Kit,
    catalogue: Catalogue,
    move: Movement,
    draft: Draft,
    role: Role | None,
    today: date,
) -> tuple[date | None, list[FieldError]]:
    """The last day of what is wished for, and what is wrong; raises UntilRequired and UntilTooLate.

    Whoever corrects a role that has a last day by its nature does not lose it, and the same bound holds.
    """
    begun, begin, until = move, max(draft.effective_on or today, today), draft.until
    if role is not None and move.fate is Fate.CORRECTED:
        by = await tx.get(RoleRequest, role.request_id)
        begun, begin = movements.of(by) if by is not None else move, role.from_on
        until = role.until_on if until is None and begun.wants_until else until
    wrong = order(draft, today, kit, catalogue.movements.get(move.code))
    if wrong:
        return until, wrong
    if until is None and begun.wants_until:
        raise _bad(policy.UntilRequired)
    bound = catalogue.movements.get(begun.code)
    last = begin + timedelta(days=bound.longest_days) if bound and bound.longest_days else None
    if role is not None and move.stands and role.until_on is not None:
        last = min(last or role.until_on, role.until_on)
    if until is not None and last is not None and until > last:
        raise _bad(policy.UntilTooLate)
    return until, []


def earliest(today: date, known: entries.Movement | None) -> date:
    """The first day on which a movement may begin: a decision may have been signed some days ago (R16)."""
    return today - timedelta(days=known.back_days if known else 0)


def order(draft: Draft, today: date, kit: Kit, known: entries.Movement | None) -> list[FieldError]:
    """What is wrong with the days by themselves; how far back they may lie stands in the catalogue."""
    errors, begin = [], draft.effective_on or today
    if begin < (first := earliest(today, known)):
        errors.append(FieldError("effective_on", "in_the_past", TOO_EARLY, first=f"{first:%d/%m/%Y}"))
    if begin > today + timedelta(days=kit.limits.schedule_ahead_days):
        errors.append(FieldError("effective_on", "too_far", "Ngày hiệu lực quá xa"))
    if draft.until is not None and draft.until < max(begin, today):
        errors.append(FieldError("until", "before_effective", "Ngày kết thúc không được trước ngày hiệu lực"))
    return errors


def _bad(refusal: type[policy.UntilRequired | policy.UntilTooLate]) -> FieldsInvalid:
    return refusal(FieldError("until", refusal.code, refusal.title))
