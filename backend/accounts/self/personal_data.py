"""Everything that is held about one account: copied out for its owner, or erased (rules 903, 145).

Erased means gone or overwritten here. The journal keeps what happened, by identifiers that
name nobody any more, so its chain stays whole.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import delete, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend import sealed
from backend.account import Account
from backend.accounts.identity import people
from backend.accounts.models import Access, Identifier, OneTimeCode, Phone
from backend.accounts.self import consents, history, identity_page, methods, mine
from backend.devices import sessions
from backend.devices.models import Session
from backend.flows import Flow
from backend.kit import Kit
from backend.owed import queue
from backend.support import notices
from backend.support import personal_data as support


async def copy_of(
    tx: AsyncSession, kit: Kit, account_id: UUID, *, post_office: str, now: datetime
) -> dict[str, Any]:
    """The account's part of the copy, unmasked: it is the person's own."""
    account = await tx.get_one(Account, account_id)
    page = await identity_page.page(tx, kit, account, plain=True)
    found = await methods.listed(tx, kit, account_id, post_office=post_office, now=now, plain=True)
    tries = await history.newest(tx, kit.limits, account_id, now=now, most=None)
    return {
        "account": await _account(tx, kit, account),
        "identity": [msgspec.to_builtins(line) for line in page.attributes],
        "auth_methods": [msgspec.to_builtins(method) for method in found],
        "sessions": [_session(row) for row in await _sessions(tx, account_id)],
        "access_history": [_access(line) for line in tries],
        "consents": await _consents(tx, account_id),
        "support_cases": await support.cases_of(tx, kit, account_id),
        "join_proposals": await support.joins_of(tx, kit, account_id),
        "notices": await support.notices_of(tx, kit, account_id, now=now),
        "further": await sealed.copy_of(tx, kit.keys, account_id),
    }


async def erase(tx: AsyncSession, kit: Kit, account: Account, *, now: datetime) -> None:
    """End every session, forget everything personal, close the account. The caller has locked its row."""
    await sessions.end_all(tx, kit, account.id, reason=mine.ERASED, by=account.id, now=now)
    await consents.withdraw_all(tx, kit, account.id, now=now)
    await forget_codes(tx, kit, account.id, now)
    await support.close_cases(tx, account.id, now=now)
    await notices.TOLD.write(tx)  # what is told and owed in this transaction is erased along
    await queue.OWED.write(tx)
    await sealed.erase(tx, kit.keys, account.id)
    account.status = "closed"
    account.version += 1


async def forget_codes(tx: AsyncSession, kit: Kit, account_id: UUID, now: datetime) -> None:
    """Codes of the account, of its flows, and old ones to its numbers from before it was an account."""
    waiting = select(Flow.id).where(Flow.account_id == account_id)
    blinds = [
        blind
        for phone in await tx.scalars(select(Phone).where(Phone.account_id == account_id))
        for blind in kit.keys.blinds("phone", people.number_of(kit, phone))
    ]
    old = OneTimeCode.phone_blind.in_(blinds) & (OneTimeCode.expires_at < now)
    mine_too = or_(OneTimeCode.account_id == account_id, OneTimeCode.flow_id.in_(waiting), old)
    await tx.execute(delete(OneTimeCode).where(mine_too).execution_options(synchronize_session=False))
    await methods.forget_flows(tx, account_id)


async def _account(tx: AsyncSession, kit: Kit, account: Account) -> dict[str, Any]:
    held = await tx.scalars(
        select(Identifier).where(Identifier.account_id == account.id).order_by(Identifier.created_at)
    )
    phones = await tx.scalars(
        select(Phone).where(Phone.account_id == account.id).order_by(Phone.confirmed_at)
    )
    return await people.described(tx, kit, account) | {
        "identifiers": [
            {
                "type": row.kind,
                "value": kit.keys.open("identifiers.value", row.id, row.value),
                "since": row.created_at,
                "until": row.ended_at,
            }
            for row in held
        ],
        "phones": [
            {"value": people.number_of(kit, row), "since": row.confirmed_at, "until": row.ended_at}
            for row in phones
        ],
        "created_at": account.created_at,
        "vouched_by": account.vouched_by,
        "vouched_at": account.vouched_at,
        "vneid_at": account.vneid_at,
        "certificate_at": account.certificate_at,
        "phone_changed_at": account.phone_changed_at,
        "recovered_at": account.recovered_at,
    }


async def _sessions(tx: AsyncSession, account_id: UUID) -> list[Session]:
    query = select(Session).where(Session.account_id == account_id)
    return list(await tx.scalars(query.order_by(Session.created_at.desc())))


def _session(row: Session) -> dict[str, Any]:
    return {
        "id": row.id,
        "kind": row.kind,
        "method": row.method,
        "device": {
            "platform": row.device_platform,
            "name": row.device_name,
            "model": row.device_model,
        },
        "created_at": row.created_at,
        "last_seen_at": row.last_seen_at,
        "ended_at": row.ended_at,
        "end_reason": row.end_reason,
    }


def _access(line: Access) -> dict[str, Any]:
    return {
        "at": line.at,
        "method": line.method,
        "result": line.result,
        "device": line.device,
        "place": line.place,
        "session_id": line.session_id,
    }


async def _consents(tx: AsyncSession, account_id: UUID) -> list[dict[str, Any]]:
    """The standing of every purpose, and each consent that was ever given."""
    proofs = await consents.proofs(tx, account_id)
    return [
        msgspec.to_builtins(one)
        | {
            "proofs": [
                {"given_at": row.given_at, "withdrawn_at": row.withdrawn_at}
                for row in proofs
                if row.purpose == one.purpose
            ]
        }
        for one in await consents.standings(tx, account_id, gone=True)
    ]
