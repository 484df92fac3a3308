"""Lists of revoked certificates, right and wrong, and the place on a socket where an authority puts them up."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from demo.ca import StandInCa
from tests.authority import Builder, Key, with_other, without
from tests.parts.processes import free_port

DAY = timedelta(days=1)


def written(
    ca: StandInCa,
    at: datetime,
    *,
    lasts: timedelta = DAY,
    serials: Iterable[int] = (),
    extensions: Iterable[tuple[x509.ExtensionType, bool]] = (),
    key: Key | None = None,
    digest: Any = None,
    issuer: x509.Name | None = None,
    **how: Any,
) -> bytes:
    """A list of the authority's, or one bent by what is named; DER."""
    builder = x509.CertificateRevocationListBuilder().issuer_name(issuer or ca.authority.subject)
    builder = builder.last_update(at).next_update(at + lasts)
    for value, critical in extensions:
        builder = builder.add_extension(value, critical=critical)
    reason = x509.CRLReason(x509.ReasonFlags.superseded)
    entry = x509.RevokedCertificateBuilder().revocation_date(at).add_extension(reason, critical=False)
    # one by one the builder copies all that went before: minutes for a national authority's list
    builder._revoked_certificates = [entry.serial_number(serial).build() for serial in serials]
    return builder.sign(key or ca.key, digest or hashes.SHA256(), **how).public_bytes(Encoding.DER)


class Board:
    """One address on a socket: what hangs there, how often it was read, and whether readers have to wait."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/list.crl"
        self.content: bytes | None = None
        self.header = "Cache-Control: public, max-age=86400\r\n"
        self.asked = 0
        self.opened = asyncio.Event()
        self.opened.set()

    def named(self, builder: Builder, *urls: str) -> Builder:
        """The certificate that can be asked after here, and nowhere else."""
        places = [x509.UniformResourceIdentifier(url) for url in urls or (self.url,)]
        point = x509.DistributionPoint(places, None, None, None)
        bare = without(builder, x509.AuthorityInformationAccess)
        return with_other(bare, x509.CRLDistributionPoints([point]))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one reader; 503 while nothing hangs here."""
        with contextlib.closing(writer), contextlib.suppress(ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            self.asked += 1
            await self.opened.wait()
            body = self.content or b""
            status = "503 Down" if self.content is None else "200 OK"
            head = (
                f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{self.header}\r\n"
            )
            writer.write(head.encode() + body)
            await writer.drain()


@contextlib.asynccontextmanager
async def board() -> AsyncIterator[Board]:
    """A board on a free port, until the block ends."""
    place = Board(port := free_port())
    server = await asyncio.start_server(place.serve, "127.0.0.1", port)
    try:
        yield place
    finally:
        place.opened.set()
        server.close()
        await server.wait_closed()
