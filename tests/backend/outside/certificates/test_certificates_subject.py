"""Whom a certificate names, and every subject that names nobody clearly (case TK04)."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

from backend.outside.certificates.certificates import CertificateRefused
from tests.authority import Authority, name, serving


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def authority() -> AsyncIterator[Authority]:
    async with serving() as one:
        yield one


@pytest.mark.parametrize(
    ("written", "kind", "identifier_kind", "identifier"),
    [
        ("CCCD:000190000001", "citizen", "national_id", "000190000001"),
        ("CMND:000123456", "citizen", "old_id_number", "000123456"),
        ("MST:0001234567", "enterprise", "tax_code", "0001234567"),
        ("MST:0001234567-001", "enterprise", "tax_code", "0001234567-001"),
        ("MDV:000.00.17.G22", "agency", "agency_code", "000.00.17.G22"),
        ("MDV:H57.01", "agency", "agency_code", "H57.01"),
    ],
)
async def test_a_good_certificate_says_whose_it_is(
    authority: Authority, written: str, kind: str, identifier_kind: str, identifier: str
) -> None:
    for oid in (NameOID.USER_ID, NameOID.SERIAL_NUMBER):
        holder = name((oid, written), (NameOID.COMMON_NAME, "Trần  Thị Thử"))
        certificate, key = authority.leaf(holder)
        found = await authority.verify(certificate, key)
        assert (found.kind, found.identifier_kind, found.identifier) == (kind, identifier_kind, identifier)
        assert (found.name, found.issuer, found.checked_by) == ("Trần Thị Thử", "NGOMON-DEMO-CA", "ocsp")
        leaf = x509.load_pem_x509_certificate(certificate.encode())
        assert found.thumbprint == hashlib.sha256(leaf.tbs_certificate_bytes).digest()
        assert found.valid_from < authority.clock.now() < found.valid_until


UID, SERIAL, CN = NameOID.USER_ID, NameOID.SERIAL_NUMBER, NameOID.COMMON_NAME
GOOD = "CCCD:000190000001"
SUBJECTS = [
    ("no_identifier", name((CN, "Nguyễn Văn Ký"))),
    ("no_identifier", name((CN, GOOD))),
    ("no_identifier", name((CN, "Nguyễn Văn Ký"), (NameOID.ORGANIZATION_NAME, GOOD))),
    ("two_identifiers", name((UID, GOOD), (UID, "CCCD:000190000002"), (CN, "Ký"))),
    ("two_identifiers", name((UID, GOOD), (SERIAL, "CCCD:000190000002"), (CN, "Ký"))),
    ("two_identifiers", name((UID, GOOD), (UID, "MST:0001234567"), (CN, "Ký"))),
    ("two_identifiers", name((SERIAL, GOOD), (SERIAL, "CMND:000123456"), (CN, "Ký"))),
    ("identifier_spelling", name((UID, "000190000001"), (CN, "Ký"))),
    ("identifier_spelling", name((UID, "cccd:000190000001"), (CN, "Ký"))),
    ("identifier_spelling", name((UID, "CCCD: 000190000001"), (CN, "Ký"))),
    ("identifier_spelling", name((UID, "CCCD:00019000000"), (CN, "Ký"))),
    ("identifier_spelling", name((UID, "CCCD:000190000001\x00"), (CN, "Ký"))),
    ("identifier_spelling", name((UID, "CCCD:000190000001\n"), (CN, "Ký"))),
    ("identifier_spelling", name((UID, "CCCD:٠٠٠190000001"), (CN, "Ký"))),
    ("identifier_spelling", name((UID, "MST:0001234567-01"), (CN, "Ký"))),
    ("identifier_spelling", name((UID, "MDV:" + "A." * 17 + "AB"), (CN, "Ký"))),
    ("identifier_spelling", name((UID, "CCCD:000190000001,CN=CCCD:000190000002"), (CN, "Ký"))),
    ("identifier_spelling", name((UID, GOOD), (UID, "khác"), (CN, "Ký"))),
    ("name_spelling", name((UID, GOOD), (CN, "Ký,CN=Quản trị"))),
    ("name_spelling", name((UID, GOOD), (CN, "Ký+UID=CCCD:000190000002"))),
    ("name_spelling", name((UID, GOOD), (CN, "Ký\x00 khác"))),
    ("name_spelling", name((UID, GOOD), (CN, "Ký\u202etxet"))),
    ("name_spelling", name((UID, GOOD), (CN, "a" * 300))),
    ("one_name_wanted", name((UID, GOOD))),
    ("one_name_wanted", name((UID, GOOD), (CN, "Ký"), (CN, "Khác"))),
    ("text_type", name((UID, GOOD), (CN, "Ký"), kind=_ASN1Type.BMPString)),
    ("text_type", name((UID, GOOD), (CN, "Ky"), kind=_ASN1Type.UniversalString)),
    ("text_type", name((UID, GOOD), (CN, "Ky"), kind=_ASN1Type.T61String)),
]


@pytest.mark.parametrize(("why", "holder"), SUBJECTS)
async def test_tk04_a_subject_that_can_be_read_in_two_ways_is_refused(
    authority: Authority, why: str, holder: x509.Name
) -> None:
    certificate, key = authority.leaf(holder)
    with pytest.raises(CertificateRefused) as caught:
        await authority.verify(certificate, key)
    assert caught.value.reason == why


@pytest.mark.parametrize("blank", ["\u00a0", "\u200b \u200b", "\u2003"])
async def test_an_odd_blank_in_a_name_is_a_blank(authority: Authority, blank: str) -> None:
    certificate, key = authority.leaf(name((UID, GOOD), (CN, f"Nguyễn{blank}Ký")))
    assert (await authority.verify(certificate, key)).name == "Nguyễn Ký"


async def test_tk04_the_common_name_decides_nothing(authority: Authority) -> None:
    victim = name((UID, "CCCD:000190000002"), (SERIAL, "A-17/2026"), (CN, "CCCD:000190000001"))
    certificate, key = authority.leaf(victim)
    found = await authority.verify(certificate, key)
    assert (found.identifier, found.name) == ("000190000002", "CCCD:000190000001")
