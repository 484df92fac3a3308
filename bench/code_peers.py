"""A sign-in by code as others built it: better-auth and django-allauth; CPU of the server's processes for both calls.

Each in an environment of its own (bench/environments.py), rate limits off, no journal and nothing sealed; ours beside
them is `sign_in`. Flows one after another; the code reaches the bench as a datagram.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import uvloop

from bench.cpu import cpu_seconds, tree
from bench.environments import NotThere, node_with, python_with
from bench.results import record
from bench.town import right
from bench.wire import Wire
from tests.parts.processes import Part, free_port, listens, scratch

PEERS = Path(__file__).parent / "peers"
WARM = 20
ALLAUTH = ("django-allauth[headless]", "django>=5.2,<5.3", "gunicorn", "phonenumbers")


class Codes(asyncio.DatagramProtocol):
    """Where the codes arrive."""

    def __init__(self) -> None:
        self._came: dict[str, asyncio.Future[str]] = {}

    def datagram_received(self, data: bytes, _: object) -> None:
        """One code."""
        phone, _space, code = data.decode().partition(" ")
        self._of(phone).set_result(code)

    async def of(self, phone: str) -> str:
        """The next one to this phone."""
        async with asyncio.timeout(10):
            code = await self._of(phone)
        del self._came[phone]
        return code

    def _of(self, phone: str) -> asyncio.Future[str]:
        return self._came.setdefault(phone, asyncio.get_running_loop().create_future())


class Peer(NamedTuple):
    """A server and what one sign-in is there."""

    name: str
    command: Callable[[Path, int, int, int], tuple[list[str | Path], dict[str, str]]]
    flow: Callable[[Wire, Codes, str], Awaitable[None]]


async def by_better_auth(wire: Wire, codes: Codes, phone: str) -> None:
    """The number, then the code."""
    right(await wire.ask("POST", "/api/auth/phone-number/send-otp", {"phoneNumber": phone}))
    said = {"phoneNumber": phone, "code": await codes.of(phone)}
    assert right(await wire.ask("POST", "/api/auth/phone-number/verify", said))["token"]


async def by_allauth(wire: Wire, codes: Codes, phone: str) -> None:
    """The same."""
    asked = right(await wire.ask("POST", "/_allauth/app/v1/auth/code/request", {"phone": phone}), 401)
    token = {"x_session_token": asked["meta"]["session_token"]}
    path = "/_allauth/app/v1/auth/code/confirm"
    right(await wire.ask("POST", path, {"code": await codes.of(phone)}, **token))


def better_auth(folder: Path, port: int, codes: int, _people: int) -> tuple[list[str | Path], dict[str, str]]:
    """The server's program beside its packages."""
    packages = node_with("better-auth", ["better-auth", "better-sqlite3"])
    program = packages / "better_auth.mjs"
    program.write_bytes((PEERS / "better_auth.mjs").read_bytes())
    return ["node", program, folder, str(port), str(codes)], {"NODE_ENV": "production"}


def allauth(folder: Path, port: int, codes: int, people: int) -> tuple[list[str | Path], dict[str, str]]:
    """gunicorn with threads, its fastest server in our trials; its people are there before."""
    python = python_with("allauth", ALLAUTH)
    environ = {
        "PEER_FOLDER": str(folder),
        "CODES": str(codes),
        "DJANGO_SETTINGS_MODULE": "allauth_site.settings",
    }
    environ["PYTHONPATH"] = str(PEERS)
    seed: list[str | Path] = [python, "-m", "allauth_site.seed", str(people)]
    subprocess.run(seed, check=True, env=os.environ | environ)
    serve: list[str | Path] = [
        python,
        "-m",
        "gunicorn",
        "-b",
        f"127.0.0.1:{port}",
        "-w",
        "1",
        "-k",
        "gthread",
    ]
    serve += [
        "--threads",
        "4",
        "--keep-alive",
        "60",
        "--log-level",
        "warning",
        "allauth_site.wsgi:application",
    ]
    return serve, environ


@asynccontextmanager
async def posted() -> AsyncIterator[tuple[Codes, int]]:
    """Where codes arrive, and at which port."""
    loop = asyncio.get_running_loop()
    transport, codes = await loop.create_datagram_endpoint(Codes, ("127.0.0.1", 0))
    try:
        yield codes, transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


async def measured(peer: Peer, flows: int) -> dict[str, Any]:
    """One peer's figures; raises NotThere."""
    port, folder = free_port(), scratch(f"bench-{peer.name}")
    async with posted() as (codes, codes_port):
        command, environ = peer.command(folder, port, codes_port, flows + WARM)
        part = Part(f"bench-{peer.name}", command, environment=environ)
        part.start(lambda: listens(port), patience=120)
        try:
            before = 0.0
            async with Wire(port) as wire:
                for number in range(flows + WARM):
                    if number == WARM:
                        before = sum(map(cpu_seconds, tree(part.pid)))
                    await peer.flow(wire, codes, f"+8455070{number:04d}")
            used = sum(map(cpu_seconds, tree(part.pid))) - before
        finally:
            part.stop()
    cpu = round(used / flows * 1000, 2)
    return {"peer": peer.name, "flows": flows, "cpu_ms": cpu, "load": round(os.getloadavg()[0], 1)}


def main(words: list[str]) -> None:
    """`python -m bench code_peers`."""
    parser = argparse.ArgumentParser(prog="python -m bench code_peers", description=__doc__)
    parser.add_argument("--flows", type=int, default=200)
    flows = parser.parse_args(words).flows
    for peer in (Peer("better-auth", better_auth, by_better_auth), Peer("allauth", allauth, by_allauth)):
        try:
            record("code_peers", **uvloop.run(measured(peer, flows)))
        except NotThere as error:
            record("code_peers", peer=peer.name, not_done=str(error))
