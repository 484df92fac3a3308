"""Revocation, asked for over HTTP, in health and in trouble (cases TK01, TK02)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

from backend.outside.certificates.certificates import CertificateCheckUnavailable, CertificateRefused
from backend.outside.http import Guarded
from demo.ca import Mood
from demo.ca_files import usage
from tests.authority import Authority, Key, name, serving, signed, subject, with_other, without

NONCE = b"n" * 32


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def serving_authority() -> AsyncIterator[Authority]:
    async with serving() as one:
        yield one


@pytest.fixture
def authority(serving_authority: Authority) -> Authority:
    serving_authority.ca.mood = Mood.WELL
    return serving_authority


def revoke(authority: Authority, certificate: str) -> None:
    serial = f"{x509.load_pem_x509_certificate(certificate.encode()).serial_number:x}"
    authority.ca._kept.revoked[serial] = authority.clock.now()


async def unavailable(authority: Authority, certificate: str, key: Key) -> str:
    with pytest.raises(CertificateCheckUnavailable) as caught:
        await authority.verify(certificate, key)
    assert caught.value.retry_after
    return caught.value.reason


async def test_tk01_a_revoked_certificate_is_refused_by_either_way_of_asking(authority: Authority) -> None:
    certificate, key = authority.leaf()
    assert (await authority.verify(certificate, key)).checked_by == "ocsp"
    authority.ca.mood = Mood.NO_OCSP
    assert (await authority.verify(certificate, key)).checked_by == "crl"
    revoke(authority, certificate)
    for mood in (Mood.WELL, Mood.NO_OCSP, Mood.STALE):
        authority.ca.mood = mood
        with pytest.raises(CertificateRefused) as caught:
            await authority.verify(certificate, key)
        assert caught.value.reason == "revoked"


@pytest.mark.parametrize(
    ("mood", "why"),
    [
        (Mood.DOWN, "out_of_reach"),
        (Mood.UNKNOWN, "ocsp_unknown"),
        (Mood.STALE, "ocsp_stale"),
        (Mood.GARBAGE, "crl_unreadable"),
    ],
)
async def test_tk02_no_clear_answer_lets_nobody_in(authority: Authority, mood: Mood, why: str) -> None:
    certificate, key = authority.leaf()
    authority.ca.mood = mood
    assert await unavailable(authority, certificate, key) == why
    authority.ca.mood = Mood.WELL
    assert (await authority.verify(certificate, key)).checked_by == "ocsp"


async def test_tk02_a_list_of_yesterday_is_no_answer(authority: Authority) -> None:
    certificate, key = authority.leaf(change=lambda one: without(one, x509.AuthorityInformationAccess))
    assert (await authority.verify(certificate, key)).checked_by == "crl"
    authority.ca.mood = Mood.STALE
    assert await unavailable(authority, certificate, key) == "crl_stale"


async def test_tk02_an_old_answer_played_again_is_noticed(authority: Authority) -> None:
    certificate, key = authority.leaf()
    await authority.verify(certificate, key)
    authority.ca.mood = Mood.REPLAY
    assert await unavailable(authority, certificate, key) == "ocsp_replayed"


async def test_tk02_a_slow_drip_is_cut_before_its_end_which_would_let_in(authority: Authority) -> None:
    certificate, key = authority.leaf()
    authority.ca.mood = Mood.DRIP
    assert await unavailable(authority, certificate, key) in ("out_of_reach", "too_slow")


async def test_a_certificate_that_says_nowhere_to_ask_cannot_be_checked(authority: Authority) -> None:
    certificate, key = authority.leaf(
        change=lambda one: without(without(one, x509.AuthorityInformationAccess), x509.CRLDistributionPoints)
    )
    assert await unavailable(authority, certificate, key) == "nowhere_to_ask"


@pytest.mark.parametrize(
    "url",
    ["ldap://127.0.0.1/cn=crl", "http://10.1.2.3/ocsp", "http://[", "file:///etc/passwd", "http://\x7f"],
)
async def test_places_that_must_not_be_called_are_not(authority: Authority, url: str) -> None:
    place = x509.UniformResourceIdentifier._init_without_validation(url)
    access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, place)
    certificate, key = authority.leaf(
        change=lambda one: with_other(
            without(one, x509.CRLDistributionPoints), x509.AuthorityInformationAccess([access])
        )
    )
    assert await unavailable(authority, certificate, key) in ("nowhere_to_ask", "out_of_reach")


async def test_nobody_is_asked_before_signature_and_path_are_good(authority: Authority) -> None:
    class Counting(Guarded):
        calls = 0

        async def request(self, *given: object, **more: object):  # type: ignore[no-untyped-def]
            Counting.calls += 1
            return await super().request(*given, **more)  # type: ignore[arg-type]

    http = Counting(["127.0.0.1"])
    counted = Authority(authority.ca, authority.clock, http)
    certificate, key = authority.leaf()
    with pytest.raises(CertificateRefused):
        await counted.certificates.verify(certificate, signed(key, "a"), "b", now=authority.clock.now())
    with pytest.raises(CertificateRefused):
        await counted.verify(certificate, key, by=counted.trusting(b""))
    assert Counting.calls == 0
    await counted.verify(certificate, key)
    assert Counting.calls == 1
    await http.close()


async def test_the_emergency_switch_lets_in_and_says_so_but_never_a_revoked_one(authority: Authority) -> None:
    certificate, key = authority.leaf()
    lenient = authority.trusting(authority.ca.root_pem, unchecked=True)
    assert (await authority.verify(certificate, key, by=lenient)).checked_by == "ocsp"
    authority.ca.mood = Mood.DOWN
    assert (await authority.verify(certificate, key, by=lenient)).checked_by == "unchecked"
    authority.ca.mood = Mood.NO_OCSP
    revoke(authority, certificate)
    with pytest.raises(CertificateRefused):
        await authority.verify(certificate, key, by=lenient)


async def test_an_authority_in_the_middle_is_asked_after_too_where_it_says_where(
    authority: Authority,
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    middle_name = name((NameOID.COMMON_NAME, "Ở giữa"))
    middle = with_other(
        authority.ca.builder(middle_name, key.public_key()),
        x509.BasicConstraints(ca=True, path_length=None),
        critical=True,
    )
    middle = with_other(middle, usage(key_cert_sign=True, crl_sign=True), critical=True)
    issued = middle.sign(authority.ca.key, hashes.SHA256())
    leaf_key = ec.generate_private_key(ec.SECP256R1())
    leaf = authority.ca.builder(subject(), leaf_key.public_key())
    leaf._issuer_name = middle_name
    pems = [leaf.sign(key, hashes.SHA256()), issued, authority.ca.authority]
    chain = "".join(one.public_bytes(Encoding.PEM).decode() for one in pems)
    revoke(authority, issued.public_bytes(Encoding.PEM).decode())
    with pytest.raises(CertificateRefused) as caught:  # whatever may be said of the leaf
        await authority.verify(chain, leaf_key)
    assert caught.value.reason == "revoked"
