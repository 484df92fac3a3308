"""Whom a certificate's subject names: the identifier attribute decides, the common name only labels.

UID (0.9.2342.19200300.100.1.1), else serialNumber (2.5.4.5), with a prefix that says what the
value is (rule 501; case TK04).
"""

from __future__ import annotations

import re
import warnings

import msgspec
from cryptography import x509
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from backend.names import clean_name

NAME_LONGEST = 200
READABLE = {_ASN1Type.UTF8String, _ASN1Type.PrintableString}
SPELLINGS = (
    (re.compile(r"CCCD:([0-9]{12})"), "national_id", "citizen"),
    (re.compile(r"CMND:([0-9]{9})"), "old_id_number", "citizen"),
    (re.compile(r"MST:([0-9]{10}(?:-[0-9]{3})?)"), "tax_code", "enterprise"),
    (re.compile(r"MDV:(?=.{1,35}\Z)([0-9A-Z]+(?:\.[0-9A-Z]+)*)"), "agency_code", "agency"),  # QĐ 20/2020
)
ANOTHER_ATTRIBUTE = re.compile(r"[,;+/\\]\s*[A-Za-z0-9.]+\s*=")  # `…,CN=somebody` written inside a value


class Holding(msgspec.Struct, frozen=True):
    """What the subject says of its holder, and the authority's common name."""

    kind: str
    identifier_kind: str
    identifier: str
    name: str
    issuer: str


class NotHolding(Exception):
    """The subject names nobody, or not clearly; `reason` is one word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def holding_of(certificate: x509.Certificate) -> Holding:
    """Read a certificate's names; raises NotHolding."""
    with warnings.catch_warnings():
        # X.520 ends a common name at 64; a Vietnamese company's is often longer, and that is no fault
        warnings.simplefilter("ignore", UserWarning)
        subject, issuer = certificate.subject, certificate.issuer
    kind, identifier_kind, identifier = _identifier(subject)
    name, authority = _name(subject), issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    return Holding(
        kind=kind,
        identifier_kind=identifier_kind,
        identifier=identifier,
        name=name,
        issuer=str(authority[0].value if authority else issuer.rfc4514_string())[:NAME_LONGEST],
    )


def _identifier(subject: x509.Name) -> tuple[str, str, str]:
    """The one identifier: UID decides; a serialNumber beside it may be the authority's own, or say the same."""
    uids, serials = (_texts(subject, oid) for oid in (NameOID.USER_ID, NameOID.SERIAL_NUMBER))
    if not uids and not serials:
        raise NotHolding("no_identifier")
    found = {_spelled(text) for text in uids or serials}
    if None in found:
        raise NotHolding("identifier_spelling")
    found |= {one for text in serials if (one := _spelled(text))}
    if len(found) != 1:
        raise NotHolding("two_identifiers")
    (one,) = found
    assert one is not None
    return one


def _spelled(text: str) -> tuple[str, str, str] | None:
    for pattern, identifier_kind, kind in SPELLINGS:
        if match := pattern.fullmatch(text):
            return kind, identifier_kind, match[1]
    return None


def _name(subject: x509.Name) -> str:
    names = _texts(subject, NameOID.COMMON_NAME)
    if len(names) != 1:
        raise NotHolding("one_name_wanted")
    raw, name = names[0], clean_name(names[0])
    if not name or len(name) > NAME_LONGEST or not name.isprintable() or ANOTHER_ATTRIBUTE.search(raw):
        raise NotHolding("name_spelling")
    return name


def _texts(subject: x509.Name, oid: x509.ObjectIdentifier) -> list[str]:
    """The values of one attribute, in the two string types that cannot be read in two ways (RFC 5280 §4.1.2.4)."""
    found = subject.get_attributes_for_oid(oid)
    if any(attribute._type not in READABLE for attribute in found):
        raise NotHolding("text_type")  # BMPString and its like hide bytes from whoever reads them as Latin
    return [str(attribute.value) for attribute in found]
