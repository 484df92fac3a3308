"""The worker goes on with what somebody asked for in the workspace, stage by stage (rules 640, 641).

A page writes down the wish and answers; ten thousand people take minutes. What a command began is left to it.
"""

from __future__ import annotations

import asyncio
from uuid import UUID

import structlog
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend import statistics
from backend.db import Database
from backend.kit import Kit
from backend.outside.clock import Clock
from backend.roles.models import Role
from backend.roles.reorganising import models, reversing, running
from backend.roles.reorganising.models import Moved, Reorganisation
from backend.rounds import rounds
from backend.watch import Watch

STAGES = {models.RUNNING: running.go_on, models.REVERSING: reversing.go_on}
LOOK_SECONDS = 2
log = structlog.get_logger("reorganising")


class Stopped(Exception):
    """The process ends; another one goes on where this was."""


async def run(db: Database, kit: Kit, clock: Clock, stop: asyncio.Event) -> None:
    """Look again and again until `stop`; where nobody has written since nothing was owed, nobody is asked."""
    watch = Watch(db)
    seen: int | None = None

    async def look() -> None:
        nonlocal seen
        version = watch.version()
        if version is None or version != seen:
            seen = version if await carry(db, kit, clock, stop) else None

    try:
        await rounds(stop, LOOK_SECONDS, look)
    finally:
        watch.close()


async def carry(db: Database, kit: Kit, clock: Clock, stop: asyncio.Event) -> bool:
    """One look: whatever was asked for goes on until it is done; whether all of it is.

    Two who do so beside each other do it once.
    """

    def progress(_done: int, _all: int) -> None:
        if stop.is_set():
            raise Stopped

    asked = select(Reorganisation.id, Reorganisation.state, Reorganisation.asked_by)
    asked = asked.where(Reorganisation.state.in_(STAGES), Reorganisation.asked_by.is_not(None))
    async with db.read() as tx:
        found = (await tx.execute(asked.order_by(Reorganisation.id))).all()
    is_whole = True
    for run_id, state, by in found:
        try:
            await STAGES[state](db, kit, run_id, by=by, now=clock.now(), progress=progress)
        except Stopped:
            return False
        except Exception as error:
            log.exception("reorganisation_stands", run=str(run_id), exc_info=error)
            is_whole = False  # the next look tries again; the others do not wait for this one
        else:
            await statistics.refresh(db, imported=True)
    return is_whole


async def how_far(tx: AsyncSession, run_id: UUID, state: str) -> int:
    """How many people are where the run, or its reversal, puts them."""
    gone = select(func.count(func.distinct(Role.account_id))).select_from(Moved)
    gone = gone.join(Role, Role.id == Moved.row_id).where(Moved.run_id == run_id, Moved.kind == models.ROLE)
    if state in {models.REVERSING, models.REVERSED}:
        gone = gone.where(Moved.back_at.is_not(None))
    return await tx.scalar(gone) or 0
