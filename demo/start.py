"""`ngomon demo`: everything on one port, in one process, on SQLite."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import click
from rich.console import Console
from sqlalchemy import select

from backend.crypto import KeyRing
from backend.db import Database
from backend.environment import SettingsError, load, with_keys
from backend.kit import Kit
from backend.outside.clock import Clock
from backend.roles.models import Unit
from backend.settings import Settings
from demo.larger import enlarge
from demo.seed import seed, tell_systems_again
from demo.stand import Stand
from ngomon import logs, migrations, server
from ngomon.app import create_app


def run(
    *, port: int, fresh: bool, out: Console, people: int = 0, waiting: int = 0, seed_only: bool = False
) -> None:
    """Migrate, seed, print the addresses, serve until Ctrl-C."""
    settings = load({"NGOMON_PUBLIC_URL": f"http://127.0.0.1:{port}"} | dict(os.environ))
    if not settings.is_demo:
        raise SettingsError(["NGOMON_PROFILE: ngomon demo runs in the demo profile only"])
    _free(port)
    logs.set_up(quiet=True)
    database = Database(settings.database_url)
    with server.only_one(database):
        if fresh and database.file is not None:
            _forget(database.file)
        settings = with_keys(settings)
        with out.status("Đang chuẩn bị… · getting ready…"):
            asyncio.run(_prepare(settings, people, waiting))
        if seed_only:
            out.print(f"{people} people in a role and {waiting} waiting requests more")
            return
        _welcome(settings, out)
        app = create_app(settings, carry_worker=True)
        server.serve(app.asgi, server.bound("127.0.0.1", port), settings=settings)


async def _prepare(settings: Settings, people: int, waiting: int) -> None:
    keys = KeyRing.parse(settings.secret_keys)
    await migrations.migrate(settings.database_url, keys)
    clock, kit = Clock(), Kit.of(keys, settings.limits, brand=settings.brand, days=settings.days)
    db = Database(settings.database_url)
    try:
        if not await seed(db, kit, Stand(settings, clock), issuer=settings.vneid.issuer, now=clock.now()):
            await tell_systems_again(db, now=clock.now())
        if people or waiting:
            async with db.read() as tx:
                units = list(
                    await tx.scalars(select(Unit.id).where(Unit.ended_on.is_(None)).order_by(Unit.code))
                )
            await enlarge(db, kit, units=units, people=people, waiting=waiting, now=clock.now())
    finally:
        await db.close()


def _free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise click.ClickException(
                f"port {port} is taken. Choose another: make run PORT={port + 1}"
            ) from error


def _forget(file: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{file}{suffix}").unlink(missing_ok=True)
    for old in (*file.parent.glob(f"{file.stem}.proofs*"), *file.parent.glob(f"{file.stem}.system-*.json")):
        old.unlink()


def _welcome(settings: Settings, out: Console) -> None:
    url = settings.public_url
    out.print(
        f"\n[bold]Ngọ Môn[/bold] · bản thử / demo\n\n  Bắt đầu ở đây · start here   [bold]{url}/[/bold]",
        markup=True,
    )
    for label, path in {
        "Điện thoại · phone": "/demo/phone",
        "Không gian làm việc · workspace": "/workspace",
        "Hộp tin · inbox": "/demo/inbox",
        "Hệ thống nhận · systems": "/demo/systems",
        "API": "/schema",
    }.items():
        out.print(f"  {label:<32} {url}{path}")
    out.print("\n  Ctrl-C để dừng · to stop\n")
