"""When an approved request takes effect, and what then has to be told (rules 612, 702).

Every change of a person's roles happens while the account row is locked, in one
transaction: a transfer ends the old home role and begins the new one together. All days
are those of Asia/Ho_Chi_Minh.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Date, Select, and_, exists, not_, or_, select, text, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from backend.account import Account
from backend.appointment import Appointment
from backend.kit import Kit
from backend.outbox import queue as outbox
from backend.outside.clock import LOCAL, local_day
from backend.roles import (
    appointments,
    effects,
    falling,
    fates,
    movements,
    overdue,
    policy,
    rows,
    taken,
    vouching,
)
from backend.roles import draft as drafts
from backend.roles.catalogue.entries import Catalogue
from backend.roles.catalogue.in_force import hold_catalogue, in_force
from backend.roles.effects import Act
from backend.roles.models import RUNNING, TO_COME, Role, RoleRequest
from backend.roles.scope import systems_touched
from backend.statements import Question, given
from backend.trouble import of_one

ROLL_AT_ONCE = 50


def is_at_once(found: RoleRequest, now: datetime) -> bool:
    """Whether a yes of now makes it true, and does not put it in the calendar."""
    return found.effective_on is None or found.effective_on <= local_day(now)


async def take_effect(
    tx: AsyncSession,
    kit: Kit,
    found: RoleRequest,
    *,
    by: UUID,
    now: datetime,
    held: Sequence[rows.Place] | None = None,
) -> None:
    """A request was approved: do it now, or put it in the calendar. The account is locked; `held` as of `apply`."""
    if movements.of(found).gives:
        await _ensure_still_possible(tx, kit, found, now)
    if is_at_once(found, now):
        hold = kit.limits.undo_window if movements.of(found).is_held else 0
        await apply(tx, kit, found, by=by, now=now, hold=hold, held=held)
    else:
        await _schedule(tx, kit, found, by=by, now=now)
        found.role_version = await rows.bump(tx, found.account_id)


async def _schedule(tx: AsyncSession, kit: Kit, found: RoleRequest, *, by: UUID, now: datetime) -> None:
    """Write the request's day into the calendar; nothing is in force yet."""
    move, old = movements.of(found), await rows.role_now(tx, found.role_id)
    if found.role_id is not None:
        waits = old is not None and old.state in policy.HELD and not move.gives
        old = old if waits else effects.in_force(old)
    elif await rows.home_role(tx, found.account_id, *policy.HELD) is not None:
        raise policy.HomeRoleExists
    if move.begins:
        await effects.plan(tx, kit, found, by=by, now=now)
    await fates.of(found).plan(kit, found, old)


async def apply(
    tx: AsyncSession,
    kit: Kit,
    found: RoleRequest,
    *,
    by: UUID | None,
    now: datetime,
    hold: int,
    held: Sequence[rows.Place] | None = None,
) -> None:
    """Make the request true, and tell every system that the old or the new unit concerns.

    `held`: where the person has a role, if that was read while the account was locked.
    """
    move, old = movements.of(found), await rows.role_now(tx, found.role_id)
    act = Act(by, now, due=now + timedelta(seconds=hold))
    if held is None:
        held = await rows.places_held(tx, found.account_id)
    concerned = {one.unit_id for one in held}
    if move.gives:
        await hold_catalogue(tx)
    await fates.of(found).happen(tx, kit, found, act)
    if move.begins:
        await effects.begin(tx, kit, found, act, held)
    units = concerned | {found.unit_id} | ({old.unit_id} if old else set())
    version = await tell(tx, found.account_id, units, request_id=found.id, lane=move.lane, now=now, hold=hold)
    found.applied_at, found.role_version = now, version


