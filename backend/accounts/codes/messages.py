"""Messages that leave after the answer: nobody waits for them at a button."""

from __future__ import annotations

import asyncio

import structlog

from backend.accounts.door import Door
from backend.outside.messages.sms import SmsUnavailable, SmsUncertain

log = structlog.get_logger("messages")
AGAIN = (0, 5, 15)  # seconds before each try, while the person waits for the message


async def send_later(door: Door, phone: str, text: str, *, message_id: str, about: str) -> None:
    """Try until the SMS centre takes it, and never again once it may have: one act is one message (case TO13).

    `about` names it in the log, without a person.
    """
    for pause in AGAIN:
        await asyncio.sleep(pause)
        try:
            await door.sms.send(phone, text, message_id=message_id)
        except SmsUncertain:
            log.warning("message_uncertain", about=about)
        except SmsUnavailable:
            log.warning("message_not_sent", about=about)
            continue
        return
