"""What lets an operator sleep: figures, a worker's health, a log to read, and the files to install by."""

from __future__ import annotations

import configparser
import io
import json
import re
import secrets
from pathlib import Path
from typing import Any

import httpx2
import pytest
from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.alarms import raised
from backend.crypto import new_secret_key
from backend.db import Database, new_id
from backend.environment import load
from backend.outbox.models import Delivery, Link, System
from backend.outside.clock import Clock
from ngomon.app import create_app
from ngomon.commands.logs import logs
from ngomon.figures import Figures
from ngomon.gauges import Standing
from ngomon.health_port import health
from tests import databases
from workspace import sync_labels

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
OUTSIDE = {"up"}
NEVER_KEPT = {"cannot_be_read", "no_mail_directory", "no_such_mail"}  # said at once, by no delivery


async def _some(tx: AsyncSession) -> None:
    """A system with something that failed, and something that waits."""
    now, system, account = Clock().now(), new_id(), new_id()
    tx.add(System(id=system, name="Văn bản", kind="scim", url="https://8.8.8.8", created_at=now))
    tx.add(Account(id=account, full_name=b"sealed", created_at=now, role_version=2))
    await tx.flush()
    tx.add(Link(system_id=system, account_id=account))
    for version, state in ((1, "dead"), (2, "pending")):
        moment = {"not_before": now, "next_at": now, "created_at": now, "changed_at": now}
        tx.add(
            Delivery(
                system_id=system,
                account_id=account,
                version=version,
                lane=1,
                state=state,
                error="twins",
                **moment,
            )
        )


async def figures_of(db: Database) -> str:
    async with db.read() as tx:
        standing = await Standing.of(tx, Clock().now())
    return (Figures().text() + standing.text()).decode()


async def test_o03_how_things_stand_is_the_same_from_every_process_and_names_nobody(tmp_path: Path) -> None:
    url = databases.sqlite(tmp_path)
    one, other = Database(url), Database(url)
    async with one.write() as tx:
        await _some(tx)
    said = [await figures_of(db) for db in (one, other)]
    steady = [[line for line in text.splitlines() if "oldest" not in line] for text in said]
    assert steady[0] == steady[1]
    found = {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(said[0])
        for sample in family.samples
    }
    assert found["ngomon_delivery_backlog", "dead", "Văn bản"] == 1
    assert found["ngomon_delivery_backlog", "pending", "Văn bản"] == 1
    assert found["ngomon_delivery_oldest_seconds", "Văn bản"] >= 0
    assert found["ngomon_sessions", "mobile"] == 0
    assert found["ngomon_audit_head_seq",] == 0
    assert any(name[0] == "ngomon_build_info" for name in found)
    await one.close()
    await other.close()


async def test_o04_a_worker_says_that_it_lives_and_whether_it_can_work(tmp_path: Path) -> None:
    db = Database(databases.sqlite(tmp_path))
    async with health(db, "127.0.0.1", 0) as port, httpx2.AsyncClient() as http:
        for path, status in (("/health/live", 200), ("/health/ready", 200), ("/metrics", 404)):
            assert (await http.get(f"http://127.0.0.1:{port}{path}")).status_code == status
        (tmp_path / "ngomon.db").write_bytes(b"")
        other = Database(f"sqlite+aiosqlite:///{tmp_path}/ngomon.db")
        async with health(other, "127.0.0.1", 0) as second:
            answer = await http.get(f"http://127.0.0.1:{second}/health/ready")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert (await http.get(f"http://127.0.0.1:{second}/health/live")).status_code == 200
        await other.close()
    async with health(db, "127.0.0.1", None) as nothing:
        assert nothing is None
    await db.close()


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (
            {
                "event": "request",
                "method": "GET",
                "path": "/v1/me",
                "status": 200,
                "ms": 2.1,
                "level": "info",
            },
            "GET /v1/me was answered 200 in 2.1 ms",
        ),
        ({"event": "alarm", "alarm": "database_full", "level": "error"}, "error: ALARM: database_full"),
        (
            {"event": "roll_broke", "level": "error", "exception": "Traceback…\nValueError: x"},
            "error: roll broke (ValueError: x)",
        ),
    ],
)
def test_o20_the_log_is_read_as_sentences(event: dict[str, object], said: str) -> None:
    line = json.dumps({"timestamp": "2026-05-04T05:00:00Z", **event})
    result = CliRunner().invoke(logs, input=f"{line}\nserving on port 8000\n", catch_exceptions=False)
    assert result.output == f"04/05/2026 12:00:00  {said}\nserving on port 8000\n"


