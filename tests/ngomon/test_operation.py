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
from sqlalchemy import text

from backend.crypto import new_secret_key
from backend.db import Database, new_id
from backend.environment import load
from backend.outbox import circuit
from ngomon import delivery_words
from ngomon.app import create_app
from ngomon.commands.logs import logs
from ngomon.health_port import health
from ngomon.migrations import migrate
from ngomon.server import bound
from tests import databases
from tests.parts.postgres import Postgres
from workspace import sync_labels

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
NEVER_KEPT = {
    "cannot_be_read",
    "no_mail_directory",
    "no_such_mail",
    "mail_directory_unavailable",
    "mail_password_uncertain",
}  # said at once, by no delivery


async def test_o04_a_worker_says_that_it_lives_and_whether_it_can_work(tmp_path: Path) -> None:
    db = Database(databases.sqlite(tmp_path))
    (door, other_door) = bound("127.0.0.1", 0) + bound("127.0.0.1", 0)
    port, second = door.getsockname()[1], other_door.getsockname()[1]
    async with health(db, [door]), httpx2.AsyncClient() as http:
        for path, status in (("/health/live", 200), ("/health/ready", 200), ("/metrics", 404)):
            assert (await http.get(f"http://127.0.0.1:{port}{path}")).status_code == status
        (tmp_path / "ngomon.db").write_bytes(b"")
        other = Database(f"sqlite+aiosqlite:///{tmp_path}/ngomon.db")
        async with health(other, [other_door]):
            answer = await http.get(f"http://127.0.0.1:{second}/health/ready")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert (await http.get(f"http://127.0.0.1:{second}/health/live")).status_code == 200
        await other.close()
    await db.close()


async def test_o04_a_worker_whose_database_refuses_to_write_is_not_ready(postgres: Postgres) -> None:
    """A standby answers every question, and a worker on it can note nothing of what it does."""
    url = postgres.new_database(f"r{new_id().hex}")
    await migrate(url)
    whole = Database(url)
    async with whole.engine.connect() as connection:
        name = whole.engine.url.database
        await connection.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'))
        await connection.commit()
    await whole.close()
    (door,), db = bound("127.0.0.1", 0), Database(url)
    async with health(db, [door]), httpx2.AsyncClient() as http:
        at = f"http://127.0.0.1:{door.getsockname()[1]}/health"
        assert (await http.get(f"{at}/ready")).status_code == 503
        assert (await http.get(f"{at}/live")).status_code == 200
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
            {"event": "nobody_knows", "level": "error", "exception": "Traceback…\nValueError: x"},
            "error: nobody knows (ValueError: x)",
        ),
    ],
)
def test_o20_the_log_is_read_as_sentences(event: dict[str, object], said: str) -> None:
    line = json.dumps({"timestamp": "2026-05-04T05:00:00Z", **event})
    result = CliRunner().invoke(logs, input=f"{line}\nserving on port 8000\n", catch_exceptions=False)
    assert result.output == f"04/05/2026 12:00:00  {said}\nserving on port 8000\n"


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
    assert await app.outside.push.send("token", "title", "body", {}, mark="1"), (
        "a token is kept for the day of push"
    )
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
    assert int(re.findall(r"worker_connections (\d+);", proxy)[0]) >= 4096
    services = re.split(r"^  (?=[\w-]+:$)", compose.partition("services:")[2], flags=re.MULTILINE)
    again = {one.partition(":")[0] for one in services if "restart: unless-stopped" in one}
    assert again == {"database", "server-1", "server-2", "worker", "proxy"}, "migrate runs once"
    kept_out = (DEPLOY.parent / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {".git/", ".venv/", "/data/", "**/.keys", "/deploy/env", "/deploy/*.password"} <= set(kept_out)


def test_o14_o24_every_word_of_a_failed_delivery_has_its_row_and_its_sentence() -> None:
    root = DEPLOY.parent
    said = {
        word
        for folder in ("backend/outside", "backend/outbox")
        for path in (root / folder).rglob("*.py")
        for word in re.findall(
            r'DeliveryError\(\s*f?"(\w+)|^    code = "(\w+)"', path.read_text(encoding="utf-8"), re.MULTILINE
        )
        if "connectors" in path.parts or "outbox" in path.parts or path.name in {"addresses.py", "http.py"}
    }
    words = {first or second for first, second in said if not first.endswith("_")}
    assert len(words) > 25
    every = (words | circuit.OF_SYSTEM) - NEVER_KEPT
    assert {word for word in every if delivery_words.cause_of(word) is None} == set()
    general = sync_labels.cause("of a kind that nobody has seen")
    assert {word for word in words - NEVER_KEPT if sync_labels.cause(word) == general} == set()
    named = [word for cause in delivery_words.CAUSES for word in cause.words]
    assert len(named) == len(set(named))
    assert delivery_words.cause_of("rejected_19") != delivery_words.cause_of("ldap_19")
