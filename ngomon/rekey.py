"""Re-encrypts what older keys sealed, so that an old key can be given up (security P4).

Reads work with every listed key at every moment, so this runs beside a living service, in
small transactions, and may be killed and started again: a row that is done is passed over.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.identity import likeness
from backend.accounts.identity.following import names_in
from backend.accounts.models import Attribute, Certificate, Identifier, OneTimeCode, Phone, Slip
from backend.crypto import KeyRing
from backend.db import Database
from backend.devices.models import Session
from backend.journal import KeyPrint
from backend.kit import Kit
from backend.outbox.models import System
from backend.roles.models import Manager, RequestChange, RequestStep, Role, RoleRequest, StaffRecord
from backend.support.models import Case, CaseMail, CaseMessage, DeskStaff, JoinProposal, Notice

BATCH = 200
OF_ROW = "kind"  # an identifier's index is of the kind that its row names


class Blind(NamedTuple):
    """One blind index: its column, what it is an index of, and how that is found in the plain text."""

    column: str
    kind: str
    indexed: Callable[[str], str | None] = str


class Sealed(NamedTuple):
    """One encrypted column, and the blind indexes that go with it."""

    model: type[Any]
    column: str
    blinds: tuple[Blind, ...] = ()

    @property
    def field(self) -> str:
        """How the column is named where it is sealed."""
        return f"{self.model.__tablename__}.{self.column}"


SEALED = [
    Sealed(Account, "full_name"),
    Sealed(Account, "birth_date"),
    Sealed(Identifier, "value", (Blind("blind", OF_ROW),)),
    Sealed(Phone, "number", (Blind("blind", "phone"),)),
    Sealed(OneTimeCode, "phone"),  # its index is part of the code and lives as long as the code
    Sealed(Attribute, "value"),
    Sealed(Certificate, "label"),
    Sealed(Slip, "phone"),
    Sealed(Session, "push_token"),
    Sealed(Manager, "national_id", (Blind("national_id_blind", "national_id"),)),
    Sealed(
        StaffRecord,
        "sealed",
        (
            Blind("national_id_blind", "national_id", lambda text: _of_json(text, "national_id")),
            Blind("email_blind", "official_email", lambda text: _of_json(text, "official_email")),
        ),
    ),
    Sealed(
        Role,
        "fields",
        (Blind("email_blind", "official_email", lambda text: _of_json(text, "official_email")),),
    ),
    Sealed(RoleRequest, "fields"),
    Sealed(RoleRequest, "before"),
    Sealed(RoleRequest, "note"),
    Sealed(RoleRequest, "kept_reason"),
    Sealed(RequestStep, "reason"),
    Sealed(RequestChange, "before"),
    Sealed(System, "token"),
    Sealed(DeskStaff, "national_id", (Blind("national_id_blind", "national_id"),)),
    Sealed(Case, "subject"),
    Sealed(Case, "mail_address"),
    Sealed(CaseMessage, "text"),
    Sealed(CaseMail, "recipient"),
    Sealed(CaseMail, "subject"),
    Sealed(CaseMail, "body"),
    Sealed(CaseMail, "answers"),
    Sealed(JoinProposal, "grounds"),
    Sealed(Notice, "details"),
]


class Report(NamedTuple):
    """How many values were sealed anew, and up to which journal entry older keys were given up, if any were."""

    rewritten: int
    closed: int | None


async def rotate(db: Database, kit: Kit, progress: Callable[[str, int], None], *, now: datetime) -> Report:
    """Seal everything under the newest key, then close the journal's entries and give older keys up.

    `progress` hears the column and how many were done in it. Raises Unreadable, JournalBroken, KeyMissing.
    """
    rewritten = 0
    for sealed in SEALED:
        last, done = None, 0
        while True:
            async with db.write() as tx:
                last, count = await _batch(tx, kit.keys, sealed, last)
            done += count
            if last is None:
                break
        progress(sealed.field, done)
        rewritten += done
    async with db.read() as tx:
        older = KeyPrint.retired_at.is_(None) & (KeyPrint.key_id != kit.keys.newest)
        needless = await tx.scalar(select(KeyPrint.key_id).where(older).limit(1)) is None
    return Report(rewritten, None if needless else await kit.journal.close(db, now=now))


async def _batch(tx: AsyncSession, keys: KeyRing, sealed: Sealed, last: Any) -> tuple[Any, int]:
    query = select(sealed.model).order_by(sealed.model.id).limit(BATCH).with_for_update()
    if last is not None:
        query = query.where(sealed.model.id > last)
    rows = list(await tx.scalars(query))
    changed = [row for row in rows if _is_old(getattr(row, sealed.column), keys)]
    for row in changed:
        text = keys.open(sealed.field, row.id, getattr(row, sealed.column))
        setattr(row, sealed.column, keys.seal(sealed.field, row.id, text))
        for blind in sealed.blinds:
            value = blind.indexed(text)
            kind = row.kind if blind.kind == OF_ROW else blind.kind
            if blind.column == "email_blind" and getattr(row, "left_at", None) is not None:
                value = None  # who has left the directory gave the address back
            setattr(row, blind.column, keys.blind(kind, value) if value else None)
    if sealed.model is Account:
        for row in changed:
            row.person_blind = likeness.blind_of(keys, *names_in(keys, row))
    return (rows[-1].id if len(rows) == BATCH else None), len(changed)


def _is_old(value: bytes | None, keys: KeyRing) -> bool:
    return value is not None and value[1:5] != keys.newest


def _of_json(text: str, name: str) -> str | None:
    found: str | None = msgspec.json.decode(text).get(name)
    return found
