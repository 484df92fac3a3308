"""Reviews of roles go on where a worker runs, also in a process of its own (rule 642)."""

from __future__ import annotations

import asyncio
import signal
from datetime import timedelta

from sqlalchemy import select

from backend.crypto import KeyRing, new_secret_key
from backend.db import Database, new_id
from backend.kit import Kit
from backend.limits import Limits
from backend.outside.clock import Clock, local_day
from backend.roles.confirming import starting
from backend.roles.confirming.models import Review
from backend.roles.models import Unit
from bench.town import ngomon
from ngomon.migrations import migrate
from tests.parts.postgres import Postgres
from tests.parts.processes import Part


async def begun(db: Database, kit: Kit) -> None:
    """A review of a unit that is empty: it is over as soon as somebody looks."""
    now, unit = Clock().now(), Unit(id=new_id(), code="LEER", name="Đơn vị trống", folded="", kind="")
    unit.path = f"/{unit.id}/"
    async with db.write() as tx:
        tx.add(unit)
        await tx.flush()
        await starting.start(tx, kit, ["LEER"], local_day(now) + timedelta(days=9), by=None, now=now)


async def is_over(db: Database) -> bool:
    for _ in range(300):
        async with db.read() as tx:
            if (await tx.scalars(select(Review))).one().closed_at is not None:
                return True
        await asyncio.sleep(0.1)
    return False


async def test_the_worker_looks_at_reviews(postgres: Postgres) -> None:
    url, keys = postgres.new_database("review_worker"), new_secret_key()
    await migrate(url)
    db = Database(url)
    await begun(db, Kit.of(KeyRing.parse(keys), Limits()))
    environment = {"NGOMON_DATABASE_URL": url, "NGOMON_SECRET_KEYS": keys}
    worker = Part("worker", ngomon("worker"), environment=environment)
    worker.start(lambda: True)
    try:
        assert await is_over(db)
    finally:
        worker.stop(signal.SIGTERM)
        await db.close()
