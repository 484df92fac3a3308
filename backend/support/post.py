"""The desk's post: what comes into the mailbox becomes cases, what is owed leaves (rule 1104).

Any number of processes may do this at once: a mail is taken in by whoever writes its UID first, in the
transaction that opens the case, and sent by whoever claims its row. Nothing is sent inside a transaction.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import Database, insert_into, new_id
from backend.errors import TooMany
from backend.kit import Kit
from backend.outside.clock import Clock
from backend.outside.messages.mail import Fetched, Mailbox, MailRefused, MailUnfit, MailUnreachable, Sender
from backend.rounds import rounds
from backend.settings import Settings
from backend.support import cases, desks, incoming, mails
from backend.support.incoming import Incoming
from backend.support.models import Case, Desk, ReadMail
from backend.throttle import Window

CASE, UNTAGGED = "$NgoMonCase", "$NgoMonUntagged"
AT_ONCE, BATCHES = 25, 8  # in one round, so that a flood keeps nobody waiting for long
SEEN_MOST = 10_000  # mails whose turn is remembered
log = structlog.get_logger("post")


class PostRoom:
    """Reads and sends the post of all desks; does nothing where no mail server is set."""

    def __init__(self, db: Database, kit: Kit, settings: Settings, clock: Clock) -> None:
        self._db, self._kit, self._clock = db, kit, clock
        self._mailbox = Mailbox(settings.support_imap_url) if settings.support_imap_url else None
        self._sender = Sender(settings.support_smtp_url) if settings.support_smtp_url else None
        self._form = settings.support_subject_tag
        self._tried: Counter[str] = Counter()  # UIDs of mails that had their turn, and how often
        self._pause = max(1, settings.support_poll_seconds)

    @property
    def sends(self) -> bool:
        """Whether there is a mail server that takes what is owed."""
        return self._sender is not None

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`."""
        if self._mailbox is None and self._sender is None:
            return
        await rounds(stop, self._pause, self.round)

    async def round(self) -> None:
        """Take in what came, then send what is owed; one failing, which is logged, does not keep the other."""
        for half in (self._take_in, self._send):
            try:
                await half()
            except MailUnreachable as error:
                log.warning("mail_server_away", cause=str(error))
            except Exception as error:
                log.exception("post_broke", exc_info=error)

    async def _take_in(self) -> None:
        if self._mailbox is None:
            return
        async with self._db.read() as tx:
            if not await desks.listed(tx, most=1):
                return  # nobody could answer: the mails wait where they are
        for _ in range(BATCHES):
            if not await self._take_batch(self._mailbox):
                return

    async def _take_batch(self, mailbox: Mailbox) -> bool:
        """Take in some mails; whether there may be more. What comes again, failed or unmarked, comes last."""
        if len(self._tried) > SEEN_MOST:
            self._tried.clear()
        validity, found = await mailbox.fetch_new((CASE, UNTAGGED), most=AT_ONCE, tried=self._tried)
        marks: dict[str, list[str]] = {}
        for fetched in found:
            self._tried[fetched.uid] += 1
            if fetched.raw is None:
                log.warning("mail_not_given", uid=fetched.uid)  # whatever it says: it waits where it is
                continue
            mail = await asyncio.to_thread(_read, fetched.raw, self._form)
            try:
                async with self._db.write() as tx:
                    keyword = await self._taken(tx, mail, fetched, validity, self._clock.now())
            except Exception as error:
                log.exception("mail_not_taken_in", exc_info=error)  # the others are
                continue
            marks.setdefault(keyword, []).append(fetched.uid)
        for keyword, uids in marks.items():
            await mailbox.mark(uids, keyword)
        return sum(map(len, marks.values())) == AT_ONCE

    async def _taken(
        self, tx: AsyncSession, mail: Incoming, fetched: Fetched, validity: str, now: datetime
    ) -> str:
        """Deal with one mail, once; the keyword that it gets (again, when a crash kept it from getting it)."""
        is_case = mail.tag is not None and mail.sender is not None
        row = insert_into(tx, ReadMail).values(
            id=new_id(), uid_validity=validity[:20], uid=fetched.uid[:20], at=now
        )
        fresh = await tx.scalar(row.on_conflict_do_nothing().returning(ReadMail.id))
        if fresh is None:  # while it comes, it must stay known
            again = (ReadMail.uid_validity == validity[:20], ReadMail.uid == fetched.uid[:20])
            await tx.execute(update(ReadMail).where(*again).values(at=now))
        else:
            is_case = await self._deal_with(tx, mail, is_case=is_case, now=now)
        return CASE if is_case else UNTAGGED

    async def _deal_with(self, tx: AsyncSession, mail: Incoming, *, is_case: bool, now: datetime) -> bool:
        known = await desks.listed(tx)
        desk = _desk_for(known, mail)
        if desk is None or mail.sender is None or mail.sender in {one.mailbox for one in known}:
            return False  # nobody to answer, or our own mail come back
        window = [Window(self._kit.limits.cases_per_hour, 3600)]
        try:
            await self._kit.throttle.spend(tx, [("support mails", mail.sender, window)], now=now)
        except TooMany:
            log.warning("mail_left")
            return False
        if is_case:
            await self._into_case(tx, mail, desk, mail.sender, now)
        elif not mail.is_automatic:
            form, example = mails.tag_of(self._form, "SHKB"), mails.tag_of(self._form, "0010")
            mails.owe(
                tx,
                self._kit,
                desk,
                to=mail.sender,
                subject=mails.UNTAGGED.format(form=form),
                text=mails.FORM.format(form=form, example=example),
                now=now,
                answers=mail.message_id,
                automatic=True,
            )
        return is_case

    async def _into_case(
        self, tx: AsyncSession, mail: Incoming, desk: Desk, sender: str, now: datetime
    ) -> None:
        """A new case and the answer with its code, or more words to the sender's own open one."""
        kit = self._kit
        known = (
            await tx.scalar(select(Case).where(Case.code == mail.code).with_for_update())
            if mail.code
            else None
        )
        if known is not None and known.status != cases.CLOSED and cases.address_of(kit, known) == sender:
            cases.of_person(tx, kit, known, mail.text, now=now)
            return
        case = await cases.add(
            tx,
            kit,
            desk,
            subject=mail.subject,
            text=mail.text,
            origin="mail",
            mail_address=sender,
            tag=mail.tag,
            by=None,
            now=now,
        )
        if not mail.is_automatic:
            mails.owe(
                tx,
                kit,
                desk,
                to=sender,
                subject=mails.subject_of(kit, case, self._form),
                text=mails.OPENED.format(code=case.code),
                now=now,
                case_id=case.id,
                answers=mail.message_id,
                automatic=True,
            )

    async def _send(self) -> None:
        if self._sender is None:
            return
        async with self._db.read() as tx:
            waiting = await mails.due(tx, self._clock.now())
        for mail_id in waiting:
            try:
                await self._send_one(self._sender, mail_id)
            except MailUnreachable:
                raise
            except Exception as error:
                log.exception("mail_not_sent", exc_info=error)  # the others are

    async def _send_one(self, sender: Sender, mail_id: UUID) -> None:
        async with self._db.write() as tx:
            owed = await mails.claim(tx, self._kit, mail_id, now=self._clock.now())
        if owed is None:
            return
        try:
            await sender.send(owed)
        except MailRefused as error:
            log.warning("mail_refused", cause=str(error))  # its pause has begun
            if isinstance(error, MailUnfit):
                async with self._db.write() as tx:
                    await mails.give_up(tx, mail_id)
            return
        async with self._db.write() as tx:
            await mails.sent(tx, mail_id, now=self._clock.now())


def _read(raw: bytes, form: str) -> Incoming:
    """A mail on which the reader itself fails is left to the people of the desk, and is in nobody's way."""
    try:
        return incoming.read(raw, form)
    except Exception as error:  # noqa: BLE001 - and not written out, for it may quote the mail
        log.warning("mail_unreadable", cause=type(error).__name__)
        return incoming.UNREADABLE


def _desk_for(known: list[Desk], mail: Incoming) -> Desk | None:
    """The desk whose mailbox the mail was written to, else the first."""
    return next((desk for desk in known if desk.mailbox in mail.recipients), known[0] if known else None)