async def test_o12_every_alert_asks_for_figures_that_there_are(tmp_path: Path) -> None:
    db = Database(databases.sqlite(tmp_path))
    async with db.write() as tx:
        await _some(tx)
    figures = Figures()
    figures.request("GET", 200, 0.1)
    async with db.read() as tx:
        text = (figures.text() + (await Standing.of(tx, Clock().now())).text()).decode()
    await db.close()
    given = {s.name for family in text_string_to_metric_families(text) for s in family.samples}
    rules = re.findall(r"^ +expr: (.+)$", (DEPLOY / "alerts.yaml").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rules) > 5
    for rule in rules:
        asked = set(re.findall(r"\bngomon_\w+|\bup\b", rule))
        assert asked and asked <= given | OUTSIDE, rule
    assert {"database_away", "database_full", "journal_broken"} <= set(raised)


async def test_o13_o21_production_without_google_shows_a_plain_page(tmp_path: Path) -> None:
    app = create_app(
        load(
            {
                "NGOMON_PROFILE": "production",
                "NGOMON_DATABASE_URL": databases.sqlite(tmp_path),
                "NGOMON_SECRET_KEYS": new_secret_key(),
                "NGOMON_PUBLIC_URL": "https://cong.example",
                "NGOMON_VNEID_ISSUER": "https://dinh-danh.example",
                "NGOMON_VNEID_CLIENT_ID": "cong",
                "NGOMON_VNEID_CLIENT_SECRET": "secret",
                "NGOMON_SMS_URL": "kannel://user:pass@sms:13013/?from=HUE-S",
                "NGOMON_METRICS_TOKEN": secrets.token_hex(16),
            }
        )
    )
    assert await app.outside.push.send("token", "title", "body", {}), "a token is kept for the day of push"
    transport: Any = httpx2.ASGITransport(app=app)  # type: ignore[arg-type]
    async with httpx2.AsyncClient(transport=transport, base_url="https://cong.example") as http:
        for lang, word in (("vi", "Chào mừng đến Hue-S"), ("en", "Welcome to Hue-S")):
            answer = await http.get("/", params={"lang": lang})
            assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
            assert f"<h1>{word}</h1>" in answer.text and 'href="/workspace"' in answer.text
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert (await http.get("/nothing")).status_code in {401, 404}
    await app.db.close()


def test_the_units_are_hardened_and_start_what_there_is() -> None:
    for name, command in (("ngomon", "serve"), ("ngomon-worker", "worker --health-port")):
        unit = configparser.ConfigParser(strict=False, interpolation=None)
        unit.optionxform = str  # type: ignore[assignment,method-assign]
        unit.read_file(io.StringIO((DEPLOY / f"{name}.service").read_text(encoding="utf-8")))
        service = unit["Service"]
        assert f"/ngomon {command}" in service["ExecStart"]
        assert (service["NoNewPrivileges"], service["ProtectSystem"], service["PrivateTmp"]) == (
            "yes",
            "strict",
            "yes",
        )
        assert service["CapabilityBoundingSet"] == ""
    compose = (DEPLOY / "compose.yaml").read_text(encoding="utf-8").partition("\nsecrets:")[0]
    assert set(re.findall(r"^  ([\w-]+):$", compose, re.MULTILINE)) == {
        "database", "migrate", "server-1", "server-2", "worker", "proxy",
    }  # fmt: skip
    proxy = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    assert "proxy_buffering off" in proxy and proxy.count("{") == proxy.count("}")


def test_o24_every_word_of_a_failed_delivery_has_its_row_and_its_sentence() -> None:
    root = DEPLOY.parent
    said = {
        word
        for folder in ("backend/outside/connectors", "backend/outbox")
        for path in (root / folder).rglob("*.py")
        for word in re.findall(r'DeliveryError\(\s*"(\w+)"', path.read_text(encoding="utf-8"))
    }
    assert len(said) > 20
    rows = (root / "docs/problems.md").read_text(encoding="utf-8").partition("## Deliveries to systems")[2]
    unexplained = {word for word in said - NEVER_KEPT if f"`{word}`" not in rows}
    assert unexplained == set()
    general = sync_labels.cause("of a kind that nobody has seen")
    assert {word for word in said - NEVER_KEPT if sync_labels.cause(word) == general} == set()
