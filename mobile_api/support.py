"""Help, and what people are told: cases, their codes, notices (rule 1101)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Controller, Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from backend import paging
from backend.accounts.self import mine
from backend.caller import Caller, Who
from backend.db import Database
from backend.errors import settle
from backend.kit import Kit
from backend.openness import Openness
from backend.outside.clock import Clock
from backend.roles import denied
from backend.support import cases, lookups, notices, reading
from backend.support.models import Case, Desk
from mobile_api import schemas_support as schemas
from mobile_api.answers import told
from mobile_api.keyed import Key
from mobile_api.problems import language_of

Call = Request[Who, Any, Any]
Cursor = Annotated[str | None, QueryParameter(max_length=300)]
PAGE = 50
UNREAD, READ = "unread", "read"  # the two halves of the notices, in a cursor


class CaseController(Controller):
    """One's own requests for help."""

    path = "/support-cases"
    tags = ["support"]
    opt = {"open_to": Openness.SESSION}

    @post(operation_id="openCase", summary="Gửi yêu cầu hỗ trợ · Ask for help")
    async def ask(
        self,
        request: Call,
        data: JSONBody[schemas.CaseIn],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
        idempotency_key: Key = None,
    ) -> schemas.CaseOut:
        """201 with the code that the desk must be able to quote; 429 `too_many` after ten in an hour.

        A password, PIN or code in it is replaced by dots before it is stored; then the answer says `covered`.
        """
        draft = cases.Draft(subject=data.subject, text=data.text, desk=data.desk)
        async with db.write() as tx:
            await mine.held(tx, request.user)  # of whoever is gone meanwhile nothing is written
            case, desk = await cases.ask(
                tx, kit, draft, by=request.user.account_id, now=clock.now(), key=idempotency_key
            )
        return _opened(case, desk, covered=draft.holds_secret)

    @get(operation_id="listCases", summary="Yêu cầu hỗ trợ của tôi · One's own cases")
    async def mine(
        self,
        request: Call,
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        cursor: Cursor = None,
    ) -> schemas.CaseList:
        """Newest first, with what was written; a subject that the product wrote is in the reader's language."""
        before, lang = paging.uuid_of(cursor) if cursor else None, language_of(request.scope)
        async with db.read() as tx:
            found = await reading.mine(
                tx, kit, request.user.account_id, lang=lang, before=before, most=PAGE + 1
            )
        shown, more = paging.cut(found, PAGE)
        following = paging.cursor_of(str(shown[-1].id)) if more else None
        return schemas.CaseList([told(schemas.CaseRow, case) for case in shown], following)


class CodeController(Controller):
    """Is the caller genuine?"""

    path = "/support-codes"
    tags = ["support"]
    opt = {"open_to": Openness.SESSION}

    @get(
        "/{code:path}",
        operation_id="checkCode",
        open_to=Openness.ANYBODY,
        summary="Kiểm tra mã yêu cầu · Is a code genuine?",
    )
    async def check(
        self,
        code: FromPath[str],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        caller: NamedDependency[Caller],
    ) -> schemas.CodeOut:
        """Open to anybody, 20 an hour and address; unknown, too old and malformed are one answer."""
        now, who = caller.now, caller.who
        async with db.write() as tx:
            await lookups.count_code(tx, kit, caller.address, now=now)
        async with db.read() as tx:
            found = await reading.stands_behind(tx, kit, code.removeprefix("/"), now=now)
        return schemas.CodeOut.of(found, who.account_id if who else None)


class NoticeController(Controller):
    """What the app shows first."""

    path = "/notices"
    tags = ["support"]
    opt = {"open_to": Openness.SESSION}

    @get(operation_id="listNotices", summary="Thông báo · Notices", open_to=Openness.ANYBODY)
    async def shown(
        self,
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        caller: NamedDependency[Caller],
        lang: NamedDependency[str],
        cursor: Cursor = None,
    ) -> schemas.NoticeList:
        """Without a session announcements only; unread ones (`first`) before the rest, then the newest first."""
        async with db.read() as tx:
            found = await notices.of(
                tx,
                kit,
                caller.who.account_id if caller.who else None,
                lang=lang,
                now=caller.now,
                after=_place(cursor) if cursor else None,
                most=notices.SHOWN + 1,
            )
        shown, more = paging.cut(found, notices.SHOWN)
        following = (
            paging.cursor_of(f"{UNREAD if shown[-1].first else READ}|{shown[-1].id}") if more else None
        )
        return schemas.NoticeList(shown, following)

    @post("/{notice_id:uuid}/read", operation_id="readNotice", status_code=204, summary="Đã đọc · Read")
    async def read(
        self,
        request: Call,
        notice_id: FromPath[UUID],
        db: NamedDependency[Database],
        clock: NamedDependency[Clock],
    ) -> None:
        """204, also a second time; 404 `notice_not_found` for anything that is not one's own."""
        async with db.write() as tx:
            await notices.read(tx, notice_id, by=request.user.account_id, now=clock.now())

    @post("/{notice_id:uuid}/deny", operation_id="denyNotice", summary="Không phải tôi · This was not me")
    async def deny(
        self,
        request: Call,
        notice_id: FromPath[UUID],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> schemas.CaseOut:
        """201 with the case that follows it up, the same one a second time; for a replaced device also the freeze."""
        async with db.write() as tx:
            outcome = await denied.deny(
                tx,
                kit,
                notice_id,
                by=request.user.account_id,
                session_id=request.user.session_id,
                now=clock.now(),
            )
        return _opened(*settle(outcome))


def _opened(case: Case, desk: Desk, *, covered: bool = False) -> schemas.CaseOut:
    return schemas.CaseOut(case.id, case.code, case.status, told(schemas.DeskOut, desk), covered)


def _place(cursor: str) -> notices.Place:
    half, _, last = paging.place_of(cursor).partition("|")
    if half not in (UNREAD, READ):
        raise paging.CursorInvalid
    try:
        return half == UNREAD, UUID(last)
    except ValueError as error:
        raise paging.CursorInvalid from error


CONTROLLERS = [CaseController, CodeController, NoticeController]
