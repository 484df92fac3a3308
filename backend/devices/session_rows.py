"""Sessions and their tokens as sign-ins and rotations read and write them: frozen rows, and the statements for them."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import insert, select, update

from backend.account import Account
from backend.devices.models import RefreshToken, Session
from backend.statements import Act, Question, given


class Live(NamedTuple):
    """A session as its tokens see it."""

    id: UUID
    account_id: UUID
    jkt: str | None
    access_expires_at: datetime
    absolute_expires_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    replaced_by: UUID | None


def live_of(session: Session) -> Live:
    """The same of an object of the ORM."""
    return Live(
        id=session.id,
        account_id=session.account_id,
        jkt=session.jkt,
        access_expires_at=session.access_expires_at,
        absolute_expires_at=session.absolute_expires_at,
        ended_at=session.ended_at,
        end_reason=session.end_reason,
        replaced_by=session.replaced_by,
    )


class Link(NamedTuple):
    """A refresh token as it is kept."""

    id: UUID
    session_id: UUID
    hash: bytes
    key_id: bytes
    expires_at: datetime
    used_at: datetime | None
    successor_id: UUID | None


class Slot(NamedTuple):
    """The account's mobile slot, taken."""

    epoch: int


class Gone(NamedTuple):
    """The session that had the slot."""

    id: UUID
    device_name: str
    last_seen_at: datetime


TAKE_SLOT = Question(
    Slot,
    update(Account)
    .where(
        Account.id == given("account", Account.id), Account.status == "active", Account.frozen_at.is_(None)
    )
    .values(active_session_id=given("session", Account.active_session_id), epoch=Account.epoch + 1)
    .returning(Account.epoch),
)
REPLACE = Question(
    Gone,
    update(Session)
    .where(
        Session.account_id == given("account", Session.account_id),
        Session.kind == "mobile",
        Session.ended_at.is_(None),
    )
    .values(
        ended_at=given("now", Session.ended_at),
        end_reason="replaced",
        replaced_by=given("newer", Session.replaced_by),
    )
    .returning(Session.id, Session.device_name, Session.last_seen_at),
)
OPEN, GRANT = Act(insert(Session)), Act(insert(RefreshToken))


class Chain(NamedTuple):
    """A refresh token with its session: a Link, then a Live."""

    id: UUID
    session_id: UUID
    hash: bytes
    key_id: bytes
    expires_at: datetime
    used_at: datetime | None
    successor_id: UUID | None
    account_id: UUID
    jkt: str | None
    access_expires_at: datetime
    absolute_expires_at: datetime
    ended_at: datetime | None
    end_reason: str | None
    replaced_by: UUID | None

    def parts(self) -> tuple[Link, Live]:
        """The two rows."""
        link = Link(
            self.id,
            self.session_id,
            self.hash,
            self.key_id,
            self.expires_at,
            self.used_at,
            self.successor_id,
        )
        live = Live(
            self.session_id,
            self.account_id,
            self.jkt,
            self.access_expires_at,
            self.absolute_expires_at,
            self.ended_at,
            self.end_reason,
            self.replaced_by,
        )
        return link, live


class Locked(NamedTuple):
    """An account whose row is ours to the end of the transaction."""

    id: UUID


LINKS = tuple(getattr(RefreshToken, name) for name in Link._fields)
CHAIN = Question(
    Chain,
    select(*LINKS, *(getattr(Session, name) for name in Live._fields[1:]))
    .join(Session, Session.id == RefreshToken.session_id)
    .where(RefreshToken.hash == given("token", RefreshToken.hash)),
)
LINK = Question(Link, select(*LINKS).where(RefreshToken.id == given("link", RefreshToken.id)))
UNUSED = Question(
    Link,
    select(*LINKS)
    .where(
        RefreshToken.session_id == given("session", RefreshToken.session_id), RefreshToken.used_at.is_(None)
    )
    .order_by(RefreshToken.id.desc())
    .with_for_update(),
)
LOCK = Question(
    Locked, select(Account.id).where(Account.id == given("account", Account.id)).with_for_update()
)
USE = Act(
    update(RefreshToken)
    .where(RefreshToken.id == given("token", RefreshToken.id))
    .values(used_at=given("now", RefreshToken.used_at), successor_id=given("next", RefreshToken.successor_id))
)
RENEW = Act(
    update(Session)
    .where(Session.id == given("session", Session.id))
    .values(
        access_hash=given("access", Session.access_hash),
        access_expires_at=given("until", Session.access_expires_at),
        last_seen_at=given("now", Session.last_seen_at),
    )
)
