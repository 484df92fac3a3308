"""Who is signed in where: the one mobile slot, and every way a session ends (rules 303, 304).

Tokens are random and stored hashed. Whoever ends a session has locked the account row first.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.crypto import new_token, token_hash
from backend.db import changed_one, new_id
from backend.devices import notices
from backend.devices.models import Session
from backend.devices.session_rows import GRANT, OPEN, REPLACE, TAKE_SLOT, Link, Live
from backend.errors import Forbidden, NotFound, Unproved
from backend.facts import SessionEnded, SessionOpened, SessionReplaced
from backend.figures import counted
from backend.kit import Kit


class TokenInvalid(Unproved):
    """No session has this token."""

    code = "token_invalid"
    title = "Phiên đăng nhập không hợp lệ, vui lòng đăng nhập lại"


class TokenExpired(Unproved):
    """The access token's time is over: refresh it."""

    code = "token_expired"
    title = "Phiên đăng nhập đã hết hạn"


class SessionReplacedByDevice(Unproved):
    """A newer device has taken the slot; `replaced_by` names it and says when."""

    code = "session_replaced"
    title = "Tài khoản vừa đăng nhập trên thiết bị khác nên thiết bị này đã đăng xuất"

    @classmethod
    def by(cls, name: str | None, at: datetime) -> SessionReplacedByDevice:
        """The refusal, in one spelling at every door; `name` is empty where nobody knows it any more."""
        return cls(replaced_by={"name": name or "", "at": at})


class SessionRevoked(Unproved):
    """The session was ended; `reason` says by what."""

    code = "session_revoked"
    title = "Phiên đăng nhập đã kết thúc, vui lòng đăng nhập lại"


class AccountFrozen(Forbidden):
    """A take-over was reported. `required` says by which sign-in the owner lifts that; else an operator checks."""

    code = "account_frozen"
    title = (
        "Tài khoản đang tạm khóa đăng nhập vì có báo cáo đăng nhập không chính chủ. Chủ tài khoản mở khóa bằng cách"
        " xác thực lại với VNeID (mức 2), hoặc gọi {hotline}"
    )

    def __init__(self) -> None:
        super().__init__(required={"method": "vneid", "level": 2, "max_age": 0})


class AccountClosed(Forbidden):
    """The account is closed."""

    code = "account_closed"
    title = "Tài khoản đã đóng"


class SessionNotFound(NotFound):
    """No live session of yours has this identifier."""

    code = "session_not_found"
    title = "Không tìm thấy phiên đăng nhập"


class Device(msgspec.Struct, frozen=True):
    """What the app says of the phone that it runs on."""

    platform: str
    name: str
    model: str
    push_token: str | None = None


class Tokens(msgspec.Struct, frozen=True):
    """What a device gets, once; lifetimes in seconds."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str
    refresh_expires_in: int
    session_id: UUID


class Replaced(msgspec.Struct, frozen=True):
    """The device that had to go."""

    session_id: UUID
    name: str
    last_seen_at: datetime


async def open_mobile(
    tx: AsyncSession,
    kit: Kit,
    account_id: UUID,
    *,
    device: Device,
    jkt: str | None,
    method: str,
    level: int,
    shown: datetime,
    now: datetime,
) -> tuple[Tokens, Replaced | None]:
    """Take the account's one mobile slot: account row first, then the old session, then the new (rule 303)."""
    session_id = new_id()
    epoch = await _take_slot(tx, account_id, session_id)
    first = epoch == 1  # the slot was never taken before
    replaced = None if first else await _end_previous(tx, kit, account_id, session_id, now)
    access, refresh = new_token(), new_token()
    live = _new(kit, account_id, session_id, jkt, now)
    await OPEN.run(
        tx,
        **live._asdict(),
        **_of_device(kit, session_id, device),
        kind="mobile",
        epoch=epoch,
        access_hash=token_hash(access),
        method=method,
        assurance_level=level,
        authenticated_at=shown,
        created_at=now,
        last_seen_at=now,
    )
    await GRANT.run(tx, **refresh_row(kit, live, refresh, now)._asdict())
    fact = SessionOpened(subject=account_id, session=session_id, kind="mobile", method=method, epoch=epoch)
    kit.journal.record(tx, fact, by=account_id, now=now)
    counted(tx, "ngomon_logins", method, "let_in")
    if replaced is not None:
        await notices.tell_replaced(tx, kit, account_id, device=replaced.name, by=device.name, now=now)
    return tokens_of(kit, live, access, refresh, now), replaced


def _new(kit: Kit, account_id: UUID, session_id: UUID, jkt: str | None, now: datetime) -> Live:
    return Live(
        id=session_id,
        account_id=account_id,
        jkt=jkt,
        access_expires_at=now + timedelta(seconds=kit.limits.access_lifetime),
        absolute_expires_at=now + timedelta(seconds=kit.limits.refresh_absolute),
        ended_at=None,
        end_reason=None,
        replaced_by=None,
    )


def _of_device(kit: Kit, session_id: UUID, device: Device) -> dict[str, object]:
    pushed = device.push_token
    return {
        "device_platform": device.platform,
        "device_name": device.name,
        "device_model": device.model,
        "push_token": kit.keys.seal("sessions.push_token", session_id, pushed) if pushed else None,
    }


