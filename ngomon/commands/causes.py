"""What a command says when something known goes wrong: one line, and never a trace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from backend.crypto import KeyTrouble
from backend.environment import SettingsError
from backend.errors import CannotStart, Refusal
from backend.pooler import PoolerBetween
from backend.trouble import StorageTrouble
from ngomon.commands.wrong import Wrong


def lines_of(error: Exception) -> list[str]:
    """What to say, or nothing of an error that nobody has thought of."""
    match error:
        case SettingsError():
            return error.problems
        case Wrong() | KeyTrouble() | PoolerBetween() | CannotStart():
            return [str(error)]
        case Refusal():
            return [f"{error.code}: {error.detail or error.title}"]
        case _:
            return []


def said_of(trouble: StorageTrouble) -> str:
    """One line about a database in trouble, with the words of the engine."""
    said = trouble.__cause__
    if isinstance(said, OperationalError | ProgrammingError):
        return cause(said)
    return _unanswered(said) if isinstance(said, DBAPIError | OSError) else trouble.code


def cause(error: DBAPIError) -> str:
    """One line about a database that does not answer as it should; its own words hold no password."""
    if is_without_schema(error):
        return "the database has no schema yet: run `ngomon migrate`"
    return _unanswered(error)


def is_without_schema(error: DBAPIError) -> bool:
    """Whether the database is there, and what was asked of it is not."""
    text = _words(error)
    return any(word in text for word in ("no such table", "UndefinedTable", "UndefinedColumn"))


@contextmanager
def database_asked() -> Iterator[None]:
    """Whatever fails inside is the database, or the way to it: one line about it, raised as Wrong."""
    try:
        yield
    except StorageTrouble as trouble:
        raise Wrong(said_of(trouble)) from trouble
    except DBAPIError as error:
        raise Wrong(cause(error)) from error
    except OSError as error:
        raise Wrong(_unanswered(error)) from error


def _unanswered(error: DBAPIError | OSError) -> str:
    return f"the database does not answer: {_words(error).splitlines()[0]}"


def _words(error: DBAPIError | OSError) -> str:
    """The engine's own, which has none for a deadline."""
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(error.orig if isinstance(error, DBAPIError) else error) or "no word"
