"""Requests for help: opened by the person or for them, answered by a desk, closed by it (rule 1103)."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend import errors
from backend.account import Account
from backend.db import changed_one, new_id
from backend.errors import Conflict, FieldError, FieldsInvalid, Forbidden, NotFound, Refusal, gather
from backend.facts import AccessRefused, CaseAnswered, CaseClosed, CaseContinued, CaseOpened
from backend.kit import Kit
from backend.support import codes, desks, mails, notices, texts
from backend.support.covering import covered
from backend.support.models import Case, CaseMessage, Desk
from backend.throttle import Window

OPEN, ANSWERED, CLOSED = "open", "answered", "closed"
PERSON, DESK = "person", "desk"
TOLD = ("staff", "takeover")  # origins of which the app must tell: the person did not just press the button


class CaseNotFound(NotFound):
    """No such case, or one of another desk."""

    code = "case_not_found"
    title = "Không tìm thấy yêu cầu hỗ trợ"


class CaseIsClosed(Conflict):
    """The case is closed: a new one is opened for what is new."""

    code = "case_closed"
    title = "Yêu cầu hỗ trợ đã đóng"


class OwnCase(Forbidden):
    """Nobody answers or closes their own case."""

    code = "own_case"
    title = "Bạn không được xử lý yêu cầu hỗ trợ của chính mình"


class Draft(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What somebody asks; without `desk` the first desk takes it."""

    subject: str
    text: str
    desk: str | None = None

    @property
    def holds_secret(self) -> bool:
        """Whether something of it is covered before it is stored."""
        return any(covered(part) != part for part in (self.subject, self.text))

    def tidy(self) -> Draft:
        """As it is stored: cleaned, and every password, PIN or code in it covered; raises FieldsInvalid."""
        bad: list[FieldError] = []
        subject = gather(bad, lambda: texts.subject(self.subject))
        text = gather(bad, lambda: texts.body(self.text))
        if subject is None or text is None:
            raise FieldsInvalid(*bad)
        return Draft(covered(subject), covered(text), self.desk)

    @property
    def print(self) -> bytes:
        """What makes two bodies the same for an Idempotency-Key."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).digest()


class Clerk(msgspec.Struct, frozen=True):
    """Somebody at a desk: the account that acts, and the indexes of its number, read in this transaction."""

    account_id: UUID
    blinds: list[bytes]


async def ask(
    tx: AsyncSession, kit: Kit, draft: Draft, *, by: UUID, now: datetime, key: str | None = None
) -> tuple[Case, Desk]:
    """The person's own case; the same `key` with the same body gives the same case again. Raises FieldsInvalid."""
    draft = draft.tidy()
    await tx.execute(select(Account.id).where(Account.id == by).with_for_update())
    earlier = await _earlier(tx, by, key)
    if earlier is not None:
        if earlier.idempotency_print != draft.print:
            raise errors.KeyReused
        return earlier, await tx.get_one(Desk, earlier.desk_id)
    desk = await desks.named(tx, draft.desk) if draft.desk else await desks.first(tx)
    window = [Window(kit.limits.cases_per_hour, 3600)]
    await kit.throttle.spend(tx, [("support cases", str(by), window)], now=now)
    subject, text = draft.subject, draft.text
    case = await add(tx, kit, desk, subject=subject, text=text, origin="app", account_id=by, by=by, now=now)
    if key is not None:
        case.idempotency_key, case.idempotency_print = key, draft.print
    return case, desk


async def add(
    tx: AsyncSession,
    kit: Kit,
    desk: Desk,
    *,
    subject: str,
    text: str,
    origin: str,
    now: datetime,
    by: UUID | None,
    account_id: UUID | None = None,
    mail_address: str | None = None,
    tag: str | None = None,
    notice_id: UUID | None = None,
) -> Case:
    """Open a case whose texts have been checked; whose day has no more codes gets CodesExhausted."""
    case = Case(
        id=new_id(),
        code=await codes.next_code(tx, kit, now=now),
        desk_id=desk.id,
        account_id=account_id,
        origin=origin,
        notice_id=notice_id,
        tag=tag,
        status=OPEN,
        version=1,
        opened_at=now,
        desk_wrote_at=now,
    )
    case.subject = kit.keys.seal("support_cases.subject", case.id, subject)
    if mail_address is not None:
        case.mail_address = kit.keys.seal("support_cases.mail_address", case.id, mail_address)
    tx.add(case)
    await tx.flush()
    _write(tx, kit, case, text, author=DESK if origin == "staff" else PERSON, by=by, now=now)
    kit.journal.record(tx, CaseOpened(subject=account_id, case=case.id, origin=origin), by=by, now=now)
    if account_id is not None and origin in TOLD:
        notices.tell(tx, kit, account_id, "case_opened", now=now, code=case.code, desk=desk.name)
    return case


def of_person(tx: AsyncSession, kit: Kit, case: Case, text: str, *, now: datetime) -> None:
    """The person wrote again: the case waits for the desk once more."""
    case.status, case.version = OPEN, case.version + 1
    _write(tx, kit, case, text, author=PERSON, by=None, now=now)
    kit.journal.record(tx, CaseContinued(subject=case.account_id, case=case.id), by=None, now=now)


