"""How a connection to PostgreSQL is made where several hosts are named, and while none of them answers (rule 913).

The host that last let us in is asked first: one that has lost its power says nothing for ten seconds, and without a
memory every new connection would wait for it anew. While nobody answers one call in a while asks, and the others are
told at once: a standby that is being promoted has other work than to refuse hundreds of connections.
"""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import URL

CONNECT_SECONDS = 10.0  # for one host to let us in; a machine without power says nothing at all
REST = 0.25  # seconds after a refusal in which nobody asks again


class NobodyAnswers(ConnectionError):
    """All hosts have just refused another call of this process."""


class Hosts:
    """The way into one database; shared by whoever connects to it."""

    def __init__(self, url: URL) -> None:
        self._options, self._places = _read(url)
        self._rests_until = 0.0  # nothing while the last answer was a connection

    async def connect(self, _: None = None, **more: Any) -> Any:
        """A connection of asyncpg's own to the first host that lets us in; asyncpg's pool gives its own words along.

        Raises whatever the last one said: OSError, TimeoutError, asyncpg's errors; NobodyAnswers for a short while
        after that.
        """
        import asyncpg

        now = time.monotonic()
        if now < self._rests_until:
            raise NobodyAnswers
        if self._rests_until:  # refused, and at rest since: this call asks for all that come meanwhile
            self._rests_until = now + REST
        last: Exception | None = None
        for place in tuple(self._places):
            try:
                found = await asyncpg.connect(**{**self._options, **place, **more})
            except (
                OSError,
                asyncpg.CannotConnectNowError,
                asyncpg.PostgresConnectionError,
                asyncpg.TargetServerAttributeNotMatched,
            ) as error:
                last = error
            else:
                self._prefer(place)
                self._rests_until = 0.0
                return found
        self._rests_until = time.monotonic() + REST
        assert last is not None, "an address names at least one host"
        raise last

    def _prefer(self, place: dict[str, Any]) -> None:
        if self._places[0] is not place:
            self._places.sort(key=lambda one: one is not place)


def _read(url: URL) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What asyncpg's own `connect` is told of an address, read as SQLAlchemy reads it: TLS, a socket; and each host.

    asyncpg reads the text of an address in another way.
    """
    _, found = url.get_dialect()().create_connect_args(url)
    options: dict[str, Any] = dict(found)
    options |= {"timeout": CONNECT_SECONDS, "server_settings": {"application_name": "ngomon"}}
    hosts, ports = options.pop("host", None), options.pop("port", None)
    if not isinstance(hosts, list):
        return options, [{name: one for name, one in (("host", hosts), ("port", ports)) if one is not None}]
    each = ports if isinstance(ports, list) else [ports] * len(hosts)
    return options, [{"host": host, "port": port} for host, port in zip(hosts, each, strict=True)]
