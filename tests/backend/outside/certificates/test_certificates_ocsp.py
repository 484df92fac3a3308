"""One OCSP answer, bent in every way that must not count (RFC 6960 §3.2; case TK02)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from backend.outside.certificates.ocsp import CannotSay, OutOfReach, Revoked, check_answer
from demo.ca_files import authority as authority_certificate
from tests.authority import Authority, name, serving, without

NONCE = b"n" * 32


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def authority() -> AsyncIterator[Authority]:
    async with serving() as one:
        yield one


class Answer:
    """One OCSP answer, bent by a test."""

    def __init__(self, authority: Authority) -> None:
        self.authority, self.now = authority, authority.clock.now()
        certificate, _ = authority.leaf()
        self.leaf = x509.load_pem_x509_certificate(certificate.encode())

    def made(
        self,
        *,
        status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
        this: timedelta = timedelta(),
        following: timedelta | None = timedelta(minutes=5),
        nonce: bytes | None = NONCE,
        algorithm: hashes.HashAlgorithm | None = None,
        about: x509.Certificate | None = None,
        signer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None = None,
        carried: list[x509.Certificate] | None = None,
    ) -> ocsp.OCSPResponse:
        ca = self.authority.ca
        certificate, key = signer or (ca.authority, ca.key)
        at = self.now + this
        revoked: datetime | None = at if status is ocsp.OCSPCertStatus.REVOKED else None
        builder = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                about or self.leaf,
                ca.authority,
                algorithm or hashes.SHA256(),
                status,
                at,
                at + following if following else None,
                revoked,
                None,
            )
            .responder_id(ocsp.OCSPResponderEncoding.NAME, certificate)
        )
        if nonce is not None:
            builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
        if carried:
            builder = builder.certificates(carried)
        made = builder.sign(key, hashes.SHA256())
        return ocsp.load_der_ocsp_response(made.public_bytes(Encoding.DER))

    def check(self, answer: ocsp.OCSPResponse) -> None:
        check_answer(answer, self.leaf, self.authority.ca.authority, NONCE, self.now)


@pytest.fixture
def answer(authority: Authority) -> Answer:
    return Answer(authority)


def test_an_answer_counts_whatever_digest_names_the_certificate_and_with_or_without_nonce(
    answer: Answer,
) -> None:
    for algorithm in (hashes.SHA1(), hashes.SHA256(), hashes.SHA384()):
        answer.check(answer.made(algorithm=algorithm))
        answer.check(answer.made(nonce=None))
    answer.check(answer.made(following=None))
    with pytest.raises(Revoked):
        answer.check(answer.made(status=ocsp.OCSPCertStatus.REVOKED))


@pytest.mark.parametrize(
    ("why", "bent"),
    [
        ("ocsp_stale", {"this": timedelta(minutes=-6)}),
        ("ocsp_stale", {"this": timedelta(minutes=5)}),
        ("ocsp_stale", {"this": timedelta(minutes=-6), "following": None}),
        ("ocsp_stale", {"this": timedelta(days=-8), "following": timedelta(days=30)}),
        ("ocsp_replayed", {"nonce": b"o" * 32}),
        ("ocsp_unknown", {"status": ocsp.OCSPCertStatus.UNKNOWN}),
    ],
)
def test_tk02_an_answer_that_is_not_of_now_is_none(answer: Answer, why: str, bent: dict[str, object]) -> None:
    with pytest.raises(CannotSay) as caught:
        answer.check(answer.made(**bent))  # type: ignore[arg-type]
    assert caught.value.reason == why


def test_tk02_an_answer_about_somebody_else_is_none(answer: Answer) -> None:
    other, _ = answer.authority.leaf()
    about = x509.load_pem_x509_certificate(other.encode())
    with pytest.raises(CannotSay, match="ocsp_of_another"):
        answer.check(answer.made(about=about))


def _delegate(
    answer: Answer, *, purpose: bool = True, by_authority: bool = True, days: int = 1
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key, ca = ec.generate_private_key(ec.SECP256R1()), answer.authority.ca
    builder = without(
        ca.builder(name((NameOID.COMMON_NAME, "Người trả lời")), key.public_key()), x509.ExtendedKeyUsage
    )
    builder._not_valid_after = (answer.now + timedelta(days=days)).replace(tzinfo=None)
    builder._not_valid_before = (answer.now - timedelta(days=5)).replace(tzinfo=None)
    if purpose:
        builder = builder.add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=False
        )
    return builder.sign(ca.key if by_authority else key, hashes.SHA256()), key


def test_a_responder_that_the_authority_delegated_to_is_believed_and_nobody_else(answer: Answer) -> None:
    good = _delegate(answer)
    answer.check(answer.made(signer=good, carried=[good[0]]))
    wrong = [
        _delegate(answer, purpose=False),
        _delegate(answer, by_authority=False),
        _delegate(answer, days=-1),
    ]
    for signer in wrong:
        with pytest.raises(CannotSay, match="ocsp_signature"):
            answer.check(answer.made(signer=signer, carried=[signer[0]]))
    with pytest.raises(CannotSay, match="ocsp_signature"):
        answer.check(answer.made(signer=good))  # not carried along: nobody can know who signed
    key, copied = ec.generate_private_key(ec.SECP256R1()), answer.authority.ca.authority.subject
    named = (authority_certificate(copied, key, copied, key, answer.now), key)
    with pytest.raises(CannotSay, match="ocsp_signature"):
        answer.check(answer.made(signer=named))  # the authority's name, another key


def test_an_excuse_of_the_responder_lets_the_list_be_asked(answer: Answer) -> None:
    excuse = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER)
    with pytest.raises(OutOfReach, match="ocsp_try_later"):
        answer.check(excuse)
