"""Which options the address of a database may carry: one that would reach nobody is refused, not forgotten (rule 1001).

SQLAlchemy hands over to asyncpg what an address says after its question mark, but for what both know nothing of, for
numbers, which come as words, and for what `backend/hosts.py` says itself.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

SEVERAL = ("host", "port")  # a standby beside its primary
HONOURED = {  # and which values, where they are few
    "host": (),
    "port": (),
    "ssl": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "target_session_attrs": ("any", "primary", "standby", "prefer-standby", "read-write", "read-only"),
    "user": (),
    "password": (),
    "passfile": (),
    "database": (),
    "service": (),
    "servicefile": (),
    "krbsrvname": (),
    "gsslib": ("gssapi", "sspi"),
    "command_timeout": (),
}
PREPARED = "every connection keeps its statements prepared, and a pooler must have pool_mode = session"
INSTEAD = {
    "prepared_statement_cache_size": f"leave it out: {PREPARED}",
    "prepared_statement_name_func": f"leave it out: {PREPARED}",
    "statement_cache_size": f"leave it out: {PREPARED}",
    "max_cached_statement_lifetime": f"leave it out: {PREPARED}",
    "max_cacheable_statement_size": f"leave it out: {PREPARED}",
    "timeout": "leave it out: a new connection is given up after ten seconds",
    "connect_timeout": "leave it out: a new connection is given up after ten seconds",
    "application_name": "leave it out: PostgreSQL is told ngomon",
    "server_settings": "leave it out, and give the role its settings (ALTER ROLE … SET)",
    "options": "leave it out, and give the role its settings (ALTER ROLE … SET)",
    "sslmode": "write ssl",
    "dbname": "write database",
    "username": "write user",
    "sslrootcert": "set PGSSLROOTCERT in the environment",
    "sslcert": "set PGSSLCERT in the environment",
    "sslkey": "set PGSSLKEY in the environment",
    "sslcrl": "set PGSSLCRL in the environment",
}
WHO = re.compile(r"[^:/]*(?::[^@]*)?@")  # as SQLAlchemy reads it: a password may hold a question mark
SECONDS = re.compile(r"[1-9]\d*")


def why_no_option(rest: str) -> str | None:
    """What is wrong with the options of an address of PostgreSQL, of which `rest` follows the scheme."""
    who = WHO.match(rest)
    query = rest[who.end() if who else 0 :].partition("?")[2]
    given = parse_qsl(query, keep_blank_values=True)
    names = [name for name, _ in given]
    for name, value in given:
        if name not in HONOURED:
            return _not_taken(name, query)
        if name not in SEVERAL and names.count(name) > 1:
            return f"has its option {name} more than once: leave one"
        if why := _wrong(name, value):
            return f"has an option {name} {why}"
    return None


def _wrong(name: str, value: str) -> str | None:
    """Of one that is taken; its value is never told, for it may be a password."""
    if not value:
        return "without a value: give it one, or leave it out"
    if HONOURED[name] and value not in HONOURED[name]:
        return f"that must be one of {', '.join(HONOURED[name])}"
    if name == "command_timeout" and not SECONDS.fullmatch(value):
        return "that must be whole seconds"
    return None


def _not_taken(name: str, query: str) -> str:
    """Behind a password with @ that nobody wrote as %40, its end would be taken for an option: it is not told."""
    if name in INSTEAD:
        return f"has an option that is not taken, {name}: {INSTEAD[name]}"
    if "@" in query:
        return "has an option that is not taken: in a password @ is written %40, and ? is written %3F"
    return f"has an option that is not taken, {name}: leave it out; taken are {', '.join(HONOURED)}"
