"""What is shown of cases: to whoever quotes a code, to the person, and to the desk (rule 1101)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import Select, exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.kit import Kit
from backend.names import masked
from backend.support import cases, codes, desks
from backend.support.cases import Clerk
from backend.support.models import Case, CaseMessage, Desk
from backend.words import say


class Stands(msgspec.Struct, frozen=True):
    """Who stands behind a genuine code, and until when; nothing of the case.

    `desk_wrote` is false while nobody of the desk has: whoever opened the case has the code too, and may quote it.
    """

    desk: str
    mailbox: str
    phone: str
    valid_until: datetime
    account_id: UUID | None
    desk_wrote: bool


class Message(msgspec.Struct, frozen=True):
    """One contribution."""

    author: str
    text: str
    at: datetime


class CaseView(msgspec.Struct, frozen=True):
    """A case in clear; `who` is the person's name, or the masked address of a mail."""

    id: UUID
    code: str
    status: str
    origin: str
    desk: Desk
    subject: str
    who: str
    by_mail: bool
    is_own: bool
    opened_at: datetime
    closed_at: datetime | None
    valid_until: datetime
    messages: list[Message]


async def stands_behind(tx: AsyncSession, kit: Kit, text: str, *, now: datetime) -> Stands | None:
    """Which desk a quoted code is of, however typed; nothing for one unknown, too old, or no code at all."""
    code = codes.as_printed(text)
    if not codes.is_code(code):
        return None
    wrote = exists().where(CaseMessage.case_id == Case.id, CaseMessage.author == cases.DESK)
    query = select(Case, Desk, wrote).join(Desk, Desk.id == Case.desk_id)
    found = (await tx.execute(query.where(Case.code == code, Desk.removed_at.is_(None)))).one_or_none()
    if found is None:
        return None
    case, desk, desk_wrote = found
    until = cases.valid_until(kit, case)
    if now >= until:
        return None
    return Stands(desk.name, desk.mailbox, desk.phone, until, case.account_id, desk_wrote)


async def mine(
    tx: AsyncSession, kit: Kit, account_id: UUID, *, lang: str, before: UUID | None = None, most: int = 50
) -> list[CaseView]:
    """The person's own cases with what was written, newest first; subjects of ours are said in `lang`."""
    query = select(Case).where(Case.account_id == account_id).order_by(Case.id.desc()).limit(most)
    found = await _views(tx, kit, query.where(Case.id < before) if before else query, account_id)
    return [msgspec.structs.replace(one, subject=_said(one, lang)) for one in found]


def _said(case: CaseView, lang: str) -> str:
    """A subject that "Không phải tôi" wrote is two sentences of ours; what a person wrote stays as it is."""
    if case.origin not in ("notice", "takeover"):
        return case.subject
    first, colon, rest = case.subject.partition(": ")
    return f"{say(first, lang)}{colon}{say(rest, lang)}"


async def inbox(
    tx: AsyncSession,
    kit: Kit,
    clerk: Clerk,
    *,
    now: datetime,
    status: str | None,
    before: UUID | None,
    most: int,
) -> list[CaseView]:
    """The cases of the clerk's desks, newest first, without what was written in them."""
    staffed = [desk.id for desk in await desks.staffed_by(tx, clerk.blinds, now=now)]
    query = select(Case).where(Case.desk_id.in_(staffed)).order_by(Case.id.desc()).limit(most)
    query = query.where(Case.status == status) if status else query
    query = query.where(Case.id < before) if before else query
    return await _views(tx, kit, query, clerk.account_id, written=False)


async def one(tx: AsyncSession, kit: Kit, clerk: Clerk, case_id: UUID, *, now: datetime) -> CaseView:
    """One case of the clerk's desks; raises CaseNotFound."""
    return await _one(tx, kit, clerk, select(Case).where(Case.id == case_id), now)


async def by_code(tx: AsyncSession, kit: Kit, clerk: Clerk, code: str, *, now: datetime) -> CaseView:
    """The same by its code, as a caller reads it out; raises CaseNotFound."""
    return await _one(tx, kit, clerk, select(Case).where(Case.code == codes.as_printed(code)), now)


async def _one(tx: AsyncSession, kit: Kit, clerk: Clerk, query: Select[Case], now: datetime) -> CaseView:
    staffed = [desk.id for desk in await desks.staffed_by(tx, clerk.blinds, now=now)]
    found = await _views(tx, kit, query.where(Case.desk_id.in_(staffed)), clerk.account_id)
    if not found:
        raise cases.CaseNotFound
    return found[0]


async def _views(
    tx: AsyncSession, kit: Kit, query: Select[Case], viewer: UUID, *, written: bool = True
) -> list[CaseView]:
    found = list(await tx.scalars(query))
    named = select(Desk).where(Desk.id.in_({case.desk_id for case in found}))
    at = {desk.id: desk for desk in await tx.scalars(named)}
    accounts = {case.account_id for case in found if case.account_id}
    people = {one.id: one for one in await tx.scalars(select(Account).where(Account.id.in_(accounts)))}
    messages = await _written(tx, kit, [case.id for case in found]) if written else {}
    return [
        CaseView(
            id=case.id,
            code=case.code,
            status=case.status,
            origin=case.origin,
            desk=at[case.desk_id],
            subject=kit.keys.open("support_cases.subject", case.id, case.subject),
            who=_who(kit, case, people),
            by_mail=case.mail_address is not None,
            is_own=case.account_id == viewer,
            opened_at=case.opened_at,
            closed_at=case.closed_at,
            valid_until=cases.valid_until(kit, case),
            messages=messages.get(case.id, []),
        )
        for case in found
    ]


async def _written(tx: AsyncSession, kit: Kit, case_ids: list[UUID]) -> dict[UUID, list[Message]]:
    found: dict[UUID, list[Message]] = {case_id: [] for case_id in case_ids}
    rows = select(CaseMessage).where(CaseMessage.case_id.in_(found)).order_by(CaseMessage.id)
    for row in await tx.scalars(rows):
        text = kit.keys.open("support_messages.text", row.id, row.text)
        found[row.case_id].append(Message(row.author, text, row.at))
    return found


def _who(kit: Kit, case: Case, people: dict[UUID, Account]) -> str:
    person = people.get(case.account_id) if case.account_id else None
    if person is not None:
        return kit.keys.open("accounts.full_name", person.id, person.full_name)
    local, at, domain = (cases.address_of(kit, case) or "").partition("@")
    return f"{masked(local)}{at}{domain}"
