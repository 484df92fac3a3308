"""What a clerk has read on a paper, and what a second one sees of it before typing its number (rule 1107; R37)."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.identity.following import names_of
from backend.accounts.models import Identifier
from backend.accounts.self import attributes
from backend.errors import FieldError, FieldsInvalid, gather
from backend.kit import Kit
from backend.names import clean_name, masked
from backend.outside.clock import local_day
from backend.support import texts
from backend.support.cases import Clerk
from backend.support.models import NameProposal
from backend.typed import is_forbidden

DOCUMENTS = ("cccd", "cmnd", "passport", "birth_certificate", "civil_status")
NUMBER = re.compile(r"[0-9A-ZĐ][0-9A-ZĐ/.-]{3,39}")
MOST = 100


class Draft(msgspec.Struct, frozen=True):
    """What one clerk has read on the paper."""

    full_name: str
    document: str  # one of DOCUMENTS
    document_number: str
    grounds: str

    def tidy(self, now: datetime) -> Draft:
        """As it is kept; raises FieldsInvalid with everything that is wrong."""
        name = attributes.checked("full_name", self.full_name, today=local_day(now))
        wrong = []
        if isinstance(name, FieldError) or not any(letter.isalpha() for letter in name):
            wrong.append(FieldError("full_name", "invalid", "Họ tên cần có chữ đọc được"))
        if self.document not in DOCUMENTS:
            wrong.append(FieldError("document", "unknown_option", "Giá trị không có trong danh sách"))
        number = document_number(self.document_number)
        if number is None:
            wrong.append(FieldError("document_number", "invalid", "Nhập số của giấy tờ: chữ, số, dấu / . -"))
        grounds = gather(wrong, lambda: texts.line_of_the_desk("grounds", self.grounds))
        if wrong:
            raise FieldsInvalid(*wrong)
        return Draft(clean_name(self.full_name), self.document, number or "", grounds or "")


def document_number(text: str) -> str | None:
    """A document's number as it is compared: without blanks, in capitals."""
    if len(text) > 200 or any(is_forbidden(letter) for letter in text):
        return None
    found = "".join(text.split()).upper()
    return found if NUMBER.fullmatch(found) else None


class Waiting(msgspec.Struct, frozen=True):
    """One proposal; the document's number is not shown: whoever confirms reads it on the paper."""

    id: UUID
    name: str
    full_name: str
    birth_date: str
    number: str
    document: str
    grounds: str
    by: str
    is_own: bool
    proposed_at: datetime
    expires_at: datetime


async def listed(tx: AsyncSession, kit: Kit, clerk: Clerk, *, now: datetime) -> list[Waiting]:
    """What waits for a second clerk, the oldest first; nothing of the clerk's own account."""
    query = (
        select(NameProposal)
        .where(NameProposal.expires_at > now, NameProposal.account_id != clerk.account_id)
        .order_by(NameProposal.proposed_at, NameProposal.id)
        .limit(MOST)
    )
    return [await _shown(tx, kit, row, clerk) for row in await tx.scalars(query)]


async def _shown(tx: AsyncSession, kit: Kit, row: NameProposal, clerk: Clerk) -> Waiting:
    name, born = names_of(kit, await tx.get_one(Account, row.account_id))
    by, _ = names_of(kit, await tx.get_one(Account, row.proposed_by))
    held = select(Identifier).where(Identifier.account_id == row.account_id, Identifier.ended_at.is_(None))
    numbers = [kit.keys.open("identifiers.value", one.id, one.value) for one in await tx.scalars(held)]
    document = kit.keys.open("support_names.document", row.id, row.document)
    return Waiting(
        id=row.id,
        name=name,
        full_name=kit.keys.open("support_names.full_name", row.id, row.full_name),
        birth_date="/".join(reversed((born or "").split("-"))),
        number=", ".join(map(masked, numbers)),
        document=document.partition(" ")[0],
        grounds=kit.keys.open("support_names.grounds", row.id, row.grounds),
        by=by,
        is_own=row.proposed_by == clerk.account_id,
        proposed_at=row.proposed_at,
        expires_at=row.expires_at,
    )
