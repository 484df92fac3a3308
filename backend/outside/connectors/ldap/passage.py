"""The way to a directory: one checked connection, which the LDAP library reaches through a private socket.

The library resolves names by itself, has its own idea of whom to trust, and stands still in
connecting and in the TLS handshake together with everything else in the process. So the
connection is ours: made to the address that was checked (rules 704, 705), encrypted as our
HTTP is, in time. The library speaks to a socket in a folder that only this process may enter.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import quote, urlsplit

from backend.outside.addresses import AddressRefused, Allowed, Unreachable, is_public, resolve
from backend.outside.trust import trusted

PORTS = {"ldap": 389, "ldaps": 636}
PART = 65536
MOST_BYTES = 4 << 20  # of what one conversation brings; ours are a few kilobytes long


class Place(NamedTuple):
    """Where a directory is."""

    host: str
    port: int
    encrypted: bool


def place_of(url: str) -> Place:
    """Read `ldap://host:port` or `ldaps://host:port`; AddressRefused for anything more or else."""
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise AddressRefused from error
    more = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in PORTS or not parts.hostname or more or parts.hostname.endswith("."):
        raise AddressRefused
    return Place(parts.hostname, port, parts.scheme == "ldaps")


async def check(url: str, allowed: Allowed) -> list[str]:
    """The addresses behind a URL; one that we do not call refuses them all.

    The rule of HTTP with the port of LDAP: listed by the operator, or public, encrypted and at the usual port.
    """
    place = place_of(url)
    found = await resolve(place.host, place.port)
    for address in found:
        open_to_all = place.encrypted and place.port == PORTS["ldaps"] and is_public(address)
        if not open_to_all and not allowed.lists(place.host, address, place.port):
            raise AddressRefused
    return [str(address) for address in found]


class Passage:
    """`async with`: a connection to a directory; `url` is what the library is told to open, once."""

    def __init__(self, url: str, allowed: Allowed, patience: float, most: int = MOST_BYTES) -> None:
        self._url, self._allowed, self._patience, self._most = url, allowed, patience, most
        self._folder: Path | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self._pumps: list[asyncio.Task[None]] = []
        self._server: asyncio.Server | None = None
        self.overflowed = False

    @property
    def url(self) -> str:
        """For the library."""
        assert self._folder is not None
        return f"ldapi://{quote(str(self._folder / 'ldap'), safe='')}"

    async def __aenter__(self) -> Self:
        try:
            async with asyncio.timeout(self._patience):
                outside = await self._connect()
        except TimeoutError as error:
            raise Unreachable from error
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="ngomon-ldap-"))  # entered by nobody else (mode 0700)
            self._server = await asyncio.start_unix_server(
                lambda reader, writer: self._join(outside, (reader, writer)), self._folder / "ldap"
            )
        except OSError as error:  # no room, or a folder for temporary files with too long a name
            await self.__aexit__(None, None, None)
            raise Unreachable from error
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._server is not None:
            self._server.close()
        for pump in self._pumps:
            pump.cancel()
        for writer in self._writers:
            writer.transport.abort()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """To the first permitted address that answers."""
        place = place_of(self._url)
        tls = trusted() if place.encrypted else None
        name = place.host if place.encrypted else None
        trouble: OSError | None = None
        for address in await check(self._url, self._allowed):
            try:
                outside = await asyncio.open_connection(address, place.port, ssl=tls, server_hostname=name)
            except OSError as error:  # a certificate that does not verify is one of these
                trouble = error
            else:
                self._writers.append(outside[1])
                return outside
        raise Unreachable from trouble

    def _join(
        self,
        outside: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        library: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._writers.append(library[1])
        if self._pumps:  # one caller only
            library[1].transport.abort()
            return
        self._pumps += [
            asyncio.ensure_future(self._pump(outside[0], library[1], self._most)),
            asyncio.ensure_future(self._pump(library[0], outside[1], None)),
        ]

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: int | None
    ) -> None:
        carried = 0
        with contextlib.suppress(OSError):
            while part := await reader.read(PART):
                carried += len(part)
                if most is not None and carried > most:
                    self.overflowed = True
                    break
                writer.write(part)
                await writer.drain()
        writer.close()
