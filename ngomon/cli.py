"""The one command, `ngomon` (contract §2)."""

from __future__ import annotations

import asyncio
import os
import sys

import rich_click as click

from backend.accounts.identity import numbers
from backend.crypto import KeyRing, KeyTrouble
from backend.db import Database
from backend.devices import takeover
from backend.errors import Refusal
from backend.kit import Kit
from backend.outside.clock import Clock
from backend.settings import Settings, SettingsError, load, with_keys
from backend.trouble import PoolerBetween
from ngomon import doctor, logs, migrations, server
from ngomon.app import create_app
from ngomon.commands import Wrong, by, opened, out, show
from ngomon.commands.account_import import import_ as import_accounts
from ngomon.commands.audit import audit
from ngomon.commands.keys import keys
from ngomon.commands.managers import managers
from ngomon.commands.notices import notices
from ngomon.commands.staff import staff
from ngomon.commands.support import support
from ngomon.commands.systems import systems
from ngomon.commands.units import units
from workspace.static_files import AssetsMissing


@click.group(help="Ngọ Môn: một người, một tài khoản, một thiết bị, đúng vai trò ở mọi hệ thống.")
@click.version_option(package_name="ngomon")
def command() -> None:
    """The group that all commands hang on."""


@command.command(help="Migrate, seed a province, and start everything with stand-ins on one port.")
@click.option("--port", default=8000, show_default=True)
@click.option("--fresh", is_flag=True, help="Forget the earlier demo first.")
def demo(port: int, fresh: bool) -> None:
    """What `make run` starts."""
    from ngomon.demo import start  # the stand-ins are an extra that servers do not need

    start.run(port=port, fresh=fresh, out=out)


@command.command(help="Run the API and the workspace.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 64))
def serve(host: str, port: int, workers: int) -> None:
    """On SQLite one process, which carries the worker too."""
    settings = _settings()
    if settings.is_demo and not server.is_loopback(host):
        raise Wrong(
            f"--host {host}: the demo opens its inbox and its e-ID to whoever comes, so it is served on this machine "
            "only (127.0.0.1, ::1, localhost); other machines get NGOMON_PROFILE=production"
        )
    logs.set_up(quiet=False)
    db = Database(settings.database_url)
    if db.is_sqlite and workers > 1:
        raise Wrong("SQLite takes one server process; use PostgreSQL for --workers above 1")
    _ensure_ready(settings)
    with server.only_one(db):
        out.print(f"serving on http://{host}:{port}, processes: {workers}, {_described(db)}")
        app = create_app(settings) if workers == 1 else "ngomon.app:from_environment"
        server.serve(app, host=host, port=port, limits=settings.limits, workers=workers)


@command.command(help="Deliver to the downstream systems; on PostgreSQL any number may run.")
def worker() -> None:
    """The same loop that a server on SQLite carries."""
    from ngomon import alone

    settings = _settings()
    logs.set_up(quiet=False)
    _ensure_ready(settings)
    db = Database(settings.database_url)
    with server.only_one(db):
        out.print(f"delivering to the downstream systems, {_described(db)}")
        asyncio.run(alone.run_worker(settings))


@command.command(help="Bring the database to the newest schema.")
def migrate() -> None:
    """Safe to repeat; it needs database and keys, and asks for nothing else."""
    settings = with_keys(load(os.environ, storage_only=True))
    asyncio.run(migrations.migrate(settings.database_url, KeyRing.parse(settings.secret_keys)))
    out.print("database is at the newest schema")


@command.command(name="limits", help="Print every limit in force.")
def limits_() -> None:
    """Seconds and counts, by the names under which they are set."""
    limits = _settings().limits
    show(
        ("setting", "value"),
        [(f"NGOMON_LIMIT_{name.upper()}", str(getattr(limits, name))) for name in limits.__struct_fields__],
    )


@command.command(name="doctor", help="Check every counterpart and setting, one line each.")
def doctor_() -> None:
    """Exit 1 when something is wrong."""
    logs.set_up(quiet=True)  # what the calls log goes to standard error, beside the lines
    if not asyncio.run(doctor.examine(_settings(), out)):
        sys.exit(1)


@command.group(help="Accounts.")
def accounts() -> None:
    """Account commands."""


@accounts.command(help="Lift the freeze after checking the person who reported a take-over.")
@click.option("--national-id", required=True)
@by.option
def thaw(national_id: str) -> None:
    """The operator's half of "Không phải tôi"."""

    async def lift(db: Database, kit: Kit, _: Settings) -> None:
        async with db.write() as tx:
            account_id = await numbers.holder_of(tx, kit, national_id)
            if account_id is None:
                raise takeover.NotFrozen
            await takeover.thaw(tx, kit, account_id, now=Clock().now())

    opened(lift)
    out.print("the account may sign in again")


accounts.add_command(import_accounts)
for group in (audit, units, staff, managers, systems, support, notices, keys):
    command.add_command(group)


def _ensure_ready(settings: Settings) -> None:
    """The newest schema, and the keys of the data."""
    if not asyncio.run(migrations.is_current(settings.database_url)):
        raise Wrong(
            "the database does not have the newest schema (or does not answer): run `ngomon migrate` first"
        )

    async def admitted(*_: object) -> None:
        """What every job asks before it begins."""

    opened(admitted)


def _settings() -> Settings:
    return with_keys(load(os.environ))


def _described(db: Database) -> str:
    """Which database, without what lets one in."""
    return f"SQLite {db.file}" if db.is_sqlite else f"PostgreSQL {db.url.host}/{db.url.database}"


def main() -> None:
    """Run, and turn every known cause into one line and exit code 1."""
    try:
        sys.exit(command(prog_name="ngomon", standalone_mode=False))
    except click.ClickException as error:
        _fail(_usage(error))
    except (click.Abort, KeyboardInterrupt):
        _fail("stopped")
    except SettingsError as error:
        _fail(*error.problems)
    except (Wrong, KeyTrouble, server.Busy, AssetsMissing, PoolerBetween) as error:
        _fail(str(error))
    except Refusal as refusal:
        _fail(f"{refusal.code}: {refusal.detail or refusal.title}")


def _usage(error: click.ClickException) -> str:
    """What is wrong with the words of a command, in one line, and where to read on."""
    where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else "ngomon"
    return f"{' '.join(error.format_message().split())} See `{where} --help`."


def _fail(*lines: str) -> None:
    for line in lines:
        print(f"ngomon: {line}", file=sys.stderr)
    sys.exit(1)
