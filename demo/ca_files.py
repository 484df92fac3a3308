"""The stand-in authority's keys and certificates: made once, kept beside the demo's database."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

AUTHORITY_FOR = timedelta(days=3650)
USES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


class Kept(msgspec.Struct):
    """Everything that outlives a restart, because the accounts do. Keys are the demo's own, in the clear."""

    root: str
    authority: str
    authority_key: str
    keys: dict[str, str] = {}
    revoked: dict[str, datetime] = {}


def read(file: Path | None, now: datetime) -> Kept:
    """What was kept, or a new authority."""
    if file is not None and file.exists():
        return msgspec.json.decode(file.read_bytes(), type=Kept)
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name, name = _name("Ngọ Môn Demo Root"), _name("NGOMON-DEMO-CA")
    root = authority(root_name, root_key, root_name, root_key, now)
    below = authority(name, key, root_name, root_key, now)
    return Kept(_pem(root), _pem(below), key_pem(key))


def authority(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey,
    now: datetime,
) -> x509.Certificate:
    """A certificate that may sign others and lists of revoked ones."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + AUTHORITY_FOR)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage(key_cert_sign=True, crl_sign=True, digital_signature=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


def usage(**wanted: bool) -> x509.KeyUsage:
    """A key usage of exactly these."""
    return x509.KeyUsage(**(dict.fromkeys(USES, False) | wanted))


def key_pem(key: ec.EllipticCurvePrivateKey) -> str:
    """A key as text."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def load_key(pem: str) -> ec.EllipticCurvePrivateKey:
    """A key from its text."""
    key = load_pem_private_key(pem.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )
