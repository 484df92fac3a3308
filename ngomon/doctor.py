"""Checks every counterpart and setting, one line each (rule 1002)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import pysqlite3
from rich.console import Console
from rich.text import Text
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError, ProgrammingError, SQLAlchemyError

from backend.crypto import KeyRing, KeyTrouble, Unreadable
from backend.db import Database
from backend.engines import SAFE_WAL
from backend.errors import Refusal
from backend.kit import Kit
from backend.outbox.models import System
from backend.outside.addresses import HttpTrouble
from backend.outside.clock import Clock
from backend.outside.connectors import DeliveryError
from backend.outside.connectors.kinds import ConnectorMissing
from backend.outside.eid import eid_provider
from backend.outside.eid.eid import EId
from backend.outside.eid.eid_provider import Provider
from backend.outside.http import Guarded
from backend.pooler import PoolerBetween, expect_own_connections
from backend.settings import Settings
from backend.trouble import StorageTrouble, named
from ngomon import admission, migrations, reach, trusted
from ngomon.commands.causes import cause as database_cause
from ngomon.commands.causes import said_of
from ngomon.reach import Ill
from ngomon.tasks import outgoing

IN_ALL = 20.0  # seconds for all checks, which run at the same time
STAND_IN = "stand-in of the demo, which comes and goes with the server"
NOT = "not configured"
OK, FAIL, UNSET = "ok", "fail", "-"
COLOURS = {OK: "green", FAIL: "red", UNSET: "dim"}

Check = Callable[[], Awaitable[str]]


class Unset(Exception):
    """Nothing is configured, and nothing has to be; the text says what that means."""


async def examine(settings: Settings, out: Console) -> bool:
    """Print a line per check; True when none failed. Nothing is sent to anybody, and nothing is written."""
    db, http = Database(settings.database_url), outgoing(settings)
    end = asyncio.get_running_loop().time() + IN_ALL

    def begun(checks: dict[str, Check]) -> dict[str, asyncio.Task[tuple[str, str]]]:
        return {name: asyncio.create_task(_outcome(check, end)) for name, check in checks.items()}

    try:
        found = begun(_own(settings, db) | _counterparts(settings, http))
        found |= begun(await _systems(settings, db, http))
        well = True
        for name, task in found.items():
            state, words = await task
            well = well and state != FAIL
            out.print(Text.assemble((f"{state:<4}", COLOURS[state]), f" {name}: {words}"))
        return well
    finally:
        await http.close()
        await db.close()


async def _outcome(check: Check, end: float) -> tuple[str, str]:
    try:
        async with asyncio.timeout_at(end):
            return OK, await check()
    except Unset as unset:
        return UNSET, str(unset)
    except Exception as error:  # noqa: BLE001 - the doctor names every trouble and goes on
        return FAIL, _cause(error)


def _cause(error: Exception) -> str:
    """In words that hold no secret, and what lies under them where that is what has to be mended."""
    under = reach.why(error)
    return f"{_words(error)}: {under}" if under else _words(error)


def _words(error: Exception) -> str:
    """Of an unforeseen error its kind only."""
    if isinstance(error, Ill | ConnectorMissing | KeyTrouble | PoolerBetween):
        return str(error)
    if isinstance(error, StorageTrouble):
        return said_of(error)
    if isinstance(error, Refusal | HttpTrouble | DeliveryError):
        return error.code
    if isinstance(error, OperationalError | ProgrammingError):
        return database_cause(error)
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, Unreadable):
        return "its token is sealed under a key that is not listed"
    return type(error).__name__


def _own(settings: Settings, db: Database) -> dict[str, Check]:
    engine = {"SQLite": _sqlite} if db.is_sqlite else {}  # PostgreSQL stands in the line of the database
    return {
        "settings": lambda: _settings(settings),
        "database": lambda: _database(settings, db),
        "keys": lambda: _keys(settings, db),
        **engine,
        "certificates": lambda: _certificates(settings),
        "app links": lambda: _app_links(settings),
    }


async def _settings(settings: Settings) -> str:
    return f"profile {settings.profile}; every variable is known and can be what it says"


async def _database(_: Settings, db: Database) -> str:
    with named():
        await expect_own_connections(db.engine)
    async with db.read() as tx:
        step = await tx.scalar(text("SELECT version_num FROM alembic_version"))
    if step != migrations.newest():
        raise Ill(f"schema {step} is not the one of this release: run `ngomon migrate`")
    return f"{db.url.get_backend_name()}, schema {step}"


async def _keys(settings: Settings, db: Database) -> str:
    """Nothing is written here: a new key in front is remembered when a process starts."""
    keys = KeyRing.parse(settings.secret_keys)
    async with db.read() as tx:
        known = await admission.known(tx, keys)
    return "those of the data" if known else "not yet in the database: the next start or command proves them"


async def _sqlite() -> str:
    safe = pysqlite3.sqlite_version_info >= SAFE_WAL
    journal = "WAL" if safe else "rollback journal: WAL is unsafe in this release"
    return f"{pysqlite3.sqlite_version}, {journal}"


async def _certificates(settings: Settings) -> str:
    accepted = trusted.certificates(settings, None)
    switch = "; EMERGENCY SWITCH: revoked certificates may get in" if accepted.unchecked else ""
    if settings.is_demo and not settings.trusted_cas:
        return "the demo's own authority" + switch
    return (f"{accepted.authorities} authorities" if accepted.authorities else "none is accepted") + switch


async def _app_links(settings: Settings) -> str:
    """Nobody is asked: the shops' servers ask us."""
    named = {
        "Android": (settings.android_package, "/.well-known/assetlinks.json"),
        "iOS": (settings.apple_bundle_id, "/.well-known/apple-app-site-association"),
    }
    words = "; ".join(
        f"{kind}: {app}" if app else f"{kind}: {NOT}, {path} is 404 and such links open in the browser"
        for kind, (app, path) in named.items()
    )
    if not settings.android_package and not settings.apple_bundle_id:
        raise Unset(words)
    return words