async def tell(
    tx: AsyncSession,
    account_id: UUID,
    units: set[UUID],
    *,
    request_id: UUID | None,
    lane: int,
    now: datetime,
    hold: int,
) -> int:
    """Write the deliveries of this change in the same transaction (rule 702); the roles' new version."""
    version = await rows.bump(tx, account_id)
    systems = [system.id for system in await systems_touched(tx, units)]
    await outbox.enqueue(
        tx,
        account_id=account_id,
        version=version,
        systems=systems,
        request_id=request_id,
        lane=lane,
        now=now,
        hold=hold,
    )
    return version


class Due(NamedTuple):
    """One thing whose day has come."""

    id: UUID


TODAY = given("today", Date())
DUE = (
    Question(  # whatever may be: more than what then begins or ends, for some of it waits for something else
        Due,
        union_all(
            select(RoleRequest.id).where(text(TO_COME), RoleRequest.effective_on.is_(None)),
            select(RoleRequest.id).where(text(TO_COME), RoleRequest.effective_on <= TODAY),
            select(Role.id).where(text(RUNNING), Role.until_on < TODAY),
            select(RoleRequest.id).where(*falling.past(TODAY)),
            select(Appointment.id).where(Appointment.ended_at.is_(None), Appointment.from_on <= TODAY),
            select(Appointment.id).where(Appointment.ended_at.is_(None), Appointment.until_on < TODAY),
            overdue.late(TODAY),
        ).limit(1),
    )
)


def next_moment(now: datetime) -> datetime:
    """When something becomes due of which nobody writes anything: with the next day."""
    return datetime.combine(local_day(now) + timedelta(days=1), time(), LOCAL)


async def is_due(tx: AsyncSession, *, now: datetime) -> bool:
    """Whether something is to begin or to end: a look at what stands first in the indexes of days."""
    today = local_day(now)
    if await DUE.maybe(tx, today=today) is None:
        return False
    requests = due_requests(today, await in_force(tx)).with_only_columns(RoleRequest.id).order_by(None)
    ended = run_out(today).with_only_columns(Role.id)
    lapsed = select(RoleRequest.id).where(*falling.past(today))
    for query in (requests, ended, lapsed, appointments.due(today), overdue.late(today)):
        if await tx.scalar(query.limit(1)) is not None:
            return True
    return False


async def roll(tx: AsyncSession, kit: Kit, *, now: datetime, but: Collection[UUID] = ()) -> int:
    """Begin what was scheduled for today, end what was to end, let expire what is too late; the number of changes.

    Never waits: what somebody else is changing right now is left for the next round, and so are the accounts and
    appointments of `but`. Raises OfOne where it is one person's day that fails.
    """
    if not await rows.tree_stands(tx, wait=False):
        return 0
    today, done = local_day(now), await appointments.roll(tx, kit, now=now, but=but)
    done += await overdue.roll(tx, kit, now=now, but=but)
    for account_id in await _due_accounts(tx, today, but):
        with of_one(account_id):
            done += await _roll_account(tx, kit, account_id, today, now=now)
    return done


async def _roll_account(tx: AsyncSession, kit: Kit, account_id: UUID, today: date, *, now: datetime) -> int:
    done = await falling.expire(tx, kit, account_id, today, now=now)
    due = due_requests(today, await in_force(tx)).where(RoleRequest.account_id == account_id)
    fresh = due.with_for_update(skip_locked=True).execution_options(**rows.FRESH)
    for found in (await tx.scalars(fresh)).all():
        await _roll_request(tx, kit, found, now=now)
        done += 1
    over = run_out(today).where(Role.account_id == account_id).limit(1).execution_options(**rows.FRESH)
    while role := await tx.scalar(over):  # one ends with another, or comes back by it
        await run_down(tx, kit, role, "expired", now=now)
        done += 1
    return done


async def _roll_request(tx: AsyncSession, kit: Kit, found: RoleRequest, *, now: datetime) -> None:
    move, old = movements.of(found), await rows.role_now(tx, found.role_id)
    overtaken = old is not None and old.state not in policy.HELD
    if overtaken and (move.stands or not move.begins):
        found.applied_at = now  # the role has ended meanwhile: nothing is left to change
    elif overtaken:
        await hold_catalogue(tx)
        await effects.begin(tx, kit, found, Act(None, now, due=now))
        found.applied_at = now
        await tell(
            tx, found.account_id, {found.unit_id}, request_id=found.id, lane=move.lane, now=now, hold=0
        )
    else:
        await apply(tx, kit, found, by=None, now=now, hold=0)


