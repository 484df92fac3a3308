"""A long journal is backed up, restored into an empty database and walked through whole: seconds and most memory.

Every entry is linked as the product links it. Each step is the real command, in a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import insert, select

from backend.chain import head_seal, link
from backend.crypto import KeyRing, new_secret_key
from backend.db import Database, new_id
from backend.facts import Delivered, Fact, SessionOpened
from backend.journal import Entry, Head
from backend.sealing import Line
from bench.imports import measured
from bench.results import record
from bench.town import ngomon
from ngomon.migrations import migrate
from tests.parts.postgres import Postgres
from tests.parts.processes import scratch

AT_ONCE = 1000
PEOPLE = 1000  # in turn the subject of an entry


async def lengthen(url: str, environ: dict[str, str], rows: int) -> None:
    """So many entries behind those that the first start has made, under the newest key."""
    await asyncio.to_thread(measured, ngomon("audit", "verify"), environ)  # puts the head under the keys
    keys, database = KeyRing.parse(environ["NGOMON_SECRET_KEYS"]), Database(url)
    people, system = [new_id() for _ in range(PEOPLE)], new_id()
    try:
        for start in range(0, rows, AT_ONCE):
            async with database.write() as tx:
                head = (await tx.scalars(select(Head).where(Head.id == 1))).one()
                lines = _linked(keys, head, _facts(people, system, min(AT_ONCE, rows - start)))
                await tx.execute(insert(Entry), [line._asdict() for line in lines])
                head.seq, head.hash, head.key_id = lines[-1].seq, lines[-1].hash, keys.newest
                head.seal = head_seal(keys, head)
    finally:
        await database.close()


def _facts(people: list[Any], system: Any, count: int) -> list[Fact]:
    made: list[Fact] = []
    for number in range(count):
        who = people[number % PEOPLE]
        if number % 2:
            made.append(Delivered(subject=who, system=system, version=number))
        else:
            opened = SessionOpened(subject=who, session=new_id(), kind="mobile", method="vneid", epoch=1)
            made.append(opened)
    return made


def _linked(keys: KeyRing, head: Head, facts: list[Fact]) -> list[Line]:
    previous, now, lines = head.hash, datetime.now(UTC), []
    for seq, fact in enumerate(facts, head.seq + 1):
        told, tag = msgspec.json.encode(fact).decode(), str(fact.__struct_config__.tag)
        line = Line(seq, now, tag, fact.subject, None, told, keys.newest, b"")
        previous = link(keys, previous, line)
        lines.append(line._replace(hash=previous))
    return lines


def steps(kind: str, rows: int, url: str, other: str, folder: Path) -> None:
    """Each command on the old or the new database."""
    asyncio.run(migrate(url))
    old = os.environ | {"NGOMON_DATABASE_URL": url, "NGOMON_SECRET_KEYS": new_secret_key()}
    new = old | {"NGOMON_DATABASE_URL": other}
    asyncio.run(lengthen(url, old, rows))
    file, key = folder / f"{kind}.backup", ("--key-file", str(folder / f"{kind}.key"))
    for name, environ, words in (
        ("audit verify", old, ("audit", "verify")),
        ("backup", old, ("backup", str(file), *key)),
        ("backup verify", old, ("backup", "verify", str(file), *key)),
        ("restore", new, ("restore", str(file), *key)),
        ("audit verify of what was restored", new, ("audit", "verify")),
    ):
        found = measured(ngomon(*words), environ)
        size = round(file.stat().st_size / 1_000_000) if file.exists() else 0
        load = round(os.getloadavg()[0], 1)
        record("keeping", database=kind, rows=rows, step=name, **found, file_mb=size, load=load)
    file.unlink()


def main(words: list[str]) -> None:
    """`python -m bench keeping`."""
    parser = argparse.ArgumentParser(prog="python -m bench keeping", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    databases = ("sqlite", "postgresql")
    parser.add_argument("--database", nargs="+", choices=databases, default=["postgresql"])
    chosen, folder = parser.parse_args(words), scratch("keeping")
    for kind in chosen.database:
        if kind == "sqlite":
            old, new = (f"sqlite+aiosqlite:///{folder / name}.db" for name in ("old", "new"))
            steps(kind, chosen.rows, old, new, folder)
            continue
        cluster = Postgres()
        cluster.start()
        try:
            steps(kind, chosen.rows, cluster.new_database("old"), cluster.new_database("new"), folder)
        finally:
            cluster.stop()
