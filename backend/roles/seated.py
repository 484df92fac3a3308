"""Who sits at a browser and what they may do, in one question: each page of the workspace begins so (rule 616)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import and_, select

from backend.account import Account
from backend.accounts.models import Identifier
from backend.accounts.ways_in import browser
from backend.accounts.ways_in.browser import BrowserSession, Sitting
from backend.crypto import token_hash
from backend.db import Database
from backend.devices.models import Session
from backend.kit import Kit
from backend.outside.clock import local_day
from backend.roles import authority
from backend.roles.authority import Authority, Numbered
from backend.statements import Question, named

OF_NUMBER = [f"number_{name}" for name in Numbered._fields]
SEATED: Question[Any] = Question(  # a row for each number of theirs, and for each right that hangs on one
    named("Seated", [*Sitting._fields, *OF_NUMBER]),
    authority.with_rights(
        select(
            *browser.SITTING_COLUMNS,
            *(column.label(name) for column, name in zip(authority.NUMBERED, OF_NUMBER, strict=True)),
        )
        .select_from(Session)
        .join(Account, Account.id == Session.account_id)
        .outerjoin(
            Identifier, and_(Identifier.account_id == Session.account_id, Identifier.ended_at.is_(None))
        )
    ).where(browser.IS_COOKIE),
)


class Seated(NamedTuple):
    """A live session, and whose it is with what they may do; nothing of that while keys are changed."""

    session: BrowserSession
    who: Authority | None


async def seated(db: Database, kit: Kit, token: str, now: datetime) -> Seated | None:
    """Whoever has this cookie."""
    if len(kit.keys.key_ids) > 1:
        session = await browser.session_of(db, kit, token, now)
        return Seated(session, None) if session is not None else None
    if not browser.may_be_ours(token):
        return None
    today, width = local_day(now), len(Sitting._fields)
    async with db.read() as tx:
        rows = await SEATED.all(tx, hash=token_hash(token), today=today)
        if not rows:
            return None
        sitting = Sitting._make(rows[0][:width])
        numbers = [Numbered._make(row[width:]) for row in rows]
        who = await authority.of_numbers(tx, sitting.account_id, today, numbers)
    session = await browser.touched(db, kit, sitting, now)
    return Seated(session, who) if session is not None else None
