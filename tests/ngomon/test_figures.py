"""What `/metrics` says: the same from every process, of all of them and of the workers, and of nobody (O03, O12)."""

from __future__ import annotations

import asyncio
import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.ext.asyncio import AsyncSession

from backend import alarms, counting, figures
from backend.account import Account
from backend.crypto import KeyRing, new_secret_key
from backend.db import Database, new_id
from backend.kit import Kit
from backend.outbox.models import Delivery, Link, System
from backend.outside.clock import Clock
from backend.watch import Watch
from ngomon.admission import admit
from ngomon.gauges import Away, Standing, exposed
from tests import databases
from tests.parts.client import client
from tests.parts.postgres import Postgres
from tests.parts.processes import Part, free_port, listens

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
OUTSIDE = {"up"}
COMMAND = (sys.executable, "-m", "ngomon")
Found = dict[tuple[str, ...], float]


@pytest.fixture(autouse=True)
def _nothing_of_the_tests_before() -> None:
    counting.take()


def samples(text: str) -> Found:
    """By name, and by labels in the order of their names."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def told(db: Database, kit: Kit) -> Found:
    await figures.keep(db)
    now = Clock().now()
    async with db.read() as tx:
        until = now + timedelta(days=40)
        return samples((await Standing.of(tx, kit, now, authority_until=until)).text().decode())


async def _some(tx: AsyncSession, kit: Kit) -> str:
    """A system with something that failed long ago, and something that waits; its identifier."""
    now, system, account = Clock().now(), new_id(), new_id()
    tx.add(System(id=system, name="Văn bản", kind="scim", url="https://8.8.8.8", created_at=now))
    tx.add(
        Account(
            id=account,
            full_name=kit.keys.seal("accounts.full_name", account, "Nguyễn Thị Ánh"),
            created_at=now,
            role_version=2,
        )
    )
    await tx.flush()
    tx.add(Link(system_id=system, account_id=account))
    for version, state, since in ((1, "dead", now - timedelta(days=9)), (2, "pending", now)):
        moment = {"not_before": since, "next_at": since, "created_at": since, "changed_at": since}
        what = {"system_id": system, "account_id": account, "version": version, "lane": 1, "state": state}
        tx.add(Delivery(**what, error="twins", **moment))
    return str(system)


async def test_o03_what_several_processes_count_adds_up_and_never_falls(database: Database, kit: Kit) -> None:
    async with database.write() as tx:
        system = await _some(tx, kit)
    before = await told(database, kit)
    for turn in range(3):  # each keep stands for another process
        counting.count("ngomon_requests", "GET", "200")
        counting.count("ngomon_deliveries", system, "synced", by=2)
        counting.took("ngomon_request_seconds", 0.02 * (turn + 1))
        alarms.alarm("journal_broken")
        await figures.keep(database)
    after = await told(database, kit)
    assert after["ngomon_requests_total", "GET", "200"] == 3
    assert after["ngomon_deliveries_total", "synced", "Văn bản"] == 6
    assert after["ngomon_alarms_total", "journal_broken"] == 3
    assert before["ngomon_alarms_total", "journal_broken"] == 0, "a zero, so that growth is seen"
    assert after["ngomon_request_seconds_count",] == 3
    assert after["ngomon_request_seconds_sum",] == pytest.approx(0.12, abs=0.001)
    assert [after["ngomon_request_seconds_bucket", bound] for bound in ("0.01", "0.025", "0.05", "+Inf")] == [
        0, 1, 2, 3,
    ]  # fmt: skip
    assert any(name[0] == "ngomon_database_seconds_count" and name[1] == "read" for name in after)
    assert all(after[name] >= value for name, value in before.items() if name[0].endswith("_total"))


async def test_o03_many_processes_keep_at_once(database: Database, kit: Kit) -> None:
    async def process() -> None:
        for _ in range(5):
            for status in ("200", "404", "500"):
                counting.count("ngomon_requests", "GET", status)
            await figures.keep(database)

    await asyncio.gather(*(process() for _ in range(8)))
    found = await told(database, kit)
    assert [found["ngomon_requests_total", "GET", status] for status in ("200", "404", "500")] == [40] * 3


async def test_o03_what_cannot_be_kept_is_kept_later(database: Database, kit: Kit, tmp_path: Path) -> None:
    counting.count("ngomon_requests", "GET", "200")
    broken = Database(f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}")
    with pytest.raises(Exception, match="figures"):
        await figures.keep(broken)
    await broken.close()
    assert (await told(database, kit))["ngomon_requests_total", "GET", "200"] == 1


async def test_o03_what_was_taken_back_is_not_counted(database: Database, kit: Kit) -> None:
    async with database.write() as tx:
        figures.counted(tx, "ngomon_logins", "vneid", "let_in")
    with pytest.raises(LookupError):
        async with database.write() as tx:
            figures.counted(tx, "ngomon_logins", "vneid", "let_in")
            raise LookupError
    assert (await told(database, kit))["ngomon_logins_total", "vneid", "let_in"] == 1


async def test_o03_how_things_stand(database: Database, kit: Kit) -> None:
    async with database.write() as tx:
        await _some(tx, kit)
    found = await told(database, kit)
    assert found["ngomon_delivery_backlog", "dead", "Văn bản"] == 1
    assert found["ngomon_delivery_backlog", "pending", "Văn bản"] == 1
    assert found["ngomon_delivery_oldest_seconds", "Văn bản"] < 3600, "what is parked does not wait"
    assert found["ngomon_sessions", "mobile"] == 0
    assert (found["ngomon_requests_open", "false"], found["ngomon_requests_open", "true"]) == (0, 0)
    assert found["ngomon_audit_head_seq",] == 0
    assert found["ngomon_sms_budget_left",] == kit.limits.sms_per_day
    assert found["ngomon_worker_seen_seconds",] == float("inf")
    assert found["ngomon_authority_seconds_left",] == pytest.approx(40 * 86400)
    assert "ngomon_key_age_seconds" not in {name for name, *_ in found}
    await admit(database, kit.keys, now=Clock().now() - timedelta(days=3))
    assert (await told(database, kit))["ngomon_key_age_seconds",] >= 3 * 86400 - 1
    assert any(name[0] == "ngomon_build_info" for name in found)
    await figures.worker_is_here(database, Clock().now() - timedelta(seconds=40))
    await figures.worker_is_here(database, Clock().now() - timedelta(seconds=30))
    assert 30 <= (await told(database, kit))["ngomon_worker_seen_seconds",] < 40
    away = samples(exposed(Away()).decode())
    assert away == {("ngomon_database_up",): 0.0}, "an old total would look like a restart"


async def test_a_worker_at_rest_beside_its_server_writes_nothing(tmp_path: Path) -> None:
    database = Database(databases.sqlite(tmp_path))
    with closing(Watch(database)) as watch:
        before = watch.version()
        await figures.worker_is_here(database, Clock().now())
        assert watch.version() == before, "whoever waits for something written would look again"
    await database.close()


async def test_o12_every_alert_asks_for_figures_that_there_are(database: Database, kit: Kit) -> None:
    async with database.write() as tx:
        await _some(tx, kit)
    await admit(database, kit.keys, now=Clock().now())
    counting.count("ngomon_requests", "GET", "200")
    given = {name for name, *_ in await told(database, kit)}
    rules = re.findall(r"^ +expr: (.+)$", (DEPLOY / "alerts.yaml").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rules) > 5
    for rule in rules:
        asked = set(re.findall(r"\bngomon_\w+|\bup\b", rule))
        assert asked and asked <= given | OUTSIDE, rule
    named = set(re.findall(r'alarm=~?"([\w|]+)"', "\n".join(rules)))
    assert {name for names in named for name in names.split("|")} <= set(alarms.NAMES)


@pytest.fixture
def installation(postgres: Postgres) -> dict[str, str]:
    key = new_secret_key()
    url = databases.postgres(postgres, "figures")
    asyncio.run(databases.ready(url, KeyRing.parse(key)))
    return {"NGOMON_DATABASE_URL": url, "NGOMON_SECRET_KEYS": key, "NGOMON_LIMIT_DRAIN": "1"}


@pytest.fixture
def served(installation: dict[str, str]) -> Iterator[tuple[int, int]]:
    """Two server processes and a worker on one PostgreSQL; the ports of the first, and of the health of the second."""
    port = free_port()
    server = Part(
        "serve", (*COMMAND, "serve", "--port", str(port), "--workers", "2"), environment=installation
    )
    health = free_port()
    words = (*COMMAND, "worker", "--health-port", str(health))
    worker = Part("worker", words, environment=installation)
    server.start(lambda: listens(port), patience=120)
    worker.start(lambda: listens(health), patience=120)
    yield port, health
    worker.stop()
    server.stop()


async def test_o03_o04_any_of_two_server_processes_tells_of_both_and_of_the_worker(
    served: tuple[int, int],
) -> None:
    url, health = f"http://127.0.0.1:{served[0]}", f"{served[1]:04X}"
    places = [line.split()[1:4:2] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    assert [place for place, state in places if state == "0A" and place.endswith(health)] == [
        f"0100007F:{health}"
    ], "a worker's health is this machine's own"
    seen: Counter[str] = Counter()

    async def figures_now() -> Found:
        async with client() as http:  # a connection of its own: either process may have it
            return samples((await http.get(f"{url}/metrics")).text)

    async def worker_is_seen() -> bool:
        return (await figures_now())["ngomon_worker_seen_seconds",] < 60

    for _ in range(20):
        async with client() as http:
            seen[str((await http.get(f"{url}/health/live")).status_code)] += 1
    assert seen == {"200": 20}
    for _ in range(60):
        if await worker_is_seen():
            break
        await asyncio.sleep(0.5)
    told = [await figures_now() for _ in range(12)]
    answered = [one["ngomon_requests_total", "GET", "200"] for one in told]
    assert answered == sorted(answered), "a fall looks like a restart"
    assert told[-1]["ngomon_worker_seen_seconds",] < 60