async def answer(
    tx: AsyncSession, kit: Kit, case_id: UUID, text: str, *, clerk: Clerk, form: str, now: datetime
) -> Case | Refusal:
    """The desk writes: the person reads it in the app or by mail, and the code is good for another day.

    Raises FieldsInvalid for a text that asks for a secret; who may not answer is returned (`settle` it).
    """
    tidy = texts.of_the_desk("text", text)
    case = await of_clerk(tx, kit, case_id, clerk, now)
    if isinstance(case, Refusal):
        return case
    await _move(tx, case, status=ANSWERED, desk_wrote_at=now)
    _write(tx, kit, case, tidy, author=DESK, by=clerk.account_id, now=now)
    kit.journal.record(tx, CaseAnswered(subject=case.account_id, case=case.id), by=clerk.account_id, now=now)
    desk = await tx.get_one(Desk, case.desk_id)
    if case.account_id is not None:
        notices.tell(tx, kit, case.account_id, "case_answered", now=now, code=case.code, desk=desk.name)
    address = address_of(kit, case)
    if address is not None:
        subject = mails.subject_of(kit, case, form)
        mails.owe(tx, kit, desk, to=address, subject=subject, text=tidy, now=now, case_id=case.id)
    return case


async def close(tx: AsyncSession, kit: Kit, case_id: UUID, *, clerk: Clerk, now: datetime) -> Case | Refusal:
    """Nothing more is to be done; closing is not writing, so the code's time runs on from the last answer."""
    case = await of_clerk(tx, kit, case_id, clerk, now)
    if isinstance(case, Refusal):
        return case
    await _move(tx, case, status=CLOSED, closed_at=now)
    kit.journal.record(tx, CaseClosed(subject=case.account_id, case=case.id), by=clerk.account_id, now=now)
    return case


def written(draft: Draft) -> tuple[str, str]:
    """Subject and text as a desk may send them; raises FieldsInvalid with everything that is wrong."""
    bad: list[FieldError] = []
    subject = gather(bad, lambda: texts.line_of_the_desk("subject", draft.subject))
    text = gather(bad, lambda: texts.of_the_desk("text", draft.text))
    if bad:
        raise FieldsInvalid(*bad)
    return subject or "", text or ""


async def open_for(
    tx: AsyncSession,
    kit: Kit,
    draft: Draft,
    *,
    clerk: Clerk,
    account_id: UUID | None,
    mail_address: str | None,
    form: str,
    now: datetime,
) -> Case:
    """A desk opens a case for somebody on the telephone, whom app or mail then tell the code.

    Raises NotAtADesk, OwnCase, and FieldsInvalid for texts that ask for a secret.
    """
    staffed = await desks.staffed_by(tx, clerk.blinds, now=now)
    desk = next((one for one in staffed if draft.desk in (None, one.code)), None)
    if desk is None:
        raise desks.NotAtADesk
    if account_id == clerk.account_id:
        raise OwnCase
    subject, text = written(draft)
    case = await add(
        tx,
        kit,
        desk,
        subject=subject,
        text=text,
        origin="staff",
        account_id=account_id,
        mail_address=mail_address,
        by=clerk.account_id,
        now=now,
    )
    if mail_address is not None:
        told = f"{mails.OPENED.format(code=case.code)}\n\n{text}"
        titled = mails.subject_of(kit, case, form)
        mails.owe(tx, kit, desk, to=mail_address, subject=titled, text=told, now=now, case_id=case.id)
    return case


def address_of(kit: Kit, case: Case) -> str | None:
    """Where the case's mails go, in clear."""
    if case.mail_address is None:
        return None
    return kit.keys.open("support_cases.mail_address", case.id, case.mail_address)


def valid_until(kit: Kit, case: Case) -> datetime:
    """Until when the case's code is genuine."""
    return case.desk_wrote_at + timedelta(seconds=kit.limits.support_code_life)


def _write(
    tx: AsyncSession, kit: Kit, case: Case, text: str, *, author: str, by: UUID | None, now: datetime
) -> None:
    row = CaseMessage(id=new_id(), case_id=case.id, author=author, by=by, at=now)
    row.text = kit.keys.seal("support_messages.text", row.id, text)
    tx.add(row)


async def _earlier(tx: AsyncSession, by: UUID, key: str | None) -> Case | None:
    if key is None:
        return None
    found: Case | None = await tx.scalar(
        select(Case).where(Case.account_id == by, Case.idempotency_key == key)
    )
    return found


async def of_clerk(tx: AsyncSession, kit: Kit, case_id: UUID, clerk: Clerk, now: datetime) -> Case | Refusal:
    """The case of one of the clerk's desks, locked; the right is read here and now (rule 616)."""
    staffed = {desk.id for desk in await desks.staffed_by(tx, clerk.blinds, now=now)}
    query = select(Case).where(Case.id == case_id).with_for_update()
    case: Case | None = await tx.scalar(query.execution_options(populate_existing=True))
    refusal: Refusal | None = None
    if case is None or case.desk_id not in staffed:
        refusal = CaseNotFound()
    elif case.account_id == clerk.account_id:
        refusal = OwnCase()
    if refusal is not None or case is None:
        no = refusal or CaseNotFound()
        fact = AccessRefused(reason=no.code, target=case_id)
        kit.journal.record(tx, fact, by=clerk.account_id, now=now)
        return no
    return case


async def _move(tx: AsyncSession, case: Case, **values: object) -> None:
    """Change an open case; of two who close it one does, the other gets CaseIsClosed."""
    moved = (
        update(Case)
        .where(Case.id == case.id, Case.status != CLOSED)
        .values(version=Case.version + 1, **values)
    )
    if not await changed_one(tx, moved):
        raise CaseIsClosed
    await tx.refresh(case)
