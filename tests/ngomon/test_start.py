"""How a server refuses to start: one line per cause, exit code 1 (rules 1001, 1002).

`run` and `COMMAND` are new interpreters, and stay so: here each command that runs for long, `migrate`, `doctor` and
`demo` are proved to start from nothing.
"""

from __future__ import annotations

import asyncio
import fcntl
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from backend.crypto import KeyRing, new_secret_key
from backend.db import Database
from ngomon.commands.serve import described
from ngomon.server import is_loopback
from tests import databases
from tests.parts.command import Run, environment
from tests.parts.postgres import Postgres
from tests.parts.processes import free_port

COMMAND = [sys.executable, "-m", "ngomon"]


def migrated(folder: Path, key: str) -> None:
    """What `ngomon migrate` makes in that folder."""
    url = environment(folder)["NGOMON_DATABASE_URL"]
    asyncio.run(databases.ready(url, KeyRing.parse(key)))


def run(folder: Path, *words: str, **environ: str) -> tuple[int, list[str]]:
    """The exit code and what the command complained about."""
    done = subprocess.run(
        [*COMMAND, *words],
        env=environment(folder, **environ),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr.strip().splitlines()


@pytest.mark.parametrize("words", [["serve", "--port", "1"], ["worker"]])
def test_an_empty_database_is_not_served(tmp_path: Path, words: list[str]) -> None:
    code, said = run(tmp_path, *words)
    assert code == 1 and len(said) == 1 and "ngomon migrate" in said[0]


def test_a_second_server_on_one_sqlite_file_says_so_and_ends(tmp_path: Path, within: Run) -> None:
    keys = {"NGOMON_SECRET_KEYS": new_secret_key()}
    migrated(tmp_path, keys["NGOMON_SECRET_KEYS"])
    with (tmp_path / "ngomon.db.server").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        code, said = within("serve", "--port", "1", **keys)
    assert code == 1 and len(said) == 1 and "another server or worker" in said[0]


@pytest.mark.parametrize("words", [["serve", "--port"], ["worker"]])
def test_what_runs_says_in_one_line_what_it_does(tmp_path: Path, words: list[str]) -> None:
    keys = {"NGOMON_SECRET_KEYS": new_secret_key()}
    migrated(tmp_path, keys["NGOMON_SECRET_KEYS"])
    port = str(free_port())
    command = [*COMMAND, *words, port] if words[0] == "serve" else [*COMMAND, *words]
    with subprocess.Popen(
        command, env=environment(tmp_path, **keys), stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        line = running.stdout.readline()
        running.terminate()
        rest = running.stdout.read()
    assert f"SQLite {tmp_path / 'ngomon.db'}" in line and rest == ""
    assert words[0] == "worker" or f"http://127.0.0.1:{port}" in line


@pytest.mark.parametrize("words", [["migrate"], ["serve"], ["worker"], ["managers", "list"]])
def test_o19_a_database_that_is_not_there_is_one_line(tmp_path: Path, within: Run, words: list[str]) -> None:
    (tmp_path / "file").touch()
    for url in (
        f"postgresql+asyncpg://ngomon:tests-only@127.0.0.1:{free_port()}/x",
        "postgresql+asyncpg://ngomon:tests-only@nobody.invalid/x",
        f"sqlite+aiosqlite:///{tmp_path}/file/ngomon.db",
    ):
        code, said = within(*words, NGOMON_DATABASE_URL=url)
        lines = [line for line in said if not line.startswith("{")]  # the log's own
        assert (code, len(lines)) == (1, 1), said
        assert lines[0].startswith("ngomon: the database does not answer: ") and "tests-only" not in lines[0]


def test_o19_a_database_that_nobody_made_is_named(within: Run, postgres: Postgres) -> None:
    for words in (["migrate"], ["serve"], ["managers", "list"]):
        code, said = within(*words, NGOMON_DATABASE_URL=postgres.url("nobodys"))
        assert (code, said) == (
            1,
            ['ngomon: the database does not answer: database "nobodys" does not exist'],
        )


def test_o19_a_port_that_cannot_be_served_is_one_line(tmp_path: Path, within: Run) -> None:
    keys = {"NGOMON_SECRET_KEYS": new_secret_key()}
    migrated(tmp_path, keys["NGOMON_SECRET_KEYS"])
    with socket.create_server(("127.0.0.1", 0)) as held:
        taken = str(held.getsockname()[1])
        code, said = within("serve", "--port", taken, **keys)
        worker = within("worker", "--health-port", taken, **keys)
    assert code == 1 and len(said) == 1
    assert said[0].startswith(f"ngomon: cannot serve on 127.0.0.1 port {taken}: Address already in use")
    assert worker == (code, said)
    for port in ("99999", "0"):
        code, said = within("serve", "--port", port, **keys)
        assert code == 1 and len(said) == 1 and f"{port} is not in the range" in said[0]


@pytest.mark.parametrize("module", ["ngomon", "ngomon.cli"])
def test_o13_the_command_is_a_module_too(tmp_path: Path, module: str) -> None:
    asked = [sys.executable, "-m", module, "--version"]
    done = subprocess.run(asked, env=environment(tmp_path), capture_output=True, text=True, check=True)
    assert "ngomon, version" in done.stdout


def test_the_line_about_a_database_holds_no_password() -> None:
    db = Database("postgresql+asyncpg://ngomon:tests-only@db.example:5432/hue?password=tests-only")
    assert described(db) == "PostgreSQL db.example/hue"
    socket = Database("postgresql+asyncpg://ngomon@/hue?host=/var/run/postgresql")
    assert described(socket) == "PostgreSQL /var/run/postgresql/hue"


def test_the_doctor_ends_with_1_when_something_is_wrong(tmp_path: Path, within: Run) -> None:
    keys = {"NGOMON_SECRET_KEYS": new_secret_key()}
    assert run(tmp_path, "doctor", **keys)[0] == 1
    migrated(tmp_path, keys["NGOMON_SECRET_KEYS"])
    assert within("doctor", **keys) == (0, [])
    assert within("doctor")[0] == 1, "another key than the data's"


def test_several_server_processes_need_postgresql(within: Run) -> None:
    code, said = within("serve", "--port", "1", "--workers", "2")
    assert code == 1 and "PostgreSQL" in said[0]


def test_every_wrong_setting_is_named_at_once(within: Run) -> None:
    code, said = within("doctor", NGOMON_FOO="1", NGOMON_OTP_LIFETIME="soon")
    assert code == 1
    assert sorted(line.split(":")[1].strip() for line in said) == ["NGOMON_FOO", "NGOMON_OTP_LIFETIME"]


def test_a_fresh_journal_is_whole_and_a_wiped_one_is_not(within: Run) -> None:
    keys = {"NGOMON_SECRET_KEYS": new_secret_key()}
    assert within("migrate", **keys)[0] == 0
    assert within("audit", "verify", **keys)[0] == 0
    code, said = within("audit", "verify")
    assert code == 1 and "cannot check: key missing" in said[0], "another key did not seal this head"


OUTSIDE = [
    "0.0.0.0",
    "::",
    "192.0.2.7",
    "10.0.0.5",
    "",
    "gate.example",
    "localhost.example",
    "::ffff:10.0.0.5",
]


@pytest.mark.parametrize("host", OUTSIDE)
def test_a18_the_demo_is_not_served_to_other_machines(within: Run, host: str) -> None:
    code, said = within("serve", "--host", host, "--port", "1")
    assert code == 1 and len(said) == 1 and said[0].startswith(f"ngomon: --host {host}:"), said


def test_a18_this_machine_has_these_names_and_no_others() -> None:
    assert all(map(is_loopback, ["127.0.0.1", "127.8.9.1", "::1", "localhost"]))
    assert not any(map(is_loopback, OUTSIDE))


def test_a18_the_demo_itself_takes_no_other_address(tmp_path: Path) -> None:
    code, said = run(tmp_path, "demo", "--host", "0.0.0.0")
    assert code == 1 and "--host" in said[0]


def test_a20_every_command_refuses_a_limit_that_is_none_but_the_three_that_need_no_setting(
    within: Run,
) -> None:
    wide = {"NGOMON_PROFILE": "production", "NGOMON_LIMIT_OTP_ATTEMPTS": "1000000"}
    for words in (["limits"], ["doctor"], ["migrate"], ["serve"], ["worker"], ["managers", "list"], ["keys", "rotate"], ["audit", "verify"]):  # fmt: skip
        code, said = within(*words, **wide)
        assert code == 1, words
        assert any(line.startswith("ngomon: NGOMON_LIMIT_OTP_ATTEMPTS:") for line in said), (words, said)
    for words in (["--help"], ["--version"], ["keys", "new"]):
        assert within(*words, **wide)[0] == 0


def test_o13_a20_production_migrates_with_database_and_keys_alone(tmp_path: Path) -> None:
    assert run(tmp_path, "migrate", NGOMON_PROFILE="production") == (0, [])
