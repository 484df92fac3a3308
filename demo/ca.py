"""A stand-in certification authority: signing SIMs and USB tokens for invented people and organisations.

It issues, revokes, and answers by OCSP and CRL like a licensed one; and it can be broken in the ways that
whoever relies on an authority has to survive.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from backend.names import clean_name
from backend.outside.clock import Clock
from demo.ca_files import key_pem, load_key, read, usage

FRESH = timedelta(minutes=10)
HOLDERS_FOR = timedelta(days=365)
NAME_MOST = 64  # X.520 ub-common-name
SPELLINGS = {  # numbers that could be somebody's are refused, as everywhere in the demo
    "citizen": (re.compile(r"000[0-9]{9}"), re.compile(r"000[0-9]{6}")),
    "enterprise": (re.compile(r"000[0-9]{7}(?:-[0-9]{3})?"),),
    "agency": (re.compile(r"(?=.{1,35}\Z)[0-9A-Z]+(?:\.[0-9A-Z]+)*"),),
}
PREFIXES = {"citizen": "CCCD", "enterprise": "MST", "agency": "MDV"}


class Mood(StrEnum):
    """How the authority answers about revocation."""

    WELL = "well"
    DOWN = "down"  # 503 at both addresses
    NO_OCSP = "no_ocsp"  # the responder is down, the list is served
    UNKNOWN = "unknown"  # OCSP: never heard of it
    STALE = "stale"  # answers of yesterday
    REPLAY = "replay"  # the responder repeats its last answer
    GARBAGE = "garbage"  # 200, and something that is none
    DRIP = "drip"  # a byte now and then


class NotForDemo(ValueError):
    """Such a certificate is not made here; the text says why, in both languages."""


class Issued(msgspec.Struct, frozen=True):
    """A new token: its certificate with the chain below the root, and the name of its key."""

    certificate: str
    key_id: str


class StandInCa:
    """One authority: a root, an authority below it that issues, and everything that it issued."""

    def __init__(self, url: str, clock: Clock, file: Path | None = None) -> None:
        self.url, self.mood = url, Mood.WELL
        self._clock, self._file = clock, file
        self._kept = read(file, clock.now())
        self.root = x509.load_pem_x509_certificate(self._kept.root.encode())
        self.authority = x509.load_pem_x509_certificate(self._kept.authority.encode())
        self.key = load_key(self._kept.authority_key)
        self._last_answer = b""

    @property
    def root_pem(self) -> bytes:
        """What somebody who trusts this authority configures."""
        return self._kept.root.encode()

    def issue(self, kind: str, identifier: str, name: str) -> Issued:
        """A token for an invented holder; raises NotForDemo."""
        subject = _subject(kind, identifier, name)
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = self.builder(subject, key.public_key()).sign(self.key, hashes.SHA256())
        key_id = f"{leaf.serial_number:x}"
        self._kept.keys[key_id] = key_pem(key)
        self._save()
        return Issued(certificate=self.chain_pem(leaf), key_id=key_id)

    def builder(self, subject: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        """What every certificate of a holder has; tests take things out or put others in."""
        now = self._clock.now()
        access = x509.AccessDescription(
            AuthorityInformationAccessOID.OCSP, x509.UniformResourceIdentifier(f"{self.url}/ocsp")
        )
        point = x509.DistributionPoint([x509.UniformResourceIdentifier(f"{self.url}/crl")], None, None, None)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.authority.subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + HOLDERS_FOR)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(usage(digital_signature=True, content_commitment=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .add_extension(x509.AuthorityInformationAccess([access]), critical=False)
            .add_extension(x509.CRLDistributionPoints([point]), critical=False)
        )

    def chain_pem(self, leaf: x509.Certificate) -> str:
        """The leaf first, then the authority that issued it (rule 502)."""
        return leaf.public_bytes(Encoding.PEM).decode() + self._kept.authority

    def sign(self, key_id: str, challenge: str) -> bytes | None:
        """What the token signs once its PIN was typed; nothing for a key that is not here."""
        pem = self._kept.keys.get(key_id)
        return load_key(pem).sign(challenge.encode(), ec.ECDSA(hashes.SHA256())) if pem else None

    def revoke(self, key_id: str) -> bool:
        """Take a token's certificate back; False for one that is not here."""
        if key_id not in self._kept.keys:
            return False
        self._kept.revoked.setdefault(key_id, self._clock.now())
        self._save()
        return True

    def answer(self, asked: bytes) -> bytes:
        """The OCSP answer to a request, signed by the authority itself (RFC 6960 §4.2); raises ValueError."""
        if self.mood is Mood.REPLAY and self._last_answer:
            return self._last_answer
        request = ocsp.load_der_ocsp_request(asked)
        status, revoked_at = self._status(f"{request.serial_number:x}")
        at = self._as_of()
        builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
            issuer_name_hash=request.issuer_name_hash,
            issuer_key_hash=request.issuer_key_hash,
            serial_number=request.serial_number,
            algorithm=request.hash_algorithm,
            cert_status=status,
            this_update=at,
            next_update=at + FRESH,
            revocation_time=revoked_at,
            revocation_reason=x509.ReasonFlags.key_compromise if revoked_at else None,
        )
        builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, self.authority)
        for extension in request.extensions:
            if isinstance(extension.value, x509.OCSPNonce):
                builder = builder.add_extension(extension.value, critical=False)
        self._last_answer = builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER)
        return self._last_answer

    def revocation_list(self) -> bytes:
        """The list of what was taken back (RFC 5280 §5)."""
        at = self._as_of()
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.authority.subject)
            .last_update(at)
            .next_update(at + FRESH)
            .add_extension(x509.CRLNumber(int(at.timestamp())), critical=False)
        )
        for serial, revoked_at in self._kept.revoked.items():
            entry = x509.RevokedCertificateBuilder().serial_number(int(serial, 16))
            builder = builder.add_revoked_certificate(entry.revocation_date(revoked_at).build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.DER)

    def _status(self, serial: str) -> tuple[ocsp.OCSPCertStatus, datetime | None]:
        if self.mood is Mood.UNKNOWN:
            return ocsp.OCSPCertStatus.UNKNOWN, None
        if serial in self._kept.revoked:
            return ocsp.OCSPCertStatus.REVOKED, self._kept.revoked[serial]
        return ocsp.OCSPCertStatus.GOOD, None

    def _as_of(self) -> datetime:
        return self._clock.now() - (timedelta(days=1) if self.mood is Mood.STALE else timedelta())

    def _save(self) -> None:
        if self._file is not None:
            self._file.touch(mode=0o600)
            self._file.write_bytes(msgspec.json.encode(self._kept))


def _subject(kind: str, identifier: str, name: str) -> x509.Name:
    prefix, colon, rest = identifier.strip().upper().partition(":")
    value, label = (rest if colon else prefix), clean_name(name)
    if kind not in SPELLINGS:
        raise NotForDemo("Chọn công dân, doanh nghiệp hoặc cơ quan · choose citizen, enterprise or agency")
    if not any(pattern.fullmatch(value) for pattern in SPELLINGS[kind]):
        raise NotForDemo("Số phải là số giả, bắt đầu bằng 000 · the number must be an invented one: 000…")
    spelled = "CMND" if kind == "citizen" and len(value) == 9 else PREFIXES[kind]
    if colon and prefix != spelled:
        raise NotForDemo("Loại số không đúng · another kind of number belongs here")
    if not label or len(label) > NAME_MOST or not label.isprintable():
        raise NotForDemo("Tên phải có chữ đọc được · the name must be readable")
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "VN"),
            x509.NameAttribute(NameOID.USER_ID, f"{spelled}:{value}"),
            x509.NameAttribute(NameOID.COMMON_NAME, label),
        ]
    )