def _counterparts(settings: Settings, http: Guarded) -> dict[str, Check]:
    """Everybody whom the settings name, or could name."""

    async def eid(provider: Provider | None) -> str:
        assert provider is not None, "nobody is asked whom the settings do not name"
        return await reach.eid(EId(provider, http, Clock()), http)

    unanswered = "not configured: registration, recovery and phone change answer registry_unavailable"
    nobody = "inbox:" if settings.is_demo else ""
    table: dict[str, tuple[str, Callable[[str], Awaitable[str]], str]] = {
        "VNeID": (settings.vneid.issuer, lambda _: eid(eid_provider.vneid(settings)), NOT),
        "post office": (settings.post_office.issuer, lambda _: eid(eid_provider.post_office(settings)), NOT),
        "subscriber registry": (settings.subscribers_url, lambda url: reach.registry(url, http), unanswered),
        "social insurance": (
            settings.social_insurance_url,
            lambda url: reach.registry(url, http),
            unanswered,
        ),
        "SMS": (settings.sms_url, lambda url: reach.sms(url, http), NOT),
        "push": (
            settings.fcm_credentials or nobody,
            lambda file: reach.push(file, settings.fcm_endpoint),
            f"{NOT}: nobody is pushed anything, what is new is read in the app",
        ),
        "mailbox (IMAP)": (settings.support_imap_url, reach.mailbox, f"{NOT}: no mail is read"),
        "mail server (SMTP)": (settings.support_smtp_url, reach.mail_server, f"{NOT}: mails wait"),
    }
    return {name: partial(_asked, settings, *row) for name, row in table.items()}


async def _asked(
    settings: Settings, where: str, check: Callable[[str], Awaitable[str]], otherwise: str
) -> str:
    if not where:
        raise Unset(otherwise)
    return STAND_IN if _is_stand_in(settings, where) else await check(where)


def _is_stand_in(settings: Settings, where: str) -> bool:
    return settings.is_demo and (where == "inbox:" or where.startswith(f"{settings.public_url}/demo/"))


async def _systems(settings: Settings, db: Database, http: Guarded) -> dict[str, Check]:
    """One check per downstream system; none can be named while the database does not answer."""
    try:
        async with asyncio.timeout(reach.PATIENCE), db.read() as tx:
            found = list(await tx.scalars(select(System).order_by(System.name)))
    except (SQLAlchemyError, OSError, StorageTrouble):  # a TimeoutError is an OSError
        return {"systems": _unknown}
    kit = Kit.of(KeyRing.parse(settings.secret_keys), settings.limits, brand=settings.brand)
    return {f"system {one.name}": partial(_system, settings, kit, one, http) for one in found} or {
        "systems": _no_system
    }


async def _system(settings: Settings, kit: Kit, found: System, http: Guarded) -> str:
    if found.disabled_at is not None:
        raise Unset("disabled")
    return STAND_IN if _is_stand_in(settings, found.url) else await reach.system(found, kit, http)


async def _no_system() -> str:
    raise Unset(f"{NOT}: roles stay here")


async def _unknown() -> str:
    raise Ill("the database does not say which there are")
