"""What runs beside the requests: last-seen times, forgetting, and on SQLite the sync worker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, closing, suppress
from datetime import datetime
from typing import Any

from sqlalchemy import update

from backend import figures, retention, statistics
from backend.accounts.identity import candidates, correcting
from backend.accounts.self import kept
from backend.db import Database
from backend.devices.entry import Entry
from backend.devices.models import Session
from backend.kit import Kit
from backend.limits import Limits
from backend.outbox import ahead
from backend.outbox.bell import Bell
from backend.outbox.nightly import Nightly
from backend.outbox.reconcile import Comparison
from backend.outbox.worker import Worker
from backend.outside.clock import Clock
from backend.outside.http import Guarded
from backend.owed.line import Line
from backend.roles import audit_places, coded, deciding, desired, desk_joins, findable, texting, timeline
from backend.roles.reorganising import carrying
from backend.rounds import rounds
from backend.settings import Settings
from backend.support.post import PostRoom
from backend.trouble import StorageTrouble
from backend.watch import OnceWritten, Watch
from ngomon import daily

SEEN_SECONDS, SWEEP_SECONDS, PLACING_SECONDS = 20, 600, 3600
HERE_SECONDS = 30  # each time every task of this process looks whether somebody has written


def outgoing(settings: Settings) -> Guarded:
    """How systems, registries and e-IDs are called: behind the guard, within the limits (rules 704, 705)."""
    limits = settings.limits
    return Guarded(
        settings.private_hosts,
        reply_bytes=limits.reply_bytes,
        list_bytes=limits.list_bytes,
        timeout=limits.delivery_timeout,
    )


def worker_of(db: Database, kit: Kit, clock: Clock, bell: Bell, http: Guarded) -> Worker:
    """The sync worker, told how a person's roles become a desired state; the outbox itself knows no roles."""
    return Worker(db, kit, desired.desired, timeline, clock, bell, http)


def comparison_of(
    db: Database, kit: Kit, http: Guarded, *, clock: Clock | None = None, dry: bool = False
) -> Comparison:
    """A comparison of one system with what its people's roles say; a dry one writes nothing anywhere."""
    people, groups = desired.people_in_scope, desired.our_groups
    return Comparison(db, kit, desired.desired, people, clock or Clock(), http, groups=groups, dry=dry)


def nightly_of(db: Database, kit: Kit, clock: Clock, http: Guarded) -> Nightly:
    """What compares every system by itself; beside the worker."""
    every = kit.limits.reconcile_every
    return Nightly(db, clock, every, lambda: comparison_of(db, kit, http, clock=clock))


@asynccontextmanager
async def running(
    db: Database,
    clock: Clock,
    kit: Kit,
    entry: Entry,
    worker: Worker | None,
    nightly: Nightly,
    limits: Limits,
    post: PostRoom,
    lines: Sequence[Line],
) -> AsyncIterator[None]:
    """Run the tasks until the application stops, then let them finish what they hold."""
    stop = asyncio.Event()
    jobs = [
        *noting(db, entry, stop),
        rounds(stop, SWEEP_SECONDS, lambda: make_findable(db, kit), later=True),
        rounds(stop, PLACING_SECONDS, lambda: deciding.fill(db, kit, now=clock.now())),
        rounds(stop, PLACING_SECONDS, lambda: findable.fill(db, kit)),
        placing(db, stop),
        rounds(stop, SWEEP_SECONDS, lambda: drop_proposals(db, kit, clock.now()), later=True),
        rounds(stop, SWEEP_SECONDS, lambda: texting.carry_over(db, kit, clock.now())),
        *(line.run(stop) for line in lines),
    ]
    if worker is not None:
        jobs += [
            worker.run(stop),
            nightly.run(stop),
            being_here(db, clock, stop),
            post.run(stop),
            daily.run(db, kit, clock, post, stop),
            carrying.run(db, kit, clock, stop),
            forget(db, limits, clock, stop),
        ]  # one process carries them
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        yield
    finally:
        stop.set()
        await _over(tasks)
        await last_words(db, entry)


def noting(db: Database, entry: Entry, stop: asyncio.Event) -> list[Coroutine[Any, Any, None]]:
    """What this process remembers for a moment is written down again and again."""
    return [
        rounds(stop, figures.KEEP_SECONDS, lambda: figures.keep(db), later=True),
        rounds(stop, SEEN_SECONDS, lambda: write_seen(db, entry), later=True),
    ]


async def placing(db: Database, stop: asyncio.Event) -> None:
    """What is written into the journal gets its places soon; where nobody writes, nobody looks."""
    with closing(Watch(db)) as watch:
        await rounds(stop, SEEN_SECONDS, OnceWritten(watch, lambda: audit_places.fill(db)))


async def last_words(db: Database, entry: Entry | None = None) -> None:
    """What was seen and counted since the last round; a process that stops without its database takes it along."""
    with suppress(StorageTrouble):
        if entry is not None:
            await write_seen(db, entry)
        await figures.keep(db)


async def being_here(db: Database, clock: Clock, stop: asyncio.Event) -> None:
    """Whoever carries the worker says so again and again."""
    await rounds(stop, HERE_SECONDS, lambda: figures.worker_is_here(db, clock.now()))


async def _over(tasks: Sequence[asyncio.Future[None]]) -> None:
    _, late = await asyncio.wait(tasks, timeout=10)
    for task in late:
        task.cancel()


async def drop_proposals(db: Database, kit: Kit, now: datetime) -> None:
    """What a desk has proposed and no second clerk has confirmed in time is over."""
    await desk_joins.sweep(db, kit, now)
    await correcting.sweep(db, kit, now)


async def make_findable(db: Database, kit: Kit) -> None:
    """What an earlier release wrote is found by what this one asks for."""
    await candidates.fill(db, kit)
    await coded.fill(db, kit)


async def write_seen(db: Database, entry: Entry) -> None:
    """Keep when each session was last used, in one write for many calls; what cannot be kept now is kept later."""
    if not entry.seen:
        return
    seen, entry.seen = entry.seen, {}
    try:
        async with db.write() as tx:
            for session_id, at in seen.items():
                await tx.execute(update(Session).where(Session.id == session_id).values(last_seen_at=at))
    except Exception:
        entry.seen = seen | entry.seen
        raise


async def forget(db: Database, limits: Limits, clock: Clock, stop: asyncio.Event) -> None:
    """Beside the worker, of which an installation has one: forget what is over and count what is left, until `stop`."""

    async def round_() -> None:
        await sweep(db, limits, clock.now(), stop)
        await statistics.refresh(db)

    await asyncio.gather(
        rounds(stop, SWEEP_SECONDS, round_, later=True),
        rounds(stop, SWEEP_SECONDS, lambda: bring_back(db, clock)),
    )


async def bring_back(db: Database, clock: Clock) -> None:
    """What was put off by a clock that ran ahead is due again."""
    await ahead.bring_back(db, now=clock.now())


async def sweep(db: Database, limits: Limits, now: datetime, stop: asyncio.Event | None = None) -> None:
    """End what nobody has confirmed, and forget what is over."""
    async with db.write() as tx:
        await kept.end_unconfirmed(tx, now=now)
    await retention.sweep(db, limits, now, stop)
    await db.scrub()
