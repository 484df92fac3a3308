"""What the ways in and back need of the world, handed to their use cases as one thing."""

from __future__ import annotations

from datetime import date
from typing import Protocol
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.codes.captcha import Captcha
from backend.accounts.passwords.passwords import Passwords
from backend.db import Database
from backend.kit import Kit
from backend.outbox.official_mail import OfficialMail
from backend.outside.certificates.certificates import Certificates
from backend.outside.eid.eid import EId
from backend.outside.messages.sms import Sms
from backend.outside.places import Places
from backend.outside.registries import Registries
from backend.owed.line import Line
from backend.settings import Settings


class MailHolder(Protocol):
    """Whose an official mail address is: the account that holds the directory's number, or only its phone."""

    @property
    def account_id(self) -> UUID | None:
        """The account that holds the directory's personal number."""

    @property
    def phone(self) -> str | None:
        """The phone that the directory names, for somebody without account."""


class MailHolders(Protocol):
    """The staff directory's answer to whose an address is; the roles know."""

    async def __call__(self, tx: AsyncSession, kit: Kit, address: str, on: date, /) -> MailHolder | None:
        """Read in the caller's transaction."""
        ...


class Posts(Protocol):
    """Whether somebody holds a role, or will; the roles know."""

    async def __call__(self, tx: AsyncSession, account_id: UUID, /) -> bool:
        """Read in the caller's transaction."""
        ...


class Door(msgspec.Struct, frozen=True):
    """Made once by the composition root."""

    db: Database
    kit: Kit
    settings: Settings
    eid: EId
    post_office: EId | None
    sms: Sms
    texts: Line  # of text messages that nobody waits for
    pushes: Line
    registries: Registries
    certificates: Certificates
    passwords: Passwords
    captcha: Captcha
    places: Places
    official_mail: OfficialMail
    holder_of_mail: MailHolders
    holds_role: Posts
