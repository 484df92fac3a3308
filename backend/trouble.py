"""When the database itself is in trouble: away, or out of room. One place tells it from a mistake of ours.

Whoever asked is told to come back (503 with Retry-After); nothing is counted against anybody, and it goes on by itself.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from uuid import UUID

import structlog
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from backend.alarms import alarm
from backend.crypto import KeyTrouble
from backend.errors import Refusal, Unavailable

RETRY_SECONDS = 5
log = structlog.get_logger("trouble")
FULL_STATES = ("53100", "53200")  # PostgreSQL: disk_full, out_of_memory
AWAY_CLASSES = ("08", "53", "57", "58")  # connection, resources, operator intervention, system
AWAY_STATES = (
    "25006",
    "25P03",
    "25P04",
)  # a standby that only reads; a transaction that idled or ran too long
CROSSED_STATES = ("40P01", "40001")  # each waited for the other: one of them begins again
SQLITE_FULL = 13
SQLITE_AWAY = (5, 8, 10, 14)  # busy, read-only, input or output, cannot open
IDLE_IN_TRANSACTION = "10s"  # what each of our connections tells PostgreSQL at its beginning
AWAY_WORDS = (  # asyncpg's own, of a connection that broke while it was asked
    "connection is closed",
    "connection was closed",
    "connection_lost",
    "connection has been released",
    "cannot switch to state",
    "none of the hosts match",  # of several one that writes, while it is promoted
)


class StorageTrouble(Unavailable):
    """What everybody waits for does not answer now; it is nobody's fault and no try is counted."""


class DatabaseAway(StorageTrouble):
    """The database is out of reach, starting, or handing over."""

    code = "database_unavailable"
    title = "Hệ thống tạm thời chưa ghi nhận được, vui lòng thử lại sau ít phút"


class Crossed(DatabaseAway):
    """The database is there and took nothing of it, for two waited for each other: come back."""


class DatabaseFull(StorageTrouble):
    """There is no room to write; reading goes on."""

    code = "storage_full"
    title = "Hệ thống tạm hết chỗ lưu, chưa ghi nhận được; vui lòng thử lại sau ít phút"


class _Named:
    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        if not isinstance(error, Exception) or isinstance(error, Refusal):
            return
        found = trouble_in(error)
        if found is not None:
            if not isinstance(found, Crossed):
                alarm("database_full" if isinstance(found, DatabaseFull) else "database_away")
            raise found from error


NAMED = _Named()  # one for all: it remembers nothing, and every call of ours goes through it


def named() -> AbstractContextManager[None]:
    """What is done inside fails as StorageTrouble when it is the database that fails, and as itself otherwise."""
    return NAMED


class OfOne(Exception):
    """Of what is done for many in one transaction something fails that is one person's; the others shall not wait."""

    def __init__(self, account_id: UUID) -> None:
        super().__init__(str(account_id))
        self.account_id = account_id


@contextmanager
def of_one(account_id: UUID) -> Iterator[None]:
    """What is done inside concerns one person: raises OfOne, and what the database says of itself as it is."""
    try:
        yield
    except Exception as error:
        if not _is_of_one(error):
            raise
        raise OfOne(account_id) from error


@contextmanager
def apart(job: str, row: object) -> Iterator[None]:
    """What is done inside concerns one row of many: where it fails the log says so, and the others go on."""
    try:
        yield
    except Exception as error:
        if not _is_of_one(error):
            raise
        log.warning("one_left", job=job, row=str(row), error=type(error).__name__)


def _is_of_one(error: Exception) -> bool:
    """Whether it may well go on with the others: neither the database nor our keys are at fault."""
    if isinstance(error, IntegrityError | DataError):
        return True
    return not isinstance(error, SQLAlchemyError | OSError | StorageTrouble | KeyTrouble)


def trouble_in(error: BaseException) -> StorageTrouble | None:
    """What an error says of the database; nothing when it says something of us."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DatabaseFull(retry_after=RETRY_SECONDS)
    if isinstance(error, NoConnectionFree | OSError):  # a connection that is refused comes as it is
        return DatabaseAway(retry_after=RETRY_SECONDS)
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None) or ""
    code = (getattr(cause, "sqlite_errorcode", None) or 0) & 0xFF  # the rest of the number says where
    if state in FULL_STATES or code == SQLITE_FULL:
        return DatabaseFull(retry_after=RETRY_SECONDS)
    if state in CROSSED_STATES:
        return Crossed(retry_after=RETRY_SECONDS)
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    told = state.startswith(AWAY_CLASSES) or state in AWAY_STATES or code in SQLITE_AWAY
    if lost or told or any(word in str(cause).lower() for word in AWAY_WORDS):
        return DatabaseAway(retry_after=RETRY_SECONDS)
    return None
