"""Whether a setting can be an address at all, said before anybody takes it apart (rule 1001)."""

from __future__ import annotations

from urllib.parse import urlsplit

from backend.settings_options import why_no_option

SQLITE, POSTGRES = "sqlite+aiosqlite:///", "postgresql+asyncpg://"
UNREADABLE = "is no address: its port is no number, or a bracket is missing"
UNPLACED = (
    "names hosts and ports that do not belong together: "
    "write host=NAME:PORT for each, every port a number, and no port"
)
NO_FILE = ("", ":memory:")


def why_no_database(url: str) -> str | None:
    """What keeps this from being the address of a database; nothing where it can be one."""
    if url.startswith(SQLITE):
        path, _, options = url.removeprefix(SQLITE).partition("?")
        if path in NO_FILE:
            return "an SQLite address needs a file"
        return (
            "an SQLite address takes no options: leave out the question mark and what follows"
            if options
            else None
        )
    if not url.startswith(POSTGRES):
        return f"must begin with {SQLITE} or {POSTGRES}"
    rest = url.removeprefix(POSTGRES)  # a password may hold any sign but @
    place = rest.partition("@")[2] if "@" in rest else rest
    if not is_readable(f"//{place}"):
        return UNREADABLE
    return why_no_option(rest) or (UNPLACED if "?" in rest and not _says_where(url) else None)


def _says_where(url: str) -> bool:
    """Whether hosts and ports in its options belong together, as whoever connects reads them."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    from backend.hosts import Hosts

    try:
        Hosts(make_url(url))
    except (ArgumentError, ValueError):
        return False
    return True


def why_no_service(url: str, schemes: tuple[str, ...]) -> str | None:
    """The same of something that is spoken to otherwise than by HTTP, and is set."""
    if not is_readable(url):
        return UNREADABLE
    return None if urlsplit(url).scheme in schemes else f"must begin with {'://, '.join(schemes)}://"


def is_readable(url: str) -> bool:
    """Whether its parts can be told apart, and the port is one."""
    try:
        return urlsplit(url).port != 0
    except ValueError:  # brackets or a port that cannot be
        return False


def is_address(url: str) -> bool:
    """Whether it is a place of the web."""
    if not is_readable(url):
        return False
    parts = urlsplit(url)
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def is_in_the_open(url: str) -> bool:
    """Whether a mailbox's password would cross a network without TLS (rule 1102)."""
    if not is_readable(url):
        return False
    parts = urlsplit(url)
    return parts.scheme == "imap" and parts.hostname not in ("127.0.0.1", "localhost", "::1")
