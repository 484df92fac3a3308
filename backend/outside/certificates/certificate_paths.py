"""What a signing certificate must be, and its path to a configured authority (rule 504; RFC 5280 §6).

The path is built and its signatures are checked by the cryptography library; here stand the demands.
"""

from __future__ import annotations

from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509 import Certificate
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

DEPTH = 4
RSA_BITS = (2048, 8192)  # longer ones only cost the verifier
HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)
UNREADABLE = (  # what the library raises for bytes that are no certificate, list or answer, or on reading a part
    ValueError,
    TypeError,
    OverflowError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
)
Kind = TypeVar("Kind", bound=x509.ExtensionType)


class NoPath(Exception):
    """The certificate is not one that signs somebody in; `reason` is one word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Paths:
    """The configured authorities and what is demanded below them."""

    def __init__(self, roots_pem: bytes, policies: tuple[str, ...]) -> None:
        roots = x509.load_pem_x509_certificates(roots_pem) if roots_pem.strip() else []
        self.count, self._store = len(roots), Store(roots) if roots else None
        self.first_end = min((root.not_valid_after_utc for root in roots), default=None)
        self._policies = {x509.ObjectIdentifier(text) for text in policies}

    def check_leaf(self, leaf: Certificate, now: datetime) -> None:
        """Strength, dates and purpose of the holder's certificate; raises NoPath."""
        check_strength(leaf)
        if now < leaf.not_valid_before_utc:
            raise NoPath("not_yet_valid")
        if now > leaf.not_valid_after_utc:
            raise NoPath("expired")
        usage = _extension(leaf, x509.KeyUsage)
        if usage is None or not usage.digital_signature:
            raise NoPath("key_usage")
        basic = _extension(leaf, x509.BasicConstraints)
        if basic is not None and basic.ca:
            raise NoPath("authority")
        if not self._is_for_clients(leaf):
            raise NoPath("purpose")

    def path(self, leaf: Certificate, others: list[Certificate], now: datetime) -> list[Certificate]:
        """From the leaf to a configured authority, at least two certificates; raises NoPath."""
        if self._store is None:
            raise NoPath("no_authorities")
        verifier = (
            PolicyBuilder()
            .store(self._store)
            .time(now)
            .max_chain_depth(DEPTH)
            .extension_policies(ca_policy=_authorities(), ee_policy=ExtensionPolicy.permit_all())
            .build_client_verifier()
        )
        try:
            chain = verifier.verify(leaf, others).chain
        except VerificationError as error:
            raise NoPath("untrusted") from error
        if len(chain) < 2:
            raise NoPath("self_signed")
        for authority in chain[1:]:
            check_key(authority.public_key())
        return chain

    def _is_for_clients(self, leaf: Certificate) -> bool:
        """EKU clientAuth, or a policy that the operator lists in its stead (rule 502)."""
        purposes = _extension(leaf, x509.ExtendedKeyUsage)
        if purposes is not None and ExtendedKeyUsageOID.CLIENT_AUTH in purposes:
            return True
        stated = _extension(leaf, x509.CertificatePolicies)
        return stated is not None and any(one.policy_identifier in self._policies for one in stated)


def check_strength(certificate: Certificate) -> None:
    """A key that holds and a signature hash that holds; raises NoPath."""
    check_key(certificate.public_key())
    check_hash(certificate.signature_hash_algorithm)


def check_hash(algorithm: hashes.HashAlgorithm | None) -> None:
    """SHA-2 only: MD5 and SHA-1 can be forged; raises NoPath."""
    if not isinstance(algorithm, HASHES):
        raise NoPath("weak_hash")


def check_key(key: object) -> None:
    """RSA of 2048 to 8192 bits, P-256 or P-384; raises NoPath."""
    if isinstance(key, rsa.RSAPublicKey):
        good = RSA_BITS[0] <= key.key_size <= RSA_BITS[1]
    else:
        good = isinstance(key, ec.EllipticCurvePublicKey) and isinstance(
            key.curve, (ec.SECP256R1, ec.SECP384R1)
        )
    if not good:
        raise NoPath("weak_key")


def _authorities() -> ExtensionPolicy:
    """RFC 5280 §4.2.1.3 and §4.2.1.9; not the web's profile, which a national authority need not follow."""
    return (
        ExtensionPolicy.permit_all()
        .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _is_authority)
        .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _may_sign)
    )


def _is_authority(_: Policy, __: Certificate, basic: x509.BasicConstraints) -> None:
    if not basic.ca:
        raise ValueError("not an authority")


def _may_sign(_: Policy, __: Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("may not sign certificates")


def _extension(certificate: Certificate, kind: type[Kind]) -> Kind | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
