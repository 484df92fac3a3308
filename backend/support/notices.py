"""What the app shows a person before anything else: told with the act that it is about (source 004, 2)."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import changed_one, insert_into, new_id
from backend.errors import Conflict, FieldError, FieldsInvalid, NotFound
from backend.facts import NoticeDenied, NoticePublished
from backend.kit import Kit
from backend.objects import Together, columns_of
from backend.outside.clock import LOCAL
from backend.owed import queue
from backend.support import telling, telling_codes, texts
from backend.support.models import Notice, NoticeRead
from backend.words import say

ANNOUNCEMENT = "announcement"
DENIABLE = frozenset(
    {
        "device_replaced",
        "phone_changed",
        "password_changed",
        "method_added",
        "method_removed",
        "recovery_done",
        "codes_locked",
        "role_changed",
        "join_proposed",
        "desk_joined",
        "name_proposed",
        "name_corrected",
        "desk_helped",
        "delegated",
        "workspace_entered",
    }
)
PUSHED = DENIABLE - {
    "role_changed",  # a manager's word may still be taken back
    "device_replaced",  # to the phones alone that it signs out, by whoever does
}  # at once: what security demands
PUSHED_LATER = frozenset(  # when it stands
    {
        "account_frozen",
        "role_changed",
        "request_decided",
        "request_expired",
        "request_fell",
        "request_withdrawn",
        "request_begun",
        "request_word",
        "request_overdue",
        "nobody_decides",
        "review_started",
        "review_reminder",
        "review_unconfirmed",
        "review_last_call",
        "role_unconfirmed",
        "role_last_call",
    }
)
PLACE = re.compile(r"\{(\w+)\}")
SHOWN = 100
TOLD = Together(Notice)  # in the transaction of the act
Place = tuple[bool, UUID]  # of a notice in the list: whether it is unread, and which one it is


class NoticeNotFound(NotFound):
    """No such notice, or somebody else's."""

    code = "notice_not_found"
    title = "Không tìm thấy thông báo"


class NotDeniable(Conflict):
    """A notice of another kind, or one that is too old to be denied."""

    code = "notice_not_deniable"
    title = "Không thể phản hồi “Không phải tôi” với thông báo này"


class NoticeView(msgspec.Struct, frozen=True):
    """A notice in the reader's language. `first` is to be shown before anything else: nobody has read it yet."""

    id: UUID
    kind: str
    title: str
    body: str
    at: datetime
    first: bool
    read_at: datetime | None
    can_deny: bool


def tell(
    tx: AsyncSession,
    kit: Kit,
    account_id: UUID,
    kind: str,
    *,
    now: datetime,
    due: datetime | None = None,
    about: UUID | None = None,
    **details: str,
) -> Notice:
    """Leave a notice of `kind` for one person, in the transaction of the act; `details` are sealed.

    What may still be taken back is there for nobody before it is `due`, and goes by `take_back` of the act that it is
    `about` (R23). What is urgent is also pushed, after the commit, and what is of a role once it stands: its title
    alone, which names nobody.
    """
    notice = Notice(
        id=new_id(), account_id=account_id, kind=kind, at=due or now, about=about, is_denied=False
    )
    if details:
        notice.details = kit.keys.seal("notices.details", notice.id, msgspec.json.encode(details).decode())
    TOLD.add(tx, {name: getattr(notice, name) for name in columns_of(Notice)})
    if kind in PUSHED_LATER:
        acted = notice.at - timedelta(
            seconds=kit.limits.undo_window
        )  # whom the act signs out hears of it too
        queue.owe(
            tx,
            kit.keys,
            queue.PUSH,
            kind,
            account_id=account_id,
            about=about,
            now=acted,
            due=notice.at,
        )
    if kit.phones is not None and kind in PUSHED and due is None:
        kit.phones.tell_after(tx, account_id, kind, _words(kind, details)[0], now=now)
    return notice


def title_of(kind: str) -> str:
    """What a push says of a notice."""
    return telling.WORDS[kind][0]


async def take_back(tx: AsyncSession, act: UUID, *, now: datetime) -> None:
    """Nobody hears of an act that was taken back: what nobody could read yet is gone, and so is what was to leave."""
    await TOLD.write(tx)
    unheard = delete(Notice).where(Notice.about == act, Notice.at > now)
    await tx.execute(unheard.execution_options(synchronize_session=False))
    await queue.take_back(tx, act, now=now)


def publish(
    tx: AsyncSession, kit: Kit, *, title: str, body: str, until: date | None, now: datetime
) -> Notice:
    """An announcement for everybody, to the end of the day `until` in Việt Nam; raises FieldsInvalid."""
    end = datetime.combine(until + timedelta(days=1), time(), LOCAL) if until else None
    if end is not None and end <= now:
        raise FieldsInvalid(FieldError("until", "in_the_past", "Ngày hết hạn đã qua"))
    notice = Notice(id=new_id(), kind=ANNOUNCEMENT, at=now, until=end, is_denied=False)
    notice.title, notice.body = texts.line_of_the_desk("title", title), texts.of_the_desk("body", body)
    tx.add(notice)
    kit.journal.record(tx, NoticePublished(notice=notice.id), by=None, now=now)
    return notice