async def _take_slot(tx: AsyncSession, account_id: UUID, session_id: UUID) -> int:
    """The account row is the queue: whoever updates it later wins, and nobody fails."""
    taken = await TAKE_SLOT.maybe(tx, account=account_id, session=session_id)
    if taken is None:
        status = await tx.scalar(select(Account.status).where(Account.id == account_id))
        raise AccountFrozen() if status == "active" else AccountClosed()
    return taken.epoch


async def _end_previous(
    tx: AsyncSession, kit: Kit, account_id: UUID, by_session: UUID, now: datetime
) -> Replaced | None:
    old = await REPLACE.maybe(tx, account=account_id, newer=by_session, now=now)
    if old is None:
        return None
    fact = SessionReplaced(subject=account_id, session=old.id, by_session=by_session)
    kit.journal.record(tx, fact, by=account_id, now=now)
    return Replaced(session_id=old.id, name=old.device_name, last_seen_at=old.last_seen_at)


def refresh_row(kit: Kit, session: Session | Live, refresh: str, now: datetime) -> Link:
    """The row of a new refresh token."""
    expires = min(now + timedelta(seconds=kit.limits.refresh_idle), session.absolute_expires_at)
    return Link(
        id=new_id(),
        session_id=session.id,
        hash=token_hash(refresh),
        key_id=kit.keys.newest,
        expires_at=expires,
        used_at=None,
        successor_id=None,
    )


def tokens_of(kit: Kit, session: Session | Live, access: str, refresh: str, now: datetime) -> Tokens:
    """What the device gets."""
    idle = min(kit.limits.refresh_idle, int((session.absolute_expires_at - now).total_seconds()))
    return Tokens(
        access_token=access,
        token_type="DPoP" if session.jkt else "Bearer",
        expires_in=max(0, int((session.access_expires_at - now).total_seconds())),
        refresh_token=refresh,
        refresh_expires_in=idle,
        session_id=session.id,
    )


async def why_ended(tx: AsyncSession, session: Session | Live) -> Unproved | None:
    """The reason that a token of this session is told, or nothing while it lives."""
    if session.ended_at is None:
        return None
    if session.end_reason == "replaced":
        newer = await tx.get(Session, session.replaced_by) if session.replaced_by else None
        return SessionReplacedByDevice.by(newer.device_name if newer else None, session.ended_at)
    return SessionRevoked(reason=session.end_reason)


async def end(
    tx: AsyncSession, kit: Kit, session: Session | Live, *, reason: str, by: UUID | None, now: datetime
) -> bool:
    """End one session, and free the slot if it held it; False when it had ended already."""
    ended = (
        update(Session)
        .where(Session.id == session.id, Session.ended_at.is_(None))
        .values(ended_at=now, end_reason=reason)
    )
    if not await changed_one(tx, ended):
        return False
    await tx.execute(
        update(Account)
        .where(Account.id == session.account_id, Account.active_session_id == session.id)
        .values(active_session_id=None)
        .execution_options(synchronize_session=False)
    )
    fact = SessionEnded(subject=session.account_id, session=session.id, reason=reason)
    kit.journal.record(tx, fact, by=by, now=now)
    return True


async def end_all(
    tx: AsyncSession,
    kit: Kit,
    account_id: UUID,
    *,
    reason: str,
    by: UUID | None,
    now: datetime,
    but: UUID | None = None,
) -> None:
    """End every session of an account, or all but one, in this transaction (rule 310)."""
    await tx.execute(select(Account.id).where(Account.id == account_id).with_for_update())
    query = select(Session).where(Session.account_id == account_id, Session.ended_at.is_(None))
    for session in await tx.scalars(query.order_by(Session.id)):
        if session.id != but:
            await end(tx, kit, session, reason=reason, by=by, now=now)


async def set_push_token(tx: AsyncSession, kit: Kit, session_id: UUID, token: str) -> None:
    """Where pushes to the session's device go from now on; raises why it has ended, if it has meanwhile."""
    session = await tx.get_one(Session, session_id, with_for_update=True)
    if ended := await why_ended(tx, session):
        raise ended
    session.push_token = kit.keys.seal("sessions.push_token", session.id, token)


async def of_account(tx: AsyncSession, account_id: UUID, *, now: datetime) -> list[Session]:
    """The live sessions, mobile and workspace, newest first."""
    query = select(Session).where(
        Session.account_id == account_id, Session.ended_at.is_(None), Session.absolute_expires_at > now
    )
    return list(await tx.scalars(query.order_by(Session.created_at.desc())))


async def end_own(tx: AsyncSession, kit: Kit, account_id: UUID, session_id: UUID, *, now: datetime) -> None:
    """End one of one's own sessions; raises SessionNotFound for anybody else's (case TD19)."""
    await tx.execute(select(Account.id).where(Account.id == account_id).with_for_update())
    session = await tx.get(Session, session_id)
    if session is None or session.account_id != account_id:
        raise SessionNotFound
    if not await end(tx, kit, session, reason="signed_out", by=account_id, now=now):
        raise SessionNotFound
