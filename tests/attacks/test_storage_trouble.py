"""The database is away, or its disk is full: everybody is told to come back, nothing is lost, nobody restarts anything."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from backend.alarms import raised
from backend.db import Database
from backend.hosts import REST
from backend.kit import Kit
from backend.outbox.bell import Bell
from backend.outbox.delivery import Connections, Deliverer
from backend.outbox.line import Line
from backend.outside.clock import Clock
from backend.outside.http import Guarded
from backend.roles import desired
from backend.watch import Watch
from tests.checker import check
from tests.parts.postgres import Postgres
from tests.parts.processes import within
from tests.phone import Phone
from tests.service import Service, running

READS = [("GET", "/v1/me"), ("GET", "/v1/roles"), ("GET", "/v1/sessions")]


@pytest.fixture
def cluster() -> Iterator[Postgres]:
    """A PostgreSQL that a test may stop."""
    part = Postgres(durable=False)
    part.start()
    yield part
    part.stop()


@pytest_asyncio.fixture
async def town(cluster: Postgres) -> AsyncIterator[Service]:
    async with running(cluster.new_database("trouble")) as service:
        yield service
        await check(service.db, service.kit)


def told_to_come_back(answer: httpx2.Response, code: str) -> None:
    """RFC 9457 and a time, as from everything that is not ready."""
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["code"] == code
    assert answer.json()["instance"] == f"urn:request:{answer.headers['x-request-id']}"


async def begin(phone: Phone) -> httpx2.Response:
    about = {"platform": "android", "name": "Máy thử", "model": "Mẫu 1"}
    return await phone.open("/v1/logins", {"method": "vneid", "device": about})


async def token(phone: Phone) -> httpx2.Response:
    return await phone.open("/v1/token", {"refresh_token": phone.session["refresh_token"]})


async def test_o06_o17_a_database_that_is_away_is_said_of_every_call_and_comes_back_by_itself(
    town: Service, cluster: Postgres
) -> None:
    phone = await town.sign_in()
    before = raised["database_away"]
    cluster.kill()
    with capture_logs() as said:
        for method, path in READS:
            told_to_come_back(await phone.call(method, path), "database_unavailable")
        told_to_come_back(await token(phone), "database_unavailable")
        told_to_come_back(await begin(town.phone()), "database_unavailable")
        page = await town.http.get("/workspace", headers={"Cookie": f"ngomon={'a' * 43}"})
        assert (page.status_code, page.headers["retry-after"]) == (503, "5")
        assert "vui lòng thử lại sau ít phút" in page.text
        assert (await town.http.get("/health/ready")).status_code == 503
        assert (await town.http.get("/health/live")).status_code == 200
    assert raised["database_away"] > before
    assert [line for line in said if line.get("exc_info")] == [], "one short line, no traceback"
    cluster.start()
    await asyncio.sleep(REST)  # in which nobody asks
    assert (await phone.call("GET", "/v1/me")).status_code == 200
    assert (await token(phone)).status_code == 200
    assert (await town.http.get("/health/ready")).status_code == 200


async def test_o06_a_delivery_that_finds_no_database_is_nobodys_failed_try(
    cluster: Postgres, kit: Kit
) -> None:
    db = Database(cluster.new_database("nobody"))
    cluster.stop()
    deliverer = Deliverer(
        db, kit, desired.desired, Clock(), Connections(kit, Guarded((), reply_bytes=1, timeout=1))
    )
    stop = asyncio.Event()
    line = Line(uuid4(), db, kit, Clock(), Bell(db), deliverer, Watch(db))
    with capture_logs() as said:
        serving = asyncio.create_task(line.serve(stop))
        async with within(20, "a word about the database"):
            while not any(entry["event"] == "database_trouble" for entry in said):
                await asyncio.sleep(0.02)
        stop.set()
        await serving
    others = {"journal_head"}  # whatever service runs beside this test says that once a minute
    assert {entry["event"] for entry in said} - others == {"database_trouble"}
    await db.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="a disk of its own is mounted by root only")
async def test_b33_a_full_disk_is_said_and_it_goes_on_when_there_is_room(small_disk: Path) -> None:
    async with running(f"sqlite+aiosqlite:///{small_disk / 'ngomon.db'}") as service:
        phone = await service.sign_in()
        before = raised["database_full"]
        with (small_disk / "filling").open("wb", buffering=0) as filling:
            while True:
                try:
                    filling.write(bytes(4096))
                except OSError:
                    break
        answers = [await begin(service.phone()) for _ in range(60)]  # the log of writes has some room left
        told_to_come_back(answers[-1], "storage_full")
        assert {answer.status_code for answer in answers} <= {201, 503}
        ready = await service.http.get("/health/ready")
        assert (ready.status_code, ready.json()["code"]) == (503, "not_ready")
        assert raised["database_full"] > before
        (small_disk / "filling").unlink()
        assert (await begin(service.phone())).status_code == 201
        assert (await phone.call("GET", "/v1/me")).status_code == 200
        assert (await service.http.get("/health/ready")).status_code == 200
        await check(service.db, service.kit)
