"""What a signing certificate must be before anybody is asked about it (rule 504; cases TK01, TK04)."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from backend.outside.certificates.certificates import (
    CertificateRefused,
    Certificates,
    challenge_text,
    new_nonce,
)
from demo import ca_files
from tests.authority import (
    Authority,
    Builder,
    Key,
    name,
    pem,
    serving,
    signed,
    subject,
    weakly_signed,
    with_other,
    without,
)

POLICY = "1.3.6.1.4.1.55555.1"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def authority() -> AsyncIterator[Authority]:
    async with serving() as one:
        yield one


async def reason(authority: Authority, certificate: str, key: Key, by: Certificates | None = None) -> str:
    """Why it is refused."""
    with pytest.raises(CertificateRefused) as caught:
        await authority.verify(certificate, key, by=by)
    assert caught.value.detail is None and caught.value.facts == {}
    return caught.value.reason


@pytest.mark.parametrize("key", ["rsa", "p384"])
async def test_rsa_and_p384_sign_too(authority: Authority, key: str) -> None:
    made = rsa.generate_private_key(65537, 2048) if key == "rsa" else ec.generate_private_key(ec.SECP384R1())
    certificate, made = authority.leaf(key=made)
    assert (await authority.verify(certificate, made)).checked_by == "ocsp"


def _dated(start: int, end: int) -> object:
    def change(builder: Builder) -> Builder:
        begin = builder._not_valid_before
        assert begin is not None
        builder._not_valid_before = begin + timedelta(days=start)
        builder._not_valid_after = begin + timedelta(days=end)
        return builder

    return change


BENT = {
    "expired": _dated(-20, -10),
    "not_yet_valid": _dated(10, 20),
    "key_usage": lambda one: with_other(one, ca_files.usage(key_encipherment=True), critical=True),
    "authority": lambda one: with_other(one, x509.BasicConstraints(ca=True, path_length=None), critical=True),
    "purpose": lambda one: with_other(one, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])),
    "untrusted": lambda one: one.add_extension(
        x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00"), critical=True
    ),
}


@pytest.mark.parametrize("why", BENT)
async def test_tk01_a_bent_certificate_is_refused(authority: Authority, why: str) -> None:
    certificate, key = authority.leaf(change=BENT[why])  # type: ignore[arg-type]
    assert await reason(authority, certificate, key) == why


async def test_tk01_a_certificate_without_key_usage_or_purpose_is_refused(authority: Authority) -> None:
    certificate, key = authority.leaf(change=lambda one: without(one, x509.KeyUsage))
    assert await reason(authority, certificate, key) == "key_usage"
    certificate, key = authority.leaf(change=lambda one: without(one, x509.ExtendedKeyUsage))
    assert await reason(authority, certificate, key) == "purpose"


async def test_tk01_a_listed_policy_stands_in_for_the_purpose(authority: Authority) -> None:
    stated = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(POLICY), None)])
    certificate, key = authority.leaf(
        change=lambda one: without(one, x509.ExtendedKeyUsage).add_extension(stated, critical=False)
    )
    assert await reason(authority, certificate, key) == "purpose"
    lenient = authority.trusting(authority.ca.root_pem, POLICY)
    assert (await authority.verify(certificate, key, by=lenient)).kind == "citizen"
    assert (
        await reason(authority, certificate, key, authority.trusting(authority.ca.root_pem, "1.2.3"))
        == "purpose"
    )


async def test_tk01_weak_keys_are_refused(authority: Authority) -> None:
    for key in (rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP521R1())):
        certificate, _ = authority.leaf(key=key)
        assert await reason(authority, certificate, key) == "weak_key"
    other = ed25519.Ed25519PrivateKey.generate()
    built = authority.ca.builder(subject(), other.public_key()).sign(authority.ca.key, hashes.SHA256())  # type: ignore[arg-type]
    assert (
        await reason(authority, authority.ca.chain_pem(built), ec.generate_private_key(ec.SECP256R1()))
        == "weak_key"
    )


@pytest.mark.parametrize("digest", ["sha1", "md5"])
async def test_tk01_weak_signatures_are_refused(authority: Authority, digest: str) -> None:
    root_key, key = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())
    root_name = name((NameOID.COMMON_NAME, "RSA Root"))
    root = ca_files.authority(root_name, root_key, root_name, root_key, authority.clock.now())
    trusting = authority.trusting(root.public_bytes(Encoding.PEM))
    builder = authority.ca.builder(subject(), key.public_key())
    builder._issuer_name = root_name
    good = builder.sign(root_key, hashes.SHA256())
    with pytest.raises(
        Exception, match="certificate_check_unavailable"
    ):  # the path is good, nobody answers for it
        await authority.verify(good.public_bytes(Encoding.PEM).decode(), key, by=trusting)
    assert await reason(authority, weakly_signed(good, root_key, digest), key, trusting) == "weak_hash"
    # and in the middle of the chain
    middle = ca_files.authority(
        authority.ca.authority.subject,
        authority.ca.key,
        root_name,
        root_key,
        authority.clock.now(),
    )
    certificate, key2 = authority.leaf()
    first = certificate.partition("-----END CERTIFICATE-----\n")
    chain = first[0] + first[1] + weakly_signed(middle, root_key, digest)
    assert await reason(authority, chain, key2, trusting) == "untrusted"


async def test_tk01_an_unknown_authority_and_a_copy_of_our_authoritys_name_are_refused(
    authority: Authority,
) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    copied = authority.ca.authority.subject
    fake = ca_files.authority(copied, key, copied, key, authority.clock.now())
    leaf = authority.ca.builder(subject(), key.public_key()).sign(key, hashes.SHA256())
    alone = leaf.public_bytes(Encoding.PEM).decode()
    below = alone + fake.public_bytes(Encoding.PEM).decode()
    above = below + authority.ca.root_pem.decode()
    for chain in (alone, below, above):
        assert await reason(authority, chain, key) == "untrusted"
    own = authority.ca.builder(subject(), key.public_key())
    own._issuer_name = subject()
    self_signed = own.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()
    assert await reason(authority, self_signed, key) == "untrusted"
    assert await reason(authority, alone, key, authority.trusting(b"")) == "no_authorities"


async def test_tk01_a_holder_may_not_issue_for_others(authority: Authority) -> None:
    certificate, key = authority.leaf()
    holder = x509.load_pem_x509_certificate(certificate.encode())
    victim = authority.ca.builder(subject("CCCD:000190000002"), key.public_key())  # type: ignore[arg-type]
    victim._issuer_name = holder.subject
    made = victim.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()
    assert await reason(authority, made + certificate, key) == "untrusted"


async def test_tk01_an_authority_that_may_not_sign_certificates_is_no_issuer(authority: Authority) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    root_name, below_name = name((NameOID.COMMON_NAME, "R")), name((NameOID.COMMON_NAME, "B"))
    now = authority.clock.now()
    root = ca_files.authority(root_name, key, root_name, key, now)
    trusting = authority.trusting(root.public_bytes(Encoding.PEM))
    good = ca_files.authority(below_name, key, root_name, key, now)
    builder = Builder(
        root_name,
        below_name,
        key.public_key(),
        77,
        good.not_valid_before_utc.replace(tzinfo=None),
        good.not_valid_after_utc.replace(tzinfo=None),
        [],
    )
    wrong = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    wrong = wrong.add_extension(ca_files.usage(digital_signature=True), critical=True)
    leaf = authority.ca.builder(subject(), key.public_key())
    leaf._issuer_name = below_name
    alone = leaf.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
    for middle, outcome in (
        (good, "certificate_check_unavailable"),
        (wrong.sign(key, hashes.SHA256()), "certificate_refused"),
    ):
        chain = (alone + middle.public_bytes(Encoding.PEM)).decode()
        with pytest.raises(Exception, match=outcome):
            await authority.verify(chain, key, by=trusting)


async def test_tk03_only_the_very_challenge_signed_by_the_very_key_counts(authority: Authority) -> None:
    certificate, key = authority.leaf()
    other = ec.generate_private_key(ec.SECP256R1())
    good = signed(key, "challenge")
    der = base64.b64decode(good)
    bad = [
        signed(other, "challenge"),
        signed(key, "challenge "),
        "",
        "!!!",
        good[:-4],
        good + "\n",
        good + "=" * 2000,
        base64.b64encode(der + b"\x00").decode(),
        base64.b64encode(bytes(len(der))).decode(),
        base64.urlsafe_b64encode(b"\xff\xfe" + der).decode(),
        "ký",
    ]
    for signature in bad:
        with pytest.raises(CertificateRefused) as caught:
            await authority.certificates.verify(
                certificate, signature, "challenge", now=authority.clock.now()
            )
        assert caught.value.reason == "signature_wrong"


async def test_what_is_no_certificate_is_refused(authority: Authority) -> None:
    certificate, key = authority.leaf()
    leaf = x509.load_pem_x509_certificate(certificate.encode())
    der = bytearray(leaf.public_bytes(Encoding.DER))
    key_text = "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"
    bad = {
        "": "malformed",
        "xin chào": "malformed",
        "\ud800": "malformed",
        pem(b"\x30\x03\x02\x01\x00"): "malformed",
        pem(bytes(der[: len(der) // 2])): "malformed",
        certificate + key_text: "private_key",
        certificate * 4: "too_many",
        certificate + "x" * 40_000: "too_long",
    }
    for text, why in bad.items():
        assert await reason(authority, text, key) == why


async def test_no_bent_byte_of_a_certificate_is_a_bug(authority: Authority) -> None:
    certificate, key = authority.leaf()
    first, mark, rest = certificate.partition("-----END CERTIFICATE-----\n")
    der = x509.load_pem_x509_certificate((first + mark).encode()).public_bytes(Encoding.DER)
    for place in range(0, len(der), 5):
        bent = bytearray(der)
        bent[place] ^= 0x55
        with pytest.raises(CertificateRefused):
            await authority.verify(pem(bytes(bent)) + rest, key)


def test_tk06_a_challenge_is_six_lines_that_name_what_they_are_for() -> None:
    flow, nonce = UUID(int=7), new_nonce()
    now = datetime(2026, 11, 22, 7, 0, 0, 123456, tzinfo=UTC)
    text = challenge_text("https://ngomon.example", "login", flow, nonce, now)
    assert text.split("\n") == [
        "NGOMON SIGN-IN v1",
        "https://ngomon.example",
        "login",
        str(flow),
        nonce,
        "2026-11-22T07:00:00+00:00",
    ]
    assert len(base64.urlsafe_b64decode(nonce)) * 8 >= 128
    assert len({new_nonce() for _ in range(100)}) == 100