async def run_down(tx: AsyncSession, kit: Kit, role: Role, reason: str, *, now: datetime) -> None:
    """A role ends by itself: its last day has passed, or nobody has confirmed it. The account is locked."""
    units = await rows.units_held(tx, role.account_id)
    await effects.finish(tx, kit, role, reason=reason, request_id=None, act=Act(None, now, due=now))
    await effects.end_sessions(tx, kit, role.account_id, by=None, now=now)
    await tell(tx, role.account_id, units, request_id=None, lane=outbox.REVOCATION, now=now, hold=0)


async def _due_accounts(tx: AsyncSession, today: date, but: Collection[UUID]) -> list[UUID]:
    """Locked accounts with something due."""
    due = due_requests(today, await in_force(tx)).with_only_columns(RoleRequest.account_id).order_by(None)
    over = run_out(today).with_only_columns(Role.account_id)
    lapsed = select(RoleRequest.account_id).where(*falling.past(today))
    whose = or_(*(Account.id.in_(part) for part in (due, over, lapsed)))
    query = select(Account.id).where(whose, Account.id.not_in(but)).order_by(Account.id)
    return list(await tx.scalars(query.limit(ROLL_AT_ONCE).with_for_update(key_share=True, skip_locked=True)))


def due_requests(today: date, catalogue: Catalogue) -> Select[RoleRequest]:
    """What waits beyond its day is left out.

    What a frozen account asked for itself waits until it is known who asked; ends and managers' acts go on. What
    nobody whose word counts vouches for waits for that word (R30), whoever began it; ends go on. So does what gives
    something to somebody who is suspended: it waits until that is lifted.
    """
    frozen_at = select(Account.frozen_at).where(Account.id == RoleRequest.account_id)
    contested = and_(
        RoleRequest.created_by == RoleRequest.account_id,
        RoleRequest.kind.not_in(movements.GIVES_NOTHING),
        frozen_at.scalar_subquery().is_not(None),
    )
    return (
        select(RoleRequest)
        .where(
            text(TO_COME),
            not_(contested),
            not_(and_(RoleRequest.kind.not_in(movements.GIVES_NOTHING), _is_halted())),
            not_(vouching.is_missing(catalogue)),
            or_(RoleRequest.effective_on.is_(None), RoleRequest.effective_on <= today),
        )
        .order_by(RoleRequest.id)
    )


def _is_halted() -> ColumnElement[bool]:
    """Of a request: its person is suspended."""
    halting = aliased(RoleRequest)
    waits = exists().where(Role.account_id == RoleRequest.account_id, Role.state == policy.SUSPENDED)
    return waits.where(halting.id == Role.suspended_by, halting.kind.in_(movements.HALTS))


def run_out(today: date) -> Select[Role]:
    """The roles whose last day has passed."""
    return select(Role).where(text(RUNNING), Role.until_on < today)


async def _ensure_still_possible(tx: AsyncSession, kit: Kit, found: RoleRequest, now: datetime) -> None:
    """What was true when it was asked may no longer be (case TW04)."""
    ended_on = (await rows.unit_of(tx, found.unit_id)).ended_on
    if ended_on is not None and ended_on <= max(found.effective_on or date.min, local_day(now)):
        raise policy.UnitClosed
    if found.until_on is not None and found.until_on < local_day(now):
        raise policy.DatesPassed
    values = drafts.asked_fields(kit, found)
    mail, code = values.get("official_email"), values.get("employee_code")
    if mail and await taken.email(tx, kit, mail, found.account_id):
        raise policy.EmailTaken
    if code and await taken.code(tx, kit, code, found.account_id):
        raise taken.CodeTaken
