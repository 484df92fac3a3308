"""Somebody takes a copy of everything, or has everything erased (rules 903, 145).

The law lets a citizen go and keeps what an office needs: whoever holds a role, decides for a
unit or answers at a desk is told what stands in the way, on which ground and until when.
Whoever may go has left every system already, or the outbox still tells it so.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.identity import numbers, taken_over
from backend.accounts.self import consents, mine, personal_data
from backend.accounts.ways_in import assurance
from backend.appointment import MANAGER, Appointment
from backend.caller import Who
from backend.db import Database
from backend.errors import Conflict
from backend.facts import AccountErased, DataExported
from backend.journal import Entry
from backend.kit import Kit
from backend.roles import draft as drafts
from backend.roles import own, policy, posts
from backend.roles.models import Role, RoleRequest, StaffRecord
from backend.support import desks


class ErasureRefused(Conflict):
    """The law keeps something that needs the person; `reasons` name it, the ground, and the last day if it is known."""

    code = "erasure_refused"
    title = "Chưa thể xóa dữ liệu vì pháp luật yêu cầu lưu giữ khi bạn còn đang đảm nhiệm công việc"


class Reason(msgspec.Struct, frozen=True):
    """One thing that stands in the way."""

    what: str  # role, role_request, manager, support_staff
    basis: str
    until: date | datetime | None = None


async def export(db: Database, kit: Kit, who: Who, *, post_office: str, now: datetime) -> dict[str, Any]:
    """A copy of everything that is held, from one moment; wants a fresh sign-in."""
    async with db.write() as tx:
        account = await mine.held(tx, who)
        assurance.demand(who, account, kit.limits, now=now, max_age=kit.limits.reauth_data, careful=True)
        kit.journal.record(tx, DataExported(subject=account.id), by=account.id, now=now)
    async with db.read() as tx:
        copied = await personal_data.copy_of(tx, kit, who.account_id, post_office=post_office, now=now)
        return copied | await _copy_of(tx, kit, who.account_id, now)


async def leave(tx: AsyncSession, kit: Kit, who: Who, *, now: datetime) -> None:
    """Erase everything personal in this one transaction; raises ErasureRefused, and then nothing has happened.

    Requests are locked before the account, as everywhere (rows.py).
    """
    requests = select(RoleRequest.id).where(RoleRequest.account_id == who.account_id).order_by(RoleRequest.id)
    await tx.execute(requests.with_for_update())
    account = await mine.held(tx, who)
    assurance.demand(who, account, kit.limits, now=now, max_age=kit.limits.reauth_data, careful=True)
    if reasons := await why_not_leave(tx, kit, account.id, now=now):
        raise ErasureRefused(reasons=msgspec.to_builtins(reasons))
    await personal_data.erase(tx, kit, account, now=now)
    kit.journal.record(tx, AccountErased(subject=account.id), by=account.id, now=now)


async def why_not_leave(tx: AsyncSession, kit: Kit, account_id: UUID, *, now: datetime) -> list[Reason]:
    """What the law keeps while it lasts; nothing for a citizen."""
    duty = consents.PUBLIC_DUTY
    held = await tx.scalars(select(Role).where(Role.account_id == account_id, Role.state.in_(policy.HELD)))
    found = [Reason("role", duty, role.until_on) for role in held]
    undo = timedelta(seconds=kit.limits.undo_window)
    asked = select(RoleRequest).where(RoleRequest.account_id == account_id)
    for request in await tx.scalars(asked):
        if request.status in policy.OPEN:
            found.append(Reason("role_request", duty))
        elif request.status == policy.APPROVED and request.decided_at and request.decided_at + undo > now:
            found.append(
                Reason("role_request", duty, request.decided_at + undo)
            )  # it can still be taken back
    blinds = await numbers.blinds_of(tx, kit, account_id)
    manages = exists().where(Appointment.national_id_blind.in_(blinds), Appointment.stands(MANAGER))
    if blinds and await tx.scalar(select(manages.label("manages"))):
        found.append(Reason("manager", duty))
    if await desks.staffed_by(tx, blinds, now=now):
        found.append(Reason("support_staff", duty))
    return found


async def _copy_of(tx: AsyncSession, kit: Kit, account_id: UUID, now: datetime) -> dict[str, Any]:
    """Roles with what was filled in, requests, the directory's card of the person, and the journal's headings."""
    page = await own.mine(tx, kit, account_id, now=now)
    requests = list(page.items)
    while page.next_cursor is not None:
        page = await own.mine(tx, kit, account_id, now=now, cursor=page.next_cursor)
        requests += page.items
    held = await posts.roles_of(tx, kit, account_id)
    roles = list(held.items)
    while held.next_cursor is not None:
        held = await posts.roles_of(tx, kit, account_id, cursor=held.next_cursor)
        roles += held.items
    fields = {
        role.id: drafts.fields_of(kit, role)
        for role in await tx.scalars(select(Role).where(Role.account_id == account_id))
    }
    blinds = await numbers.listed_blinds_of(tx, kit, account_id)
    cards = await tx.scalars(select(StaffRecord).where(StaffRecord.national_id_blind.in_(blinds)))
    own_ever = await taken_over.ever(tx, {account_id})
    facts = select(Entry.at, Entry.tag).where(Entry.subject.in_(own_ever))
    return {
        "roles": [msgspec.to_builtins(role) | {"fields": fields.get(role.id, {})} for role in roles],
        "role_requests": [msgspec.to_builtins(request) for request in requests],
        "staff_directory": [
            msgspec.json.decode(kit.keys.open("staff_records.sealed", card.id, card.sealed)) for card in cards
        ],
        "journal": [{"at": at, "fact": tag} for at, tag in await tx.execute(facts.order_by(Entry.seq))],
    }
