"""A server at rest hardly looks, still stops as soon as it is asked to, and knows the time (rule 1002).

And what starts takes along what it needs, not everything that the product is made of.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from backend.crypto import new_secret_key
from backend.environment import load
from ngomon import quiet
from ngomon.__main__ import LOOKED_AFTER
from ngomon.server import options
from tests import databases
from tests.parts.processes import ROOT, free_port, within


async def nothing(_scope: Any, _receive: Any, _send: Any) -> None:
    """An application of which nothing is asked."""


async def test_a_server_at_rest_stops_as_soon_as_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quiet, "TICK", 3600.0)
    config = uvicorn.Config(nothing, lifespan="off", log_config=None)
    config.load()
    server = quiet.QuietServer(config)
    loop = asyncio.create_task(server.main_loop())
    await asyncio.sleep(0)
    assert server.server_state.default_headers, "the Date is there before the first answer"
    server.handle_exit(signal.SIGTERM, None)
    async with within(10, "the end of the server's loop"):
        await loop


def test_an_answer_has_the_date_of_its_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config, dates, now = (
        uvicorn.Config(nothing, headers=[("x-own", "1")], server_header=False, log_config=None),
        quiet.Dates(),
        0.0,
    )
    config.load()
    state = ServerState()
    monkeypatch.setattr(time, "time", lambda: now)
    for now, date in ((784111777.0, b"37"), (784111777.9, b"37"), (784111778.0, b"38"), (784111777.0, b"37")):
        before = state.default_headers
        dates.renew(config, state)
        made = [(b"date", b"Sun, 06 Nov 1994 08:49:" + date + b" GMT"), (b"x-own", b"1")]
        assert state.default_headers == made
        assert (state.default_headers is before) == (now == 784111777.9)


async def test_the_date_of_an_answer_is_right_though_the_server_has_rested(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port = free_port()
    chosen = options(load({})) | {"loop": "none", "lifespan": "off"}
    server = quiet.QuietServer(uvicorn.Config(nothing, port=port, **chosen))
    serving = asyncio.create_task(server._serve())
    async with within(20, "two answers"):
        while not server.started:
            await asyncio.sleep(0.02)
        for ahead in (0, 1000):
            monkeypatch.setattr(time, "time", lambda ahead=ahead: 784111777.0 + ahead)
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert formatdate(784111777 + ahead, usegmt=True).encode() in await reader.read()
            writer.close()
        server.handle_exit(signal.SIGTERM, None)
        await serving


LOADED = """
import sys
import time
import {modules}
print(*(name for name in {heavy!r} if name in sys.modules))
"""
WIRE = (
    "httpx2",
    "httpcore2",
    "litestar",
    "jinja2",
    "phonenumbers",
    "cryptography.x509",
    "scim2_models",
    "pydantic",
)

SELDOM = ("zxcvbn", "altcha", "smtplib", "imaplib", "prometheus_client")


SPAWNS = """
import gc, multiprocessing
from ngomon.__main__ import main
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as processes:
        print(gc.get_threshold(), processes.apply(gc.get_threshold))
"""


@pytest.mark.parametrize(
    ("modules", "heavy"),
    [
        ("ngomon.commands.managers, ngomon.commands.opening, ngomon.commands.causes", WIRE),
        ("ngomon.app, demo.stand", ("scim2_models", "pydantic", "phonenumbers", *SELDOM)),
    ],
    ids=["a command", "a server with its stand-ins"],
)
def test_what_starts_loads_no_library_that_it_does_not_use_yet(modules: str, heavy: tuple[str, ...]) -> None:
    asked = [sys.executable, "-c", LOADED.format(modules=modules, heavy=heavy)]
    done = subprocess.run(asked, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_every_process_of_a_server_looks_after_garbage_as_the_first_does(tmp_path: Path) -> None:
    """A program like that which the installer writes; uvicorn spawns its processes from it."""
    program = tmp_path / "ngomon"
    program.write_text(SPAWNS, encoding="utf-8")
    asked = [sys.executable, str(program)]
    own = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(asked, env=own, capture_output=True, text=True, check=True)
    assert done.stdout == f"{LOOKED_AFTER} {LOOKED_AFTER}\n"


SERVES = """
import gc, os, sys
from backend.environment import load
from ngomon import server
from ngomon.app import from_environment

async def looks(_scope, receive, send):
    await receive()
    print(gc.get_freeze_count() > 100_000, flush=True)
    await send({"type": "lifespan.startup.failed", "message": "it has looked"})

if sys.argv[1] == "alone":
    server.serve(looks, server.bound("127.0.0.1", 0), settings=load(os.environ))
else:
    from_environment()
    print(gc.get_freeze_count() > 100_000)
"""


@pytest.mark.parametrize("how", ["alone", "one of several"])
def test_what_a_server_has_loaded_is_never_looked_through_again(tmp_path: Path, how: str) -> None:
    own = {
        "NGOMON_DATABASE_URL": databases.sqlite(tmp_path),
        "NGOMON_SECRET_KEYS": new_secret_key(),
        "NGOMON_PUBLIC_URL": "http://127.0.0.1:8000",
    }
    asked = [sys.executable, "-c", SERVES, how]
    done = subprocess.run(asked, env=os.environ | own, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "True" in done.stdout.split(), done.stderr
