"""The desks that help, and who works there: the public half is what a caller is checked against (source 004, 1)."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.appointment import CLERK, Appointment
from backend.db import new_id
from backend.errors import Conflict, FieldError, FieldsInvalid, Forbidden, NotFound, Unavailable
from backend.facts import DeskAdded, DeskRemoved, DeskStaffAdded, DeskStaffRemoved
from backend.kit import Kit
from backend.names import clean_name, masked
from backend.outside.clock import local_day
from backend.paging import CursorInvalid
from backend.support.models import Desk
from backend.typed import EMAIL, NATIONAL_ID

CODE = re.compile(r"[A-Za-z0-9.-]{1,20}")
NUMBER = r"[0-9+][0-9 .()-]{2,38}[0-9]"
EXTENSIONS = r"(?:,? (?:máy lẻ|số lẻ|ext\.?) [0-9]{1,6}(?:, ?[0-9]{1,6})*)?"
# as a notice writes it: "02462764300, máy lẻ 88617, 88618", and several numbers (source 004, 1)
PHONE = re.compile(f"{NUMBER}{EXTENSIONS}(?:(?: ?[;,/] ?| hoặc ){NUMBER}{EXTENSIONS})*", re.IGNORECASE)
LONGEST_PHONE = 200
PAGE = 50


class NoDesk(Unavailable):
    """No desk has been set up here, so nobody could answer a case."""

    code = "no_desk"
    title = "Chưa có đầu mối hỗ trợ trực tuyến, vui lòng gọi {hotline}"


class DeskNotFound(NotFound):
    """No desk has this code."""

    code = "desk_not_found"
    title = "Không có đầu mối hỗ trợ này"


class DeskExists(Conflict):
    """A desk has this code already."""

    code = "desk_exists"
    title = "Mã đầu mối hỗ trợ đã được dùng"


class DeskStaffNotFound(NotFound):
    """That person does not work at that desk."""

    code = "desk_staff_not_found"
    title = "Người này không làm việc ở đầu mối hỗ trợ này"


class NotAtADesk(Forbidden):
    """The pages of the desk are for those who work there."""

    code = "not_at_a_desk"
    title = "Bạn không làm việc ở đầu mối hỗ trợ nào"


class StaffView(msgspec.Struct, frozen=True):
    """Somebody who works at a desk; the number is masked."""

    id: UUID
    desk: str
    national_id: str
    since: datetime


async def add(
    tx: AsyncSession, kit: Kit, code: str, *, name: str, mailbox: str, phone: str, now: datetime
) -> Desk:
    """Set a desk up, or one that was removed up again; raises DeskExists, FieldsInvalid."""
    values = {"name": clean_name(name), "mailbox": mailbox.strip().lower(), "phone": clean_name(phone)}
    _ensure_sound(code, **values)
    desk = await tx.scalar(select(Desk).where(Desk.code == code).with_for_update())
    if desk is not None and desk.removed_at is None:
        raise DeskExists
    if desk is None:
        desk = Desk(id=new_id(), code=code)
        tx.add(desk)
    desk.name, desk.mailbox, desk.phone = values["name"], values["mailbox"], values["phone"]
    desk.added_at, desk.removed_at = now, None
    await tx.flush()
    kit.journal.record(tx, DeskAdded(desk=desk.id), by=None, now=now)
    return desk


async def remove(tx: AsyncSession, kit: Kit, code: str, *, now: datetime) -> None:
    """Close a desk: its codes are no longer genuine and its staff have no pages; raises DeskNotFound."""
    desk = await named(tx, code)
    desk.removed_at = now
    left = update(Appointment).where(Appointment.desk_id == desk.id, Appointment.stands(CLERK))
    await tx.execute(left.values(ended_at=now))
    kit.journal.record(tx, DeskRemoved(desk=desk.id), by=None, now=now)


async def listed(tx: AsyncSession, *, after: str = "", most: int | None = None) -> list[Desk]:
    """The desks, or so many, in the order in which they were set up; the first takes what names none.

    Behind the one of a code, which may have been closed meanwhile; raises CursorInvalid where none ever had it.
    """
    query = select(Desk).where(Desk.removed_at.is_(None)).order_by(Desk.added_at, Desk.id)
    if after:
        last = await tx.scalar(select(Desk).where(Desk.code == after))
        if last is None:
            raise CursorInvalid
        beside = and_(Desk.added_at == last.added_at, Desk.id > last.id)
        query = query.where(or_(Desk.added_at > last.added_at, beside))
    return list(await tx.scalars(query.limit(most)))


async def named(tx: AsyncSession, code: str) -> Desk:
    """The desk of that code; raises DeskNotFound."""
    desk = await tx.scalar(select(Desk).where(Desk.code == code, Desk.removed_at.is_(None)))
    if desk is None:
        raise DeskNotFound
    return desk


async def first(tx: AsyncSession) -> Desk:
    """The desk for whatever names none; raises NoDesk."""
    desks = await listed(tx, most=1)
    if not desks:
        raise NoDesk
    return desks[0]


async def hire(tx: AsyncSession, kit: Kit, code: str, national_id: str, *, now: datetime) -> bool:
    """Let somebody work at a desk; False when they do already. Raises DeskNotFound, FieldsInvalid."""
    desk, number = await named(tx, code), _number(national_id)
    if await _post(tx, kit, desk.id, number) is not None:
        return False
    row = Appointment(id=new_id(), kind=CLERK, desk_id=desk.id, created_at=now)
    row.national_id = kit.keys.seal("appointments.national_id", row.id, number)
    row.national_id_blind = kit.keys.blind("national_id", number)
    tx.add(row)
    kit.journal.record(tx, DeskStaffAdded(desk=desk.id), by=None, now=now)
    return True


async def dismiss(tx: AsyncSession, kit: Kit, code: str, national_id: str, *, now: datetime) -> None:
    """From the very next request on somebody works there no more; raises DeskStaffNotFound and its kin."""
    desk = await named(tx, code)
    post = await _post(tx, kit, desk.id, _number(national_id))
    if post is None:
        raise DeskStaffNotFound
    post.ended_at = now
    kit.journal.record(tx, DeskStaffRemoved(desk=desk.id), by=None, now=now)


async def staff(
    tx: AsyncSession, kit: Kit, code: str | None, *, after: UUID | None = None, most: int = PAGE
) -> list[StaffView]:
    """So many of those who work at a desk, or at any; behind one of them. Raises DeskNotFound, CursorInvalid."""
    query = select(Appointment, Desk).join(Desk, Desk.id == Appointment.desk_id)
    query = query.where(Desk.id == (await named(tx, code)).id) if code else query
    if after is not None:
        last = (await tx.execute(query.where(Appointment.id == after))).one_or_none()
        if last is None:
            raise CursorInvalid
        beside = and_(Desk.code == last.Desk.code, Appointment.id > after)
        query = query.where(or_(Desk.code > last.Desk.code, beside))
    query = query.where(Appointment.stands(CLERK)).order_by(Desk.code, Appointment.id)
    return [
        StaffView(
            one.id,
            at.code,
            masked(kit.keys.open("appointments.national_id", one.id, one.national_id)),
            one.created_at,
        )
        for one, at in await tx.execute(query.limit(most))
    ]


async def staffed_by(
    tx: AsyncSession, blinds: Collection[bytes], *, now: datetime, hold: bool = False
) -> list[Desk]:
    """The desks where the holder of a personal number works now; `blinds` are its indexes.

    `hold` keeps the right until the commit.
    """
    if not blinds:
        return []
    query = (
        select(Desk)
        .join(Appointment, Appointment.desk_id == Desk.id)
        .where(
            Appointment.national_id_blind.in_(blinds),
            Appointment.counts(CLERK, local_day(now)),
            Desk.removed_at.is_(None),
        )
    )
    if hold:
        query = query.with_for_update(read=True, of=Appointment)
    return list((await tx.scalars(query.order_by(Desk.added_at, Desk.id))).unique())


async def hold_post(tx: AsyncSession, blinds: Collection[bytes], *, now: datetime) -> None:
    """Whoever acts at a desk works at one, here and now and until the commit (rule 616); raises NotAtADesk."""
    if not await staffed_by(tx, blinds, now=now, hold=True):
        raise NotAtADesk


async def _post(tx: AsyncSession, kit: Kit, desk_id: UUID, number: str) -> Appointment | None:
    query = select(Appointment).where(
        Appointment.desk_id == desk_id,
        Appointment.national_id_blind.in_(kit.keys.blinds("national_id", number)),
        Appointment.stands(CLERK),
    )
    found: Appointment | None = await tx.scalar(query)
    return found


def is_address(text: str) -> bool:
    """Whether a mail may go there: `?` begins an encoded word in a header."""
    return EMAIL.fullmatch(text) is not None and "?" not in text


def _number(text: str) -> str:
    if not NATIONAL_ID.fullmatch(text):
        raise FieldsInvalid(
            FieldError("national_id", "bad_national_id", "Số định danh cá nhân gồm 12 chữ số")
        )
    return text


def _ensure_sound(code: str, *, name: str, mailbox: str, phone: str) -> None:
    checks = (
        ("code", CODE.fullmatch(code), "Mã gồm 1 đến 20 chữ cái, chữ số, dấu chấm hoặc gạch nối"),
        ("name", 0 < len(name) <= 120 and name.isprintable(), "Tên đầu mối chưa hợp lệ"),
        ("mailbox", is_address(mailbox), "Địa chỉ thư điện tử chưa đúng"),
        ("phone", len(phone) <= LONGEST_PHONE and PHONE.fullmatch(phone), "Số điện thoại chưa đúng"),
    )
    wrong = [FieldError(field, "invalid", words) for field, good, words in checks if not good]
    if wrong:
        raise FieldsInvalid(*wrong)
