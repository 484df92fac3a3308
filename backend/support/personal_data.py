"""What the desk and the notices hold of one person: copied out for them, or made to name nobody (rule 903)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Select, delete, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.kit import Kit
from backend.support.models import Case, CaseMessage, JoinProposal, NameProposal, Notice, NoticeRead

CLOSED = "closed"
PROPOSALS = JoinProposal, NameProposal


async def cases_of(tx: AsyncSession, kit: Kit, account_id: UUID) -> list[dict[str, Any]]:
    """Every case that the person opened, with all that was written in it."""
    query = select(Case).where(Case.account_id == account_id).order_by(Case.opened_at, Case.id)
    found = list(await tx.scalars(query))
    written: dict[UUID, list[CaseMessage]] = {case.id: [] for case in found}
    for message in await tx.scalars(_messages_of(account_id).order_by(CaseMessage.at, CaseMessage.id)):
        written[message.case_id].append(message)
    return [_case(kit, case, written[case.id]) for case in found]


async def notices_of(tx: AsyncSession, kit: Kit, account_id: UUID, *, now: datetime) -> list[dict[str, Any]]:
    """Everything that the person was told in the app."""
    query = (
        select(Notice).where(Notice.account_id == account_id, Notice.at <= now).order_by(Notice.at, Notice.id)
    )
    return [
        {
            "id": notice.id,
            "kind": notice.kind,
            "at": notice.at,
            "read_at": notice.read_at,
            "denied": notice.is_denied,
            "details": msgspec.json.decode(kit.keys.open("notices.details", notice.id, notice.details))
            if notice.details
            else {},
        }
        for notice in await tx.scalars(query)
    ]


async def close_cases(tx: AsyncSession, account_id: UUID, *, now: datetime) -> None:
    """Close what is open of somebody who goes; what the cases say goes with the rest of it (`backend.sealed`)."""
    for case in await tx.scalars(select(Case).where(Case.account_id == account_id).with_for_update()):
        case.version += 1
        if case.status != CLOSED:
            case.status, case.closed_at = CLOSED, now


async def move(tx: AsyncSession, goes: UUID, stays: UUID) -> None:
    """Cases and notices of an account that another one of the same person takes over, and what it has proposed."""
    cases = update(Case).where(Case.account_id == goes)
    cases = cases.values(account_id=stays, idempotency_key=None, idempotency_print=None)
    notices = update(Notice).where(Notice.account_id == goes).values(account_id=stays)
    read = delete(NoticeRead).where(NoticeRead.account_id == goes)
    over = delete(Notice).where(
        Notice.account_id == stays, Notice.about == goes
    )  # that there is another account
    proposed = delete(JoinProposal).where(JoinProposal.goes_id == goes)
    own = [update(kind).where(kind.proposed_by == goes).values(proposed_by=stays) for kind in PROPOSALS]
    for statement in (cases, notices, read, over, proposed, *own):
        await tx.execute(statement.execution_options(synchronize_session=False))


async def joins_of(tx: AsyncSession, kit: Kit, account_id: UUID) -> list[dict[str, Any]]:
    """What a desk has proposed about the account, while it waits for a second clerk."""
    return [
        {
            "proposed_at": row.proposed_at,
            "expires_at": row.expires_at,
            "grounds": kit.keys.open("support_joins.grounds", row.id, row.grounds),
        }
        for row in await tx.scalars(select(JoinProposal).where(_of(account_id)))
    ]


def _of(account_id: UUID) -> ColumnElement[bool]:
    return or_(JoinProposal.stays_id == account_id, JoinProposal.goes_id == account_id)


def _cases_of(account_id: UUID) -> Select[UUID]:
    return select(Case.id).where(Case.account_id == account_id)


def _messages_of(account_id: UUID) -> Select[CaseMessage]:
    return select(CaseMessage).where(CaseMessage.case_id.in_(_cases_of(account_id)))


def _case(kit: Kit, case: Case, messages: Sequence[CaseMessage]) -> dict[str, Any]:
    return {
        "code": case.code,
        "subject": kit.keys.open("support_cases.subject", case.id, case.subject),
        "status": case.status,
        "origin": case.origin,
        "opened_at": case.opened_at,
        "closed_at": case.closed_at,
        "messages": [
            {
                "author": one.author,
                "text": kit.keys.open("support_messages.text", one.id, one.text),
                "at": one.at,
            }
            for one in messages
        ],
    }
