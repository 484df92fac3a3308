"""Which kinds of systems there are here: ours, and those that an installed package brings (rule 715).

A package names its module in its own metadata, under GROUP, as `kind = "its.module"`; nothing of ours has to know of
it. The module is imported when a system of that kind is first asked for.
"""

from __future__ import annotations

import asyncio
import re
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Literal, NamedTuple

GROUP = "ngomon.connectors"
NAME = re.compile(r"[a-z][a-z0-9-]{1,9}")  # as long as systems.kind
NEEDED = ("KIND", "check", "connect")
Cannot = Literal["no_read_back"]


class Kind(NamedTuple):
    """A kind of system: where one may be that nobody listed, what it cannot do, and where a connector of ours is."""

    public: str
    cannot: frozenset[Cannot] = frozenset()
    module: str = ""


HTTPS = "https to a public address at port 443 or 8443"
CONNECTORS: dict[str, Kind] = {
    "scim": Kind(HTTPS, module="backend.outside.connectors.scim"),
    "ldap": Kind("ldaps to a public address at port 636", module="backend.outside.connectors.ldap"),
    "webhook": Kind(HTTPS, frozenset({"no_read_back"}), "backend.outside.connectors.webhook"),
}


class ConnectorMissing(Exception):
    """No such connector here; the text says what to do."""


@cache
def brought() -> dict[str, tuple[EntryPoint, ...]]:
    """What installed packages bring, by kind; nobody takes the name of one of ours."""
    found: dict[str, tuple[EntryPoint, ...]] = {}
    for entry in entry_points(group=GROUP):
        if entry.name not in CONNECTORS:
            found[entry.name] = (*found.get(entry.name, ()), entry)
    return found


def kinds() -> list[str]:
    """Every kind that a system may be of here, ours first."""
    return [*CONNECTORS, *sorted(brought())]


def origin(kind: str) -> str:
    """The package that brings a kind, with its version."""
    packages = [entry.dist for entry in brought().get(kind, ()) if entry.dist is not None]
    return ", ".join(f"{package.name} {package.version}" for package in packages) or "ngomon"


def load(kind: str) -> ModuleType:
    """Import the connector of a kind, which can take a second; ConnectorMissing says what there is."""
    if kind in CONNECTORS:
        try:
            return import_module(CONNECTORS[kind].module)
        except ModuleNotFoundError as error:
            raise ConnectorMissing(f"{error.name} is missing: pip install 'ngomon[{kind}]'") from error
    return _brought(kind)


@cache
def _brought(kind: str) -> ModuleType:
    """The module of an installed package; what is wrong with it is its package's, and said so."""
    entries = brought().get(kind, ())
    if not entries:
        raise ConnectorMissing(f"connector {kind!r} is not installed yet; there is: {', '.join(kinds())}")
    if not NAME.fullmatch(kind):
        raise ConnectorMissing(
            f"connector {kind!r} ({origin(kind)}) has no name that can be kept: {NAME.pattern}"
        )
    if len(entries) > 1:
        raise ConnectorMissing(f"connector {kind!r} is brought by more than one package: {origin(kind)}")
    try:
        module = entries[0].load()
    except Exception as error:
        raise ConnectorMissing(
            f"connector {kind!r} ({origin(kind)}) cannot be loaded: {type(error).__name__}: {error}"
        ) from error
    if missing := [name for name in NEEDED if not hasattr(module, name)]:
        raise ConnectorMissing(f"connector {kind!r} ({origin(kind)}) lacks {', '.join(missing)}")
    return module  # type: ignore[no-any-return]  # an entry point may be anything; this one has what is needed


def forget() -> None:
    """Look again at what is installed: a process that goes on while packages come and go."""
    brought.cache_clear()
    _brought.cache_clear()


def kind_of(kind: str) -> Kind:
    """What a kind says of itself; ConnectorMissing when it is not installed."""
    if kind in CONNECTORS:
        return CONNECTORS[kind]
    found: Kind = load(kind).KIND
    return found


def cannot(kind: str) -> frozenset[Cannot]:
    """What systems of a kind cannot do. Where the connector is gone there is nobody to ask them."""
    try:
        return kind_of(kind).cannot
    except ConnectorMissing:
        return frozenset({"no_read_back"})


async def load_in_thread(kind: str) -> ModuleType:
    """The same as `load` without holding up the event loop."""
    return await asyncio.to_thread(load, kind)
