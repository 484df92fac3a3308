"""Certificates of every kind, good and bad, and an authority on a socket that answers for them."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import warnings
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from litestar import Litestar

from backend.outside.certificates.certificates import Certificates, Holder
from backend.outside.clock import Clock
from backend.outside.http import Guarded
from demo.ca import StandInCa
from demo.ca_http import ca_router
from tests.parts.processes import free_port

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
Builder = x509.CertificateBuilder
DIGESTS = {  # RFC 8017 §9.2: the end of the signature's algorithm, the head of its DigestInfo
    "sha1": (b"\x05", bytes.fromhex("3021300906052b0e03021a05000414")),
    "md5": (b"\x04", bytes.fromhex("3020300c06082a864886f70d020505000410")),
}
WITH_RSA = bytes.fromhex("06092a864886f70d0101")


def name(*parts: tuple[x509.ObjectIdentifier, str], kind: Any = None) -> x509.Name:
    """A subject of these attributes, in another string type where one is named."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # too long for X.520, which is what some cases are about
        return x509.Name([x509.NameAttribute(oid, text, kind, _validate=False) for oid, text in parts])


def subject(identifier: str = "CCCD:000190000001", label: str = "Nguyễn Văn Ký") -> x509.Name:
    """The usual subject of a holder."""
    return name((NameOID.USER_ID, identifier), (NameOID.COMMON_NAME, label))


def signed(key: Key, text: str) -> str:
    """What a token gives for a challenge."""
    if isinstance(key, rsa.RSAPrivateKey):
        made = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    else:
        made = key.sign(text.encode(), ec.ECDSA(hashes.SHA256()))
    return base64.b64encode(made).decode()


def without(builder: Builder, kind: type[x509.ExtensionType]) -> Builder:
    """The builder with one extension taken out."""
    kept = [one for one in builder._extensions if not isinstance(one.value, kind)]
    return Builder(
        builder._issuer_name,
        builder._subject_name,
        builder._public_key,
        builder._serial_number,
        builder._not_valid_before,
        builder._not_valid_after,
        kept,
    )


def with_other(builder: Builder, value: x509.ExtensionType, *, critical: bool = False) -> Builder:
    """The builder with one extension replaced."""
    return without(builder, type(value)).add_extension(value, critical=critical)


def weakly_signed(certificate: x509.Certificate, issuer_key: rsa.RSAPrivateKey, digest: str) -> str:
    """The same certificate signed with a digest that nobody should use any more, as PEM."""
    end, head = DIGESTS[digest]
    tbs = certificate.tbs_certificate_bytes.replace(WITH_RSA + b"\x0b", WITH_RSA + end)
    whole = certificate.public_bytes(Encoding.DER).replace(WITH_RSA + b"\x0b", WITH_RSA + end)
    size = issuer_key.key_size // 8
    wanted = head + hashlib.new(digest, tbs).digest()
    padded = b"\x00\x01" + b"\xff" * (size - len(wanted) - 3) + b"\x00" + wanted
    numbers = issuer_key.private_numbers()
    made = pow(int.from_bytes(padded), numbers.d, numbers.public_numbers.n).to_bytes(size)
    return pem(whole[:-size] + made)


def pem(der: bytes) -> str:
    """DER as PEM, whatever it holds."""
    lines = base64.encodebytes(der).decode()
    return f"-----BEGIN CERTIFICATE-----\n{lines}-----END CERTIFICATE-----\n"


class Authority:
    """The stand-in authority, and `Certificates` that trust its root."""

    def __init__(self, ca: StandInCa, clock: Clock, http: Guarded) -> None:
        self.ca, self.clock, self.http = ca, clock, http
        self.certificates = self.trusting(ca.root_pem)

    def trusting(self, roots: bytes, *policies: str, unchecked: bool = False) -> Certificates:
        """A verifier of other roots or policies, with less patience than in the house."""
        return Certificates(roots, policies, self.http, timeout=0.8, keep=3600, unchecked=unchecked)

    def leaf(
        self,
        holder: x509.Name | None = None,
        *,
        key: Key | None = None,
        change: Callable[[Builder], Builder] = lambda builder: builder,
    ) -> tuple[str, Key]:
        """A certificate with its chain, and its key; `change` bends what the authority would issue."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        public: Any = key.public_key()
        builder = change(self.ca.builder(holder or subject(), public))
        return self.ca.chain_pem(builder.sign(self.ca.key, hashes.SHA256())), key

    async def verify(
        self, certificate: str, key: Key, text: str = "challenge", by: Certificates | None = None
    ) -> Holder:
        """Sign and verify in one go."""
        verifier = by or self.certificates
        return await verifier.verify(certificate, signed(key, text), text, now=self.clock.now())

    def pass_time(self, **amount: float) -> None:
        """Let time go by for the authority and whoever relies on it."""
        self.clock.ahead += timedelta(**amount)


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[Authority]:
    """An authority on a free port, until the block ends."""
    port, clock = free_port(), Clock()
    ca = StandInCa(f"http://127.0.0.1:{port}/demo/ca", clock)
    app = Litestar([ca_router(ca)], openapi_config=None, logging_config=None)
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_level="warning", access_log=False, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server._serve())
    while not server.started:
        assert not task.done(), "the server did not start"
        await asyncio.sleep(0.02)
    http = Guarded(["127.0.0.1"], reply_bytes=1 << 20)
    try:
        yield Authority(ca, clock, http)
    finally:
        await http.close()
        server.should_exit = True
        await task
