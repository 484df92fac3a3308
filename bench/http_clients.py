"""What a post costs by our guarded client, by its library bare, and by aiohttp (decision 0026)."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from bench.results import record
from tests.parts.processes import Part, free_port, listens

CLIENT = Path(__file__).parent / "peers/http_client.py"
FOLDER = Path(__file__).parent / "results"


def python_of(client: str) -> str | Path:
    """Who has the client: we, or an environment of its own that is made at first use."""
    if client != "aiohttp":
        return sys.executable
    python = FOLDER / "aiohttp-venv/bin/python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", python.parent.parent], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "aiohttp", "uvloop"], check=True)
    return python


def main(words: list[str]) -> None:
    """`python -m bench http_clients`."""
    parser = argparse.ArgumentParser(prog="python -m bench http_clients", description=__doc__)
    parser.add_argument("--posts", type=int, default=4000)
    parser.add_argument("--at-once", type=int, nargs="+", default=[1, 8, 16])
    given = parser.parse_args(words)
    for at_once in given.at_once:
        for client in ("guarded", "httpx2", "aiohttp"):
            port = free_port()
            part = Part("bench-system", [sys.executable, "-m", "bench.system_sink", str(port)])
            part.start(lambda: listens(port), patience=60)  # noqa: B023 - asked before the next
            try:
                command = [python_of(client), CLIENT, client, str(port), str(given.posts), str(at_once)]
                environ = os.environ | {"PYTHONPATH": str(CLIENT.parents[2])}
                said = subprocess.run(command, check=True, capture_output=True, text=True, env=environ)
            finally:
                part.stop()
            load = round(os.getloadavg()[0], 1)
            record("http_clients", client=client, at_once=at_once, load=load, **json.loads(said.stdout))
