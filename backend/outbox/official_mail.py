"""Official-mail passwords, kept by one directory: set inside the call, never stored (rule 173)."""

from __future__ import annotations

import unicodedata

import structlog
from sqlalchemy import select

from backend.crypto import Unreadable
from backend.db import Database
from backend.errors import Unavailable
from backend.kit import Kit
from backend.outbox.delivery import target_of
from backend.outbox.models import System
from backend.outside.connectors import DeliveryError, Target, Unanswered
from backend.outside.connectors.kinds import ConnectorMissing, load_in_thread
from backend.outside.http import Guarded

RETRY_AFTER = 30
log = structlog.get_logger("official_mail")


class MailDirectoryUnavailable(Unavailable):
    """The directory of the official mail does not set the password; nothing has changed."""

    code = "mail_directory_unavailable"
    title = "Hiện chưa đổi được mật khẩu thư công vụ, vui lòng thử lại sau ít phút"


class MailPasswordUncertain(MailDirectoryUnavailable):
    """The directory was given the password and has not answered: which of the two is in force nobody can say."""

    code = "mail_password_uncertain"
    title = "Chưa rõ mật khẩu thư công vụ đã được đổi hay chưa"


class OfficialMail:
    """Sets passwords in the directory that was connected with `ngomon systems add … --mail`."""

    def __init__(self, db: Database, kit: Kit, http: Guarded) -> None:
        self._db, self._kit, self._http = db, kit, http

    async def set_password(self, address: str, password: str) -> None:
        """Give the mailbox of an address a new password (RFC 3062), outside of any transaction of the caller.

        Raises MailDirectoryUnavailable when there is no such directory, it is out of reach, refuses, or
        knows no mailbox of that address; the log has a word for which it was. Where it breaks off when it has been
        given the password, that is MailPasswordUncertain.
        """
        try:
            kind, target = await self._directory()
            module = await load_in_thread(kind)
            # Composed, as keyboards and mail programs send it (RFC 8265, section 4.2)
            await module.set_mail_password(
                target, self._http, address, unicodedata.normalize("NFC", password)
            )
        except (ConnectorMissing, Unreadable) as error:
            log.warning("mail_password_not_set", error="connector_missing")
            raise MailDirectoryUnavailable(retry_after=RETRY_AFTER) from error
        except Unanswered as error:
            log.warning("mail_password_uncertain")
            raise MailPasswordUncertain(retry_after=RETRY_AFTER) from error
        except DeliveryError as error:
            log.warning("mail_password_not_set", error=error.code)
            raise MailDirectoryUnavailable(retry_after=RETRY_AFTER) from error

    async def _directory(self) -> tuple[str, Target]:
        async with self._db.read() as tx:
            query = select(System).where(System.keeps_mail, System.disabled_at.is_(None)).limit(1)
            system = await tx.scalar(query)
            if system is None:
                raise DeliveryError("no_mail_directory", permanent=True)
            return system.kind, target_of(self._kit, system)