async def of(
    tx: AsyncSession,
    kit: Kit,
    account_id: UUID | None,
    *,
    lang: str,
    now: datetime,
    after: Place | None = None,
    most: int = SHOWN,
) -> list[NoticeView]:
    """Announcements and, with an account, its own notices: unread ones first, then the newest first.

    `after` is the place of the last one that was shown. What is read in between is shown once more, further on.
    """
    read_at = func.coalesce(Notice.read_at, NoticeRead.at)
    by_them = and_(NoticeRead.notice_id == Notice.id, NoticeRead.account_id == account_id)
    query = (
        select(Notice, read_at)
        .outerjoin(NoticeRead, by_them)
        .where(or_(Notice.account_id.is_(None), Notice.account_id == account_id))
        .where(or_(Notice.until.is_(None), Notice.until > now), Notice.at <= now)
        .order_by(read_at.is_not(None), Notice.id.desc())
        .limit(most)
    )
    if after is not None:
        is_unread, last = after
        further = Notice.id < last
        query = query.where(
            or_(read_at.is_not(None), further) if is_unread else and_(read_at.is_not(None), further)
        )
    return [_view(kit, notice, seen, lang, now) for notice, seen in await tx.execute(query)]


async def read(tx: AsyncSession, notice_id: UUID, *, by: UUID, now: datetime) -> None:
    """Remember that it was read; a second time changes nothing. Raises NoticeNotFound."""
    notice = await _own(tx, notice_id, by, now)
    if notice.account_id is None:
        row = insert_into(tx, NoticeRead).values(notice_id=notice_id, account_id=by, at=now)
        await tx.execute(row.on_conflict_do_nothing())
    elif notice.read_at is None:
        notice.read_at = now


async def deny(
    tx: AsyncSession, kit: Kit, notice_id: UUID, *, by: UUID, now: datetime
) -> tuple[Notice, bool]:
    """Take "Không phải tôi"; True for the one call that does it. Raises NoticeNotFound, NotDeniable."""
    notice = await _own(tx, notice_id, by, now)
    if notice.is_denied:
        return notice, False
    if not _can_deny(kit, notice, now):
        raise NotDeniable
    once = update(Notice).where(Notice.id == notice_id, Notice.is_denied.is_(False))
    fresh = await changed_one(tx, once.values(is_denied=True, read_at=now))
    if fresh:
        kit.journal.record(tx, NoticeDenied(subject=by, notice=notice_id), by=by, now=now)
    return notice, fresh


def words_of(kit: Kit, notice: Notice, lang: str) -> tuple[str, str]:
    """Title and body in the reader's language."""
    if notice.kind == ANNOUNCEMENT:
        return notice.title or "", notice.body or ""
    details: dict[str, str] = {}
    if notice.details is not None:
        details = msgspec.json.decode(kit.keys.open("notices.details", notice.id, notice.details))
    title, body = _words(notice.kind, details)
    return say(title, lang), say(body, lang, **_filled(body, details, lang))


def _words(kind: str, details: dict[str, str]) -> tuple[str, str]:
    return telling.SPECIAL.get((kind, details.get("what", "")), telling.WORDS[kind])


def _filled(body: str, details: dict[str, str], lang: str) -> dict[str, object]:
    """The places of a sentence; codes that have words are said in the reader's language, those of a list each."""
    found = {name: details.get(name, "…") for name in PLACE.findall(body)}
    return {
        name: ", ".join(
            say(telling_codes.CODES.get(one, one), lang)
            for one in (value.split("|") if name in telling_codes.LISTS else [value])
        )
        for name, value in found.items()
    }


def _view(kit: Kit, notice: Notice, seen: datetime | None, lang: str, now: datetime) -> NoticeView:
    title, body = words_of(kit, notice, lang)
    return NoticeView(
        id=notice.id,
        kind=notice.kind,
        title=title,
        body=body,
        at=notice.at,
        first=seen is None,
        read_at=seen,
        can_deny=_can_deny(kit, notice, now),
    )


def _can_deny(kit: Kit, notice: Notice, now: datetime) -> bool:
    last = notice.at + timedelta(days=kit.limits.notice_deny_days)
    return notice.kind in DENIABLE and not notice.is_denied and now < last


async def _own(tx: AsyncSession, notice_id: UUID, account_id: UUID, now: datetime) -> Notice:
    query = select(Notice).where(Notice.id == notice_id).execution_options(populate_existing=True)
    notice: Notice | None = await tx.scalar(query)
    theirs = notice is not None and notice.account_id not in (None, account_id)
    if notice is None or theirs or notice.at > now:
        raise NoticeNotFound
    return notice
