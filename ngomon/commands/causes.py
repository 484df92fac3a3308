"""What a command says when something known goes wrong: one line, and never a trace."""

from __future__ import annotations

from sqlalchemy.exc import OperationalError, ProgrammingError

from backend.crypto import KeyTrouble
from backend.environment import SettingsError
from backend.errors import Refusal
from backend.trouble import PoolerBetween, StorageTrouble
from ngomon.commands.wrong import Wrong


def lines_of(error: Exception) -> list[str]:
    """What to say, or nothing of an error that nobody has thought of."""
    from ngomon.server import Busy
    from ngomon.stand_ins import NotInstalled
    from workspace.static_files import AssetsMissing

    match error:
        case SettingsError():
            return error.problems
        case Wrong() | KeyTrouble() | PoolerBetween() | Busy() | AssetsMissing() | NotInstalled():
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
    return f"the database does not answer: {said}" if said else trouble.code


def cause(error: OperationalError | ProgrammingError) -> str:
    """One line about a database that does not answer as it should; its own words hold no password."""
    text = str(error.orig)
    if "no such table" in text or "UndefinedTable" in text or "does not exist" in text:
        return "the database has no schema yet: run `ngomon migrate`"
    return f"the database does not answer: {text.splitlines()[0]}"
