"""Opens the database for one command: keys proved, causes of trouble in one line, the journal's head out after it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from backend.crypto import KeyRing, KeyTrouble
from backend.db import Database
from backend.environment import load, with_keys
from backend.kit import Kit
from backend.outside.clock import Clock
from backend.settings import Settings
from backend.trouble import StorageTrouble
from ngomon import rows
from ngomon.admission import admit
from ngomon.commands import by
from ngomon.commands.causes import cause, database_asked, said_of
from ngomon.commands.wrong import Wrong
from ngomon.heads import Heads

Result = TypeVar("Result")


def run(job: Callable[[Database, Kit, Settings], Awaitable[Result]], *, storage_only: bool) -> Result:
    """As `ngomon.commands.opened`."""
    return asyncio.run(_opened(job, storage_only))


async def _opened(job: Callable[[Database, Kit, Settings], Awaitable[Result]], storage_only: bool) -> Result:
    settings = with_keys(load(os.environ, storage_only=storage_only))
    with database_asked():
        db = Database(settings.database_url)
    try:
        await refuse_half(db)
        await admit(db, KeyRing.parse(settings.secret_keys), now=Clock().now())
        keys, operator = KeyRing.parse(settings.secret_keys), by.whoever_runs()
        kit = Kit.of(keys, settings.limits, operator=operator, brand=settings.brand, days=settings.days)
        return await _done(job, db, kit, settings)
    except DBAPIError as error:
        if error.statement is not None and not isinstance(error, OperationalError | ProgrammingError):
            raise  # a connection there was, and what was said over it is our mistake
        raise Wrong(cause(error)) from error
    except KeyTrouble as trouble:
        raise Wrong(str(trouble)) from trouble
    except StorageTrouble as trouble:
        raise Wrong(said_of(trouble)) from trouble
    finally:
        await db.close()


async def refuse_half(db: Database) -> None:
    """Raise Wrong where a move into this database has been begun and is not over: what is written now it would meet."""
    if not db.is_sqlite and await rows.is_coming_in(db):
        raise Wrong("not all of SQLite is here yet: run `ngomon migrate-store` again")


async def _done(
    job: Callable[[Database, Kit, Settings], Awaitable[Result]], db: Database, kit: Kit, settings: Settings
) -> Result:
    """The job, and the journal's head out of the house after it (case A07)."""
    result = await job(db, kit, settings)
    if settings.journal_heads:
        await Heads(db, kit.journal, settings.journal_heads).keep()
    return result
