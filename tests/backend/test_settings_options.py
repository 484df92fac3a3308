"""An option in a database's address is honoured, or refused by its name (rule 1001)."""

from __future__ import annotations

import pytest
from sqlalchemy import make_url

from backend.hosts import Hosts
from backend.settings_addresses import why_no_database

ADDRESS = "postgresql+asyncpg://u:tests-only@db:5432/ngomon"


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ("prepared_statement_cache_size=0", "leave it out: every connection keeps its statements prepared"),
        ("statement_cache_size=0", "a pooler must have pool_mode = session"),
        ("max_cached_statement_lifetime=0", "leave it out"),
        ("timeout=3", "leave it out: a new connection is given up after ten seconds"),
        ("application_name=x", "leave it out"),
        ("server_settings=x", "ALTER ROLE"),
        ("sslmode=require", "write ssl"),
        ("sslrootcert=/x.pem", "set PGSSLROOTCERT"),
        ("direct_tls=true", "leave it out; taken are host, port, ssl,"),
        ("plugin=x", "leave it out; taken are"),
        ("ssl=", "give it one"),
        ("ssl", "give it one"),
        ("ssl=tests-only", "must be one of disable, allow, prefer, require"),
        ("target_session_attrs=tests-only", "must be one of any, primary"),
        ("command_timeout=soon", "whole seconds"),
        ("ssl=disable&ssl=require", "more than once"),
        ("host=a&host=b&sslmode=require", "write ssl"),
    ],
)
def test_an_option_that_would_reach_nobody_is_named(option: str, why: str) -> None:
    found = why_no_database(f"{ADDRESS}?{option}") or ""
    name = option.rpartition("&")[2].partition("=")[0]
    assert name in found and why in found, found
    assert "tests-only" not in found, "a password may stand there"


@pytest.mark.parametrize(
    "option",
    [
        "host=db1:5432&host=db2:5432&target_session_attrs=read-write&ssl=require",
        "host=db1,db2&port=5432,5433",
        "host=/var/run/postgresql&port=5433",
        "password=a%40b?c&user=x&database=y",
        "passfile=/p&service=s&servicefile=/s&krbsrvname=k&gsslib=sspi&command_timeout=30",
    ],
)
def test_what_is_taken_is_told_to_the_driver(option: str) -> None:
    url = f"postgresql+asyncpg:///?{option}"
    assert why_no_database(url) is None
    hosts = Hosts(make_url(url))
    told = {name for place in hosts._places for name in {**hosts._options, **place}}
    assert {pair.partition("=")[0] for pair in option.split("&")} <= told


@pytest.mark.parametrize(
    "options",
    [
        "host=a&host=b",
        "port=abc",
        "host=a:1,b:2",
        "host=a:x&host=b",
        "host=a&host=b&port=1",
        "host=a,b&port=1,2,3",
        "host=a:1&host=b:2&port=3",
    ],
)
def test_hosts_and_ports_that_do_not_belong_together_are_told_in_a_line(options: str) -> None:
    assert "host=NAME:PORT" in (why_no_database(f"postgresql+asyncpg://u:p@/d?{options}") or "")


def test_the_end_of_a_password_is_no_option() -> None:
    """Signs that must be written otherwise: it is refused, and nothing of it is told."""
    assert why_no_database("postgresql+asyncpg://u:p?w=1@db/ngomon?ssl=require") is None
    found = why_no_database("postgresql+asyncpg://u:p@w?hidden=1@db/ngomon") or ""
    assert "%40" in found and "hidden" not in found


def test_sqlite_takes_no_options() -> None:
    assert "no options" in (why_no_database("sqlite+aiosqlite:///data/ngomon.db?timeout=1") or "")
