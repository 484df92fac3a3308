"""Signing SIMs and USB tokens: whose a certificate is, and that its holder signed just now (rule 504).

What is cheap comes first and what leaves the house last: size, shape, strength, dates, purpose, the
identifier, the path to a configured authority, the signature, and only then revocation.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from datetime import datetime
from uuid import UUID

import msgspec
import structlog
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import Certificate

from backend.errors import Forbidden, Unavailable
from backend.outside.certificates import certificate_paths as paths
from backend.outside.certificates.certificate_subject import Holding, NotHolding, holding_of
from backend.outside.certificates.ocsp import CannotSay, Revoked
from backend.outside.certificates.revocation import Revocation
from backend.outside.http import Guarded

PREFIX = "NGOMON SIGN-IN v1"
PEM_LONGEST = 32_768
CERTIFICATES_MOST = 5
SIGNATURE_LONGEST = 1500  # base64 of an RSA signature by a key of 8192 bits, with room

log = structlog.get_logger("certificates")


class CertificateRefused(Forbidden):
    """A fault of the certificate or of the signature; `reason` is a word for the journal and never leaves."""

    code = "certificate_refused"
    title = "Chứng thư số hoặc chữ ký số không được chấp nhận"

    def __init__(self, reason: str = "refused") -> None:
        super().__init__()
        self.reason = reason


class CertificateCheckUnavailable(Unavailable):
    """Nobody can say whether the certificate was revoked; without that nobody gets in (case TK02)."""

    code = "certificate_check_unavailable"
    title = "Chưa kiểm tra được trạng thái chứng thư số, vui lòng thử lại sau ít phút"

    def __init__(self, reason: str = "unavailable") -> None:
        super().__init__(retry_after=30)
        self.reason = reason


class Holder(msgspec.Struct, frozen=True):
    """Whom a certificate names. `issuer` is the authority's common name.

    `thumbprint` is SHA-256 of the part that the authority signed: its signature can be written in more ways
    than one (ECDSA takes n - s for s), and a removed certificate would come back as another.
    """

    kind: str
    identifier_kind: str
    identifier: str
    name: str
    issuer: str
    valid_from: datetime
    valid_until: datetime
    thumbprint: bytes
    checked_by: str = ""  # ocsp, crl, or unchecked while the emergency switch is on


class Certificates:
    """Accepts certificates of the configured authorities, and of nobody while none is configured.

    `timeout`: patience with a responder, and with a list, in seconds; `keep`: how long a list counts at most.
    """

    def __init__(
        self,
        roots_pem: bytes,
        policies: tuple[str, ...],
        http: Guarded,
        *,
        timeout: float,
        keep: float,
        unchecked: bool = False,
    ) -> None:
        self._paths = paths.Paths(roots_pem, policies)
        self._http, self._revocation = http, Revocation(http, timeout=timeout, keep=keep)
        self.unchecked = unchecked

    @property
    def authorities(self) -> int:
        """How many are configured."""
        return self._paths.count

    @property
    def first_end(self) -> datetime | None:
        """When the first of them is no authority any more; nothing where none is configured."""
        return self._paths.first_end

    def inspect(self, certificate_pem: str, *, now: datetime) -> Holder:
        """Whom it names, after every check that needs neither signature nor network; raises CertificateRefused."""
        chain, holding = self._proved(certificate_pem, now)
        return _holder(chain[0], holding)

    async def verify(
        self, certificate_pem: str, signature_b64: str, challenge: str, *, now: datetime
    ) -> Holder:
        """Whom the certificate names, once its holder has signed `challenge`.

        Raises CertificateRefused, or CertificateCheckUnavailable when revocation cannot be decided.
        """
        chain, holding = self._proved(certificate_pem, now)
        _check_signature(chain[0], signature_b64, challenge)
        checked_by = await self._checked(chain, now)
        return msgspec.structs.replace(_holder(chain[0], holding), checked_by=checked_by)

    async def close(self) -> None:
        """Close the connections to the authorities."""
        await self._revocation.close()
        await self._http.close()

    def _proved(self, certificate_pem: str, now: datetime) -> tuple[list[Certificate], Holding]:
        try:
            leaf, *others = _parsed(certificate_pem)
            self._paths.check_leaf(leaf, now)
            holding = holding_of(leaf)
            return self._paths.path(leaf, others, now), holding
        except (paths.NoPath, NotHolding) as error:
            raise CertificateRefused(error.reason) from error
        except paths.UNREADABLE as error:
            raise CertificateRefused("malformed") from error  # found where a part is first read

    async def _checked(self, chain: list[Certificate], now: datetime) -> str:
        try:
            return await self._revocation.check(chain, now=now)
        except Revoked as error:
            raise CertificateRefused("revoked") from error
        except CannotSay as error:
            if self.unchecked:
                log.warning("certificate_accepted_unchecked", reason=error.reason)
                return "unchecked"
            log.warning("revocation_unchecked", reason=error.reason)
            raise CertificateCheckUnavailable(error.reason) from error


def challenge_text(public_url: str, purpose: str, flow_id: UUID, nonce: str, now: datetime) -> str:
    """The six lines to be signed (rule 502): never the hash of a document (case TK06)."""
    at = now.replace(microsecond=0).isoformat()
    return "\n".join((PREFIX, public_url, purpose, str(flow_id), nonce, at))


def new_nonce() -> str:
    """192 random bits, so that no two challenges are alike."""
    return secrets.token_urlsafe(24)


def _parsed(text: str) -> list[Certificate]:
    if len(text) > PEM_LONGEST:
        raise CertificateRefused("too_long")
    if "PRIVATE KEY" in text:
        raise CertificateRefused("private_key")
    found = x509.load_pem_x509_certificates(text.encode())
    if len(found) > CERTIFICATES_MOST:
        raise CertificateRefused("too_many")
    return found


def _check_signature(leaf: Certificate, signature_b64: str, challenge: str) -> None:
    """RSA PKCS#1 v1.5 or ECDSA, both with SHA-256, over the challenge's bytes as they stand."""
    key, message = leaf.public_key(), challenge.encode()
    if len(signature_b64) > SIGNATURE_LONGEST:
        raise CertificateRefused("signature_wrong")
    try:
        signature = base64.b64decode(signature_b64, validate=True)
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        else:
            assert isinstance(key, ec.EllipticCurvePublicKey)
            key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, binascii.Error, ValueError) as error:
        raise CertificateRefused("signature_wrong") from error


def _holder(leaf: Certificate, holding: Holding) -> Holder:
    return Holder(
        kind=holding.kind,
        identifier_kind=holding.identifier_kind,
        identifier=holding.identifier,
        name=holding.name,
        issuer=holding.issuer,
        valid_from=leaf.not_valid_before_utc,
        valid_until=leaf.not_valid_after_utc,
        thumbprint=hashlib.sha256(leaf.tbs_certificate_bytes).digest(),
    )
