"""Which bytes of a list were signed: our reading agrees with the library's (case TK01)."""

from __future__ import annotations

import random
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from backend.outside.certificates.certificate_paths import UNREADABLE
from backend.outside.certificates.crl import signed_by
from backend.outside.clock import Clock
from demo import ca_files
from demo.ca import StandInCa
from tests.authority import Key
from tests.lists import written

SIGNERS: dict[str, tuple[Key, hashes.HashAlgorithm, dict[str, Any]]] = {
    "p256": (ec.generate_private_key(ec.SECP256R1()), hashes.SHA256(), {}),
    "p384": (ec.generate_private_key(ec.SECP384R1()), hashes.SHA512(), {}),
    "rsa": (rsa.generate_private_key(65537, 2048), hashes.SHA384(), {}),
    "pss": (
        rsa.generate_private_key(65537, 2048),
        hashes.SHA256(),
        {"rsa_padding": padding.PSS(padding.MGF1(hashes.SHA256()), 32)},
    ),
}


@pytest.mark.parametrize("kind", SIGNERS)
def test_tk01_the_bytes_that_came_are_the_ones_that_were_signed(kind: str) -> None:
    """Our own reading of them agrees with the library's about every bent copy."""
    key, digest, how = SIGNERS[kind]
    clock, chance = Clock(), random.Random(kind)
    ca = StandInCa("http://127.0.0.1:1/demo/ca", clock)
    issuer = ca_files.authority(ca.authority.subject, key, ca.authority.subject, key, clock.now())
    good = written(ca, clock.now(), serials=range(1 << 100, (1 << 100) + 4), key=key, digest=digest, **how)
    whole = x509.load_der_x509_crl(good)
    assert signed_by(whole, good, issuer)
    assert not signed_by(whole, good, ca.authority)
    refused = 0
    for _ in range(2000):
        bent = bytearray(good)
        bent[chance.randrange(len(bent))] ^= 1 << chance.randrange(8)
        der = bytes(bent)
        try:
            read = x509.load_der_x509_crl(der)
            ours = signed_by(read, der, issuer)
        except UNREADABLE:
            continue
        assert ours == read.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]
        assert not ours or read.tbs_certlist_bytes == whole.tbs_certlist_bytes
        refused += not ours
    assert refused > 500


def test_tk01_a_list_whose_signed_part_names_another_algorithm_is_unreadable() -> None:
    """RFC 5280 §5.1.1.2; the library sees to it, and `signed_by` relies on it."""
    clock = Clock()
    ca = StandInCa("http://127.0.0.1:1/demo/ca", clock)
    key = rsa.generate_private_key(65537, 2048)
    good = written(ca, clock.now(), serials=[7], key=key)
    tbs, with_sha256 = x509.load_der_x509_crl(good).tbs_certlist_bytes, bytes.fromhex("2a864886f70d01010b")
    other = tbs.replace(with_sha256, with_sha256[:-1] + b"\x0c", 1)
    assert other != tbs
    signature = key.sign(other, padding.PKCS1v15(), hashes.SHA256())
    with pytest.raises(ValueError, match="algorithms do not match"):
        x509.load_der_x509_crl(good.replace(tbs, other)[: -len(signature)] + signature)
