"""Every table says how long its rows live; each lives to its last moment and not longer, and is found without a scan
(rule 911).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Date, Integer, func, select, text, update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

import ngomon.tables  # noqa: F401
from backend import retention, sealed
from backend.db import Base, Database
from backend.devices.models import RefreshToken, Session
from backend.kit import Kit
from backend.limits import Limits
from backend.retention import BATCH, GoesWith, Life, Stays, due, lasting, lives_of, sweep
from tests.filled import STAND_ALONE, fill

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ENDING = [model for model in sealed.models() if lives_of(model)]
LIVES = [(model, life) for model in ENDING for life in lives_of(model)]


def complaints(base: type[DeclarativeBase]) -> list[str]:
    """Every table that does not say how long its rows live, or says what cannot be."""
    found = []
    for model in sealed.models(base):
        said = getattr(model, "retention", None)
        lives = said if isinstance(said, tuple) and not isinstance(said, Life | GoesWith | Stays) else (said,)
        for one in lives:
            if isinstance(one, Life) and one.after in model.__table__.c:
                continue
            if isinstance(one, GoesWith) and one.column in model.__table__.c:
                continue
            if not (isinstance(one, Stays) and one.why):
                found.append(f"{model.__tablename__}: {one}")
    return found


def test_every_table_says_how_long_its_rows_live() -> None:
    assert complaints(Base) == []
    named = {life.lasts for _, life in LIVES if isinstance(life.lasts, str)}
    assert named <= set(Limits.__struct_fields__)


def test_a_table_that_does_not_is_complained_about() -> None:
    class Apart(DeclarativeBase):
        pass

    class Nothing(Apart):
        __tablename__ = "nothing"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Wrong(Apart):
        __tablename__ = "wrong"
        retention = Life("gone_at", timedelta(0))
        id: Mapped[int] = mapped_column(primary_key=True)

    assert [line.split(":")[0] for line in complaints(Apart)] == ["nothing", "wrong"]


async def test_what_is_over_is_found_without_a_scan(database: Database, kit: Kit) -> None:
    words = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
    async with database.read() as tx:
        if not database.is_sqlite:  # so small, a scan would be right
            for way in ("seqscan", "bitmapscan", "sort"):
                await tx.execute(text(f"SET LOCAL enable_{way} = off"))
        for model, life in LIVES:
            query = due(model, life, kit.limits, NOW).compile(
                dialect=tx.get_bind().dialect, compile_kwargs={"literal_binds": True}
            )
            plan = "\n".join(str(row[-1]) for row in await tx.execute(text(f"{words} {query}")))
            assert re.search(r"SCAN|Seq Scan|TEMP B-TREE|Sort", plan) is None, plan


async def _filled(db: Database, kit: Kit) -> None:
    """One row in every table, all of one moment."""
    async with db.write() as tx:
        await fill(tx, kit, now=NOW)
        for model, life in LIVES:
            column = model.__table__.c[life.after]
            if isinstance(column.type, Integer):
                moment = int(NOW.timestamp()) // life.each
                await tx.execute(update(model).values({life.after: moment}))


async def _count(db: Database, model: type[Any]) -> int:
    async with db.read() as tx:
        return await tx.scalar(select(func.count()).select_from(model)) or 0


async def test_a_row_lives_to_its_last_moment_and_goes_then(database: Database, kit: Kit) -> None:
    await _filled(database, kit)
    first = {model: min(lasting(life, kit.limits) for life in lives_of(model)) for model in ENDING}
    for long in sorted(set(first.values())):
        ending = [model for model in ENDING if first[model] == long]
        await sweep(database, kit.limits, NOW + long - SECOND)
        assert {await _count(database, model) for model in ending} == {1}, ending
        in_days = any(
            isinstance(model.__table__.c[life.after].type, Date)
            for model in ending
            for life in lives_of(model)
        )
        late = timedelta(days=1) if in_days else timedelta(minutes=1)
        gone = await sweep(database, kit.limits, NOW + long + late)
        assert gone == {model.__tablename__: 1 for model in ending}
    for model in sealed.models():
        if isinstance(model.retention, GoesWith):
            assert await _count(database, model) == 0, model
        elif isinstance(model.retention, Stays) and model.__tablename__ not in STAND_ALONE:
            assert await _count(database, model) == 1, model


async def test_a_row_that_another_one_names_stays_until_that_has_gone(database: Database, kit: Kit) -> None:
    await _filled(database, kit)
    far = NOW + timedelta(days=4000)
    async with database.write() as tx:
        await tx.execute(update(RefreshToken).values(expires_at=far))
    await sweep(database, kit.limits, far)
    assert await _count(database, Session) == 1
    assert (await sweep(database, kit.limits, far + timedelta(days=31)))["sessions"] == 1


async def test_a_great_many_are_forgotten_in_short_transactions(
    database: Database, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "PAUSE", 0)
    async with database.write() as tx:
        await tx.execute(
            text("INSERT INTO tallies (key, slot, count) VALUES (:key, :slot, 1)"),
            [{"key": b"x", "slot": slot} for slot in range(BATCH + 1)],
        )
    batches: list[int] = []
    forget = retention._forget

    async def counted(*given: Any) -> int:
        batches.append(await forget(*given))
        return batches[-1]

    monkeypatch.setattr(retention, "_forget", counted)
    assert await sweep(database, kit.limits, NOW) == {"tallies": BATCH + 1}
    assert sorted(batches)[-2:] == [1, BATCH]


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
async def test_what_somebody_holds_is_passed_over(database: Database, kit: Kit) -> None:
    await _filled(database, kit)
    far = NOW + timedelta(days=4000)
    async with database.write() as tx:
        await tx.execute(select(RefreshToken).with_for_update())
        gone = await sweep(database, kit.limits, far)
        assert "refresh_tokens" not in gone and "sessions" not in gone
    assert {"refresh_tokens", "sessions"} <= set(await sweep(database, kit.limits, far))
