"""Text messages that leave after the act: written down with it, handed over at most once (rule 720; case TO13).

What a message says, and whether it is still to be said, is asked when it leaves; a code is stored nowhere (rule 206).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

import structlog

from backend import flows
from backend.accounts.codes import codes, texts
from backend.accounts.codes.code_rows import THIS_CODE
from backend.accounts.identity import people
from backend.branding.brand import Brand
from backend.db import Database
from backend.errors import TooMany
from backend.kit import Kit
from backend.outside.messages.sms import Sms, SmsUnavailable, SmsUncertain
from backend.owed import queue
from backend.owed.line import NotSent, Sending
from backend.owed.models import Message
from backend.settings import Settings
from backend.throttle import Window

PAUSES = (5.0, 15.0, 60.0)  # seconds before the next tries, while the person waits for the message
LEASE = timedelta(minutes=1)  # that one process may take over one message, at least
CODE, EXISTS, RECOVERED, THAWED, REMOVED = "code", "exists", "recovered", "thawed", "phone_removed"
log = structlog.get_logger("messages")


class Text(NamedTuple):
    """What is handed over."""

    phone: str
    text: str


Words = Callable[[Database, Kit, Message, datetime], Awaitable[Text | None]]  # nothing: it is said no more


class Texts:
    """The SMS centre, for what nobody waits for at a button."""

    name, once, most, news = queue.SMS, True, 32, timedelta(days=1)

    def __init__(self, db: Database, kit: Kit, sms: Sms, words: Mapping[str, Words]) -> None:
        self._db, self._kit, self._sms, self._words = db, kit, sms, words
        self.lease = max(LEASE, 2 * timedelta(seconds=kit.limits.sms_timeout))

    def pause(self, attempts: int) -> timedelta:
        """Short at first."""
        return timedelta(seconds=PAUSES[min(attempts, len(PAUSES)) - 1])

    async def prepared(self, row: Message, now: datetime) -> Sending | None:
        """To whom, and what, as it is now."""
        found = await self._words[row.kind](self._db, self._kit, row, now)
        return partial(self._hand_over, row, found) if found is not None else None

    async def _hand_over(self, row: Message, found: Text) -> str:
        try:
            await self._sms.send(found.phone, found.text, message_id=str(row.id))
        except SmsUncertain:
            log.warning("message_uncertain", about=row.kind)
            return queue.UNCERTAIN
        except SmsUnavailable as error:
            raise NotSent from error
        return queue.SENT


def words(settings: Settings) -> dict[str, Words]:
    """The kinds that accounts know."""
    fixed = {
        RECOVERED: texts.recovered_text,
        THAWED: texts.thawed_text,
        REMOVED: texts.phone_removed_text,
        "name_proposed": texts.name_proposed_text,
        "name_corrected": texts.name_corrected_text,
        "join_proposed": texts.join_proposed_text,
        "desk_joined": texts.desk_joined_text,
    }
    return {
        CODE: partial(_code, settings),
        EXISTS: _exists,
        **{kind: partial(_fixed, says) for kind, says in fixed.items()},
    }


async def _fixed(
    says: Callable[[Brand], str], _: Database, kit: Kit, row: Message, __: datetime
) -> Text | None:
    """The same words for everybody, to the number that was the right one when it was owed."""
    assert row.content is not None
    return Text(kit.keys.open("messages.content", row.id, row.content), says(kit.brand))


async def _code(settings: Settings, db: Database, kit: Kit, row: Message, now: datetime) -> Text | None:
    """A flow's code, while it is right and this sending is its newest."""
    assert row.about is not None
    async with db.read() as tx:
        code = await THIS_CODE.maybe(tx, code=row.about)
        flow = await flows.FIND.maybe(tx, flow=code.flow_id) if code is not None else None
    if code is None or flow is None or code.last_sent_at != row.at or code.expires_at <= now:
        return None
    if code.used_at is not None or code.voided_at is not None or code.key_id not in kit.keys.key_ids:
        return None
    digits, phone = codes.text_of(kit, code, flow), kit.keys.open("one_time_codes.phone", code.id, code.phone)
    return Text(phone, texts.code_text(digits, settings, kit.limits, code.purpose))


async def _exists(db: Database, kit: Kit, row: Message, now: datetime) -> Text | None:
    """The way back goes to the number on file, once in 24 hours."""
    assert row.account_id is not None
    async with db.write() as tx:
        phones = await people.phones_of(tx, row.account_id)
        once = [("account exists", str(row.account_id), [Window(1, codes.DAY)])]
        try:
            if row.attempts == 1:
                await kit.throttle.spend(tx, once, now=now)
        except TooMany:
            return None
    return Text(people.number_of(kit, phones[0]), texts.exists_text(kit.brand)) if phones else None
