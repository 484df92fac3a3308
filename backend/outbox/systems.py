"""The downstream systems: connect, list, disable, compare (rule 1002)."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.db import in_parts, new_id
from backend.facts import SystemConnected, SystemDisabled, SystemSecretRotated
from backend.kit import Kit
from backend.outbox import queue
from backend.outbox.models import Link, System
from backend.outside import connectors
from backend.outside.addresses import AddressRefused, HttpTrouble
from backend.outside.connectors import webhook
from backend.outside.connectors.kinds import kind_of, load_in_thread
from backend.outside.connectors.learnt import Learnt, written
from backend.outside.http import Guarded

LONGEST_NAME, LONGEST_URL = 80, 500


class SystemTrouble(Exception):
    """What is wrong with a system as somebody described it; for the operator's eyes."""


class InScope(Protocol):
    """The people with a role in force within a system's units, with their versions; the roles know."""

    def __call__(self, tx: AsyncSession, system: System, /) -> Awaitable[Sequence[tuple[UUID, int]]]:
        """Read in the caller's transaction; each person once."""
        ...


async def check(http: Guarded, *, kind: str, url: str, options: str = "{}") -> None:
    """Refuse a kind that is not there, and an address that we do not call; before anything is written.

    Raises SystemTrouble, and ConnectorMissing when the connector or a library of it is not installed.
    """
    await load_in_thread(kind)
    if len(url) > LONGEST_URL:
        raise SystemTrouble("the address is too long")
    try:
        await connectors.check(kind, url, options, http)
    except AddressRefused as error:
        raise SystemTrouble(
            f"the address is refused: it must be {kind_of(kind).public},"
            " or be listed in NGOMON_ALLOWED_PRIVATE_HOSTS, and hold no user name"
        ) from error
    except ValueError as error:
        raise SystemTrouble(str(error)) from error
    except HttpTrouble as error:
        raise SystemTrouble("the host of this address is not known") from error


async def add(
    tx: AsyncSession,
    kit: Kit,
    *,
    name: str,
    kind: str,
    url: str,
    token: str | None,
    unit_codes: Sequence[str],
    people: InScope,
    by: UUID | None,
    now: datetime,
    options: str = "{}",
    keeps_mail: bool = False,
) -> tuple[System, int]:
    """Connect a system, or connect a disabled one again, and tell it of everybody in its scope; how many.

    One at most keeps the passwords of the official mail (rule 173).
    """
    if not name.strip() or len(name) > LONGEST_NAME or "/" in name:
        raise SystemTrouble(
            f"a name has 1 to {LONGEST_NAME} characters, and no slash: it stands in an address"
        )
    system = await tx.scalar(select(System).where(System.name == name).with_for_update())
    if system is not None and system.disabled_at is None:
        raise SystemTrouble(f"there is a system {name!r} already")
    if system is None:
        system = System(id=new_id(), name=name, created_at=now)
        tx.add(system)
    else:
        await queue.begin_anew(tx, system, to=(kind, url.rstrip("/"), options), now=now)
    system.kind, system.url, system.options, system.keeps_mail = kind, url.rstrip("/"), options, keeps_mail
    system.learnt = written(Learnt(since=now.isoformat()))
    system.token = kit.keys.seal("systems.token", system.id, token) if token else None
    system.unit_codes = msgspec.json.encode(sorted(set(unit_codes))).decode()
    system.disabled_at, system.paused_until, system.stopped_until, system.failures = None, None, None, 0
    system.reconciled_at, system.comparing_until = now, None
    await tx.flush()
    if keeps_mail:
        await _refuse_a_second_mail_directory(tx, system)
    told = await affected(tx, system, people)
    await queue.backfill(tx, system.id, told, now=now)
    kit.journal.record(tx, SystemConnected(system=system.id), by=by, now=now)
    return system, len(told)


async def _refuse_a_second_mail_directory(tx: AsyncSession, system: System) -> None:
    if system.kind != "ldap":
        raise SystemTrouble("only a directory (ldap) can keep the passwords of the official mail")
    query = select(System.name).where(System.keeps_mail, System.disabled_at.is_(None), System.id != system.id)
    if other := await tx.scalar(query):
        raise SystemTrouble(f"{other!r} keeps the passwords of the official mail already")


async def affected(tx: AsyncSession, system: System, people: InScope) -> list[tuple[UUID, int]]:
    """Everybody whom the system should know, or is known to know."""
    linked = (
        select(Account.id, Account.role_version)
        .join(Link, Link.account_id == Account.id)
        .where(Link.system_id == system.id, Link.delivered_version > 0)
    )
    found: dict[UUID, int] = {}
    async for rows in in_parts(tx, linked):
        found |= {row.id: row.role_version for row in rows}
    found |= dict(await people(tx, system))
    return sorted(found.items(), key=lambda one: one[0].int)  # numbers: identifiers compare far more slowly


async def named(tx: AsyncSession, name: str) -> System:
    """The system of that name."""
    system = await tx.scalar(select(System).where(System.name == name))
    if system is None:
        raise SystemTrouble(f"there is no system {name!r}")
    return system


async def disable(tx: AsyncSession, kit: Kit, name: str, *, by: UUID | None, now: datetime) -> System:
    """Send it nothing more; what waits stays, and goes out when it is connected again."""
    system = await named(tx, name)
    if system.disabled_at is not None:
        raise SystemTrouble(f"{name!r} is disabled already")
    system.disabled_at = now
    kit.journal.record(tx, SystemDisabled(system=system.id), by=by, now=now)
    return system


async def rotate_secret(tx: AsyncSession, kit: Kit, name: str, *, by: UUID | None, now: datetime) -> str:
    """Have a webhook signed with a new secret from now on, and with the old one too for the overlap; the new one."""
    system = await named(tx, name)
    if system.kind != "webhook" or system.token is None:
        raise SystemTrouble(f"{name!r} is no webhook, and has no secret that signs")
    kept = webhook.Secrets.read(kit.keys.open("systems.token", system.id, system.token))
    fresh = webhook.new_secret()
    until = now + timedelta(seconds=kit.limits.secret_overlap)
    both = kept.followed_by(fresh, until)
    system.token = kit.keys.seal("systems.token", system.id, both.written())
    kit.journal.record(tx, SystemSecretRotated(system=system.id), by=by, now=now)
    return fresh
