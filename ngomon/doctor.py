"""Checks every counterpart and setting, one line each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pysqlite3
from rich.console import Console
from sqlalchemy import text

from backend.db import SAFE_WAL, Database
from backend.errors import Refusal
from backend.outside.clock import Clock
from backend.settings import Settings
from ngomon.app import Outside

Check = Callable[[], Awaitable[str]]


async def examine(settings: Settings, out: Console) -> bool:
    """Print a line per check; True when all are well."""
    outside = Outside(settings, Clock())

    async def database() -> str:
        db = Database(settings.database_url)
        try:
            async with db.read() as tx:
                step = await tx.scalar(text("SELECT version_num FROM alembic_version"))
        finally:
            await db.close()
        return f"{db.url.get_backend_name()}, schema {step}"

    async def eid() -> str:
        if settings.has_stand_in_eid:
            return "stand-in (demo)"
        await outside.eid.begin(settings.vneid_redirect_uri)
        return f"{settings.vneid_issuer} answers discovery"

    async def sms() -> str:
        return "stand-in inbox (demo)" if settings.sms_url.startswith("inbox:") else "Kannel is configured"

    checks: dict[str, Check] = {
        "database": database,
        "e-ID": eid,
        "SMS": sms,
        "push": lambda: _push(settings),
        "SQLite": _sqlite,
        "certificates": lambda: _certificates(outside),
    }
    well = True
    for name, check in checks.items():
        try:
            out.print(f"[green]ok[/green]   {name}: {await check()}")
        except Exception as error:  # noqa: BLE001 - the doctor names every trouble and goes on
            well = False
            cause = error.code if isinstance(error, Refusal) else type(error).__name__
            out.print(f"[red]fail[/red] {name}: {cause}")
    await outside.http.close()
    await outside.certificates.close()
    return well


async def _certificates(outside: Outside) -> str:
    accepted = outside.certificates
    if accepted.unchecked:
        return f"{accepted.authorities} authorities; EMERGENCY SWITCH: revoked certificates may get in"
    return f"{accepted.authorities} authorities" if accepted.authorities else "none is accepted"


async def _push(settings: Settings) -> str:
    return "Firebase is configured" if settings.fcm_credentials else "stand-in inbox (demo)"


async def _sqlite() -> str:
    safe = pysqlite3.sqlite_version_info >= SAFE_WAL
    return (
        f"{pysqlite3.sqlite_version}, {'WAL' if safe else 'rollback journal: WAL is unsafe in this release'}"
    )
