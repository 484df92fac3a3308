"""The five minutes of the demo, step by step: what has really happened, read where it happened (case W20).

No press on the page ticks a step. A sign-in is what the e-ID was asked for and the session that came of it, an approval
is the request's own state, and a system holds somebody when the stand-in itself says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec
from litestar import Response, Router, get
from litestar.di import NamedDependency, Provide
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.identity.numbers import holder_of
from backend.accounts.models import Phone
from backend.db import Database
from backend.devices.models import Session
from backend.kit import Kit
from backend.outbox.models import Delivery, System
from backend.outside.clock import Clock
from backend.roles import desired, policy
from backend.roles.models import RoleRequest
from demo.eid import Entered, StandInEid
from demo.pages import json_of
from demo.scim import Mood, StandInSystem
from workspace.given_once import GivenOnce

SIGNED_IN, PHONE, ASKED, APPROVED, IN_FORCE, HEALED = (
    "sign-in",
    "phone",
    "role",
    "approve",
    "in-force",
    "heal",
)


class Step(msgspec.Struct, frozen=True):
    """One step: whether it has happened, and what there is to say of it."""

    name: str
    done: bool = False
    at: datetime | None = None
    who: str | None = None
    state: str | None = None  # of a request: pending, returned, rejected, …
    reached: int = 0  # of systems, or of changes that came through
    of: int = 0
    down: list[tuple[str, str]] = []  # systems out of order, in Vietnamese and in English


class Steps:
    """Reads the steps of whoever has come to the phone last."""

    def __init__(self, eid: StandInEid, redirect_uri: str, systems: Mapping[str, StandInSystem]) -> None:
        self._eid, self._redirect_uri = eid, redirect_uri
        self._systems = {one.title_vi: one for one in systems.values()}

    async def now(self, tx: AsyncSession, kit: Kit, moment: datetime) -> list[Step]:
        """All steps, in their order."""
        account_id, entered = await self._whose(tx, kit)
        name = entered.full_name if entered else await _name(tx, kit, account_id)
        asked = await _asked(tx, account_id)
        return [
            Step(SIGNED_IN, name is not None, entered.at if entered else None, name),
            await _phone(tx, account_id),
            Step(ASKED) if asked is None else Step(ASKED, asked.status in STANDING, asked.created_at),
            await _decided(tx, kit, asked),
            await self._in_force(tx, kit, asked),
            await self._healed(tx, moment),
        ]

    async def _whose(self, tx: AsyncSession, kit: Kit) -> tuple[UUID | None, Entered | None]:
        """The account that the steps are about, and the sign-in at the e-ID that is not a session yet."""
        newest = select(Session).where(Session.kind == "mobile").order_by(Session.created_at.desc()).limit(1)
        session = (await tx.scalars(newest)).first()
        entered = self._eid.entered.get(self._redirect_uri)
        if entered is None or (session is not None and session.created_at >= entered.at):
            return (session.account_id if session else None), None
        return await holder_of(tx, kit, entered.national_id), entered

    async def _in_force(self, tx: AsyncSession, kit: Kit, asked: RoleRequest | None) -> Step:
        """How many systems hold what the approved role makes of the person, by what each of them says itself."""
        connected = list(await tx.scalars(select(System).where(System.disabled_at.is_(None))))
        if asked is None or asked.status != policy.APPROVED:
            return Step(IN_FORCE, of=len(connected))
        reached = 0
        for system in connected:
            want = (await desired.desired(tx, kit, [asked.account_id], system))[asked.account_id]
            stand_in = self._systems.get(system.name)
            reached += stand_in is not None and stand_in.holds(want)
        return Step(IN_FORCE, 0 < reached == len(connected), reached=reached, of=len(connected))

    async def _healed(self, tx: AsyncSession, moment: datetime) -> Step:
        """Systems that were out of order: what waits for them, and what came due meanwhile and has arrived after."""
        down = [(one.title_vi, one.title_en) for one in self._systems.values() if one.mood is not Mood.WELL]
        arrived = waiting = 0
        for name, one in self._systems.items():
            if one.trouble is None:
                continue
            its = Delivery.system_id == select(System.id).where(System.name == name).scalar_subquery()
            late = (its, Delivery.not_before.between(one.trouble.began, one.trouble.ended or moment))
            waiting += await _count(tx, its, Delivery.state.in_(OPEN), Delivery.not_before <= moment)
            if one.trouble.ended is not None:
                arrived += await _count(tx, *late, Delivery.done_at >= one.trouble.ended)
        is_done = arrived > 0 and not waiting and not down
        return Step(HEALED, is_done, reached=arrived, of=arrived + waiting, down=down)


OPEN = ("pending", "leased", "dead")
STANDING = (policy.PENDING, policy.APPROVED, policy.RETURNED)


async def _count(tx: AsyncSession, *which: object) -> int:
    return await tx.scalar(select(func.count()).select_from(Delivery).where(*which)) or 0  # type: ignore[arg-type]


async def _name(tx: AsyncSession, kit: Kit, account_id: UUID | None) -> str | None:
    account = await tx.get(Account, account_id) if account_id else None
    return kit.keys.open("accounts.full_name", account.id, account.full_name) if account else None


async def _phone(tx: AsyncSession, account_id: UUID | None) -> Step:
    """Whether a code has proved a number of this person."""
    held = select(Phone.confirmed_at).where(Phone.account_id == account_id, Phone.ended_at.is_(None))
    at = (await tx.scalars(held.order_by(Phone.confirmed_at).limit(1))).first()
    return Step(PHONE, at is not None, at)


async def _asked(tx: AsyncSession, account_id: UUID | None) -> RoleRequest | None:
    """What this person has asked for last."""
    own = select(RoleRequest).where(
        RoleRequest.account_id == account_id, RoleRequest.created_by == account_id
    )
    return (await tx.scalars(own.order_by(RoleRequest.created_at.desc()).limit(1))).first()


async def _decided(tx: AsyncSession, kit: Kit, asked: RoleRequest | None) -> Step:
    if asked is None:
        return Step(APPROVED)
    who = await _name(tx, kit, asked.decided_by)
    return Step(APPROVED, asked.status == policy.APPROVED, asked.decided_at, who, asked.status)


@get("/demo/steps.json")
async def listing(
    steps: NamedDependency[Steps],
    db: NamedDependency[Database],
    kit: NamedDependency[Kit],
    clock: NamedDependency[Clock],
) -> Response[bytes]:
    """What has happened so far."""
    async with db.read() as tx:
        return json_of({"items": await steps.now(tx, kit, clock.now())})


def steps_router(steps: Steps) -> Router:
    """The route of the steps; database, keys and clock come from the application."""
    given = {"steps": Provide(lambda: steps, sync_to_thread=False)}
    return GivenOnce("/", route_handlers=[listing], dependencies=given, include_in_schema=False)
