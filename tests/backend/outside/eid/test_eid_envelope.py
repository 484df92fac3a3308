"""Opening what VNeID seals: what opens, and that what does not says nothing about why."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from backend.outside.eid.eid_envelope import Envelope, NotOpened, envelope_key
from demo.eid_simulator_sealing import SPOILS, Spoil, seal

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PLAIN = '{"citizenPid":"000197000101","fullName":"Nguyễn Thị An"}'.encode()


def envelope(cipher: str = "ecb") -> Envelope:
    return Envelope(KEY, cipher=cipher, raw_code=False)


@pytest.mark.parametrize("cipher", ["ecb", "cbc"])
@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 4096])
def test_what_was_sealed_for_us_opens(cipher: str, length: int) -> None:
    plain = b"x" * length
    sealed = seal(plain, KEY.public_key(), cipher, Spoil())
    assert envelope(cipher).opened(sealed["key"], sealed["data"]) == plain


@pytest.mark.parametrize("size", [16, 24, 32])
def test_every_length_of_an_aes_key_opens(size: int) -> None:
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    secret = bytes(range(size))
    encryptor = Cipher(algorithms.AES(secret), modes.ECB()).encryptor()
    data = encryptor.update(b"twelve bytes" + b"\x04" * 4) + encryptor.finalize()
    key = KEY.public_key().encrypt(secret, PKCS1v15())
    opened = envelope().opened(base64.b64encode(key).decode(), base64.b64encode(data).decode())
    assert opened == b"twelve bytes"


@pytest.mark.parametrize("cipher", ["ecb", "cbc"])
@pytest.mark.parametrize("name", [name for name in SPOILS if "missing" not in name])
def test_what_was_spoilt_does_not_open_as_it_was(cipher: str, name: str) -> None:
    sealed = seal(PLAIN, KEY.public_key(), cipher, SPOILS[name])
    assert _opened(cipher, sealed) != PLAIN


def _opened(cipher: str, sealed: dict[str, Any]) -> bytes | None:
    """What is inside, or nothing; the trouble never says what was wrong."""
    try:
        return envelope(cipher).opened(sealed["key"], sealed["data"])
    except NotOpened as error:
        return str(error).encode() or None


def test_a_key_that_does_not_open_fails_alike_each_time_and_never_by_itself() -> None:
    """RFC 3218: a made-up key takes its place, always the same for the same bytes."""
    one, other = envelope(), envelope()
    for wrapped in (b"", b"x", bytes(256), b"\xff" * 256, b"\x01" * 256, b"\x02" * 300):
        assert one._secret(wrapped) == other._secret(wrapped)
        assert len(one._secret(wrapped)) in (16, 24, 32)
    assert one._secret(b"x") != one._secret(b"y")


def test_a_key_file_that_is_no_rsa_key_is_named_at_start(tmp_path: Path) -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    file, files = (
        tmp_path / "good",
        {
            "curve": curve.private_bytes(pem, pkcs8, serialization.NoEncryption()),
            "locked": KEY.private_bytes(pem, pkcs8, serialization.BestAvailableEncryption(b"x")),
            "public": KEY.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo),
            "text": b"x",
        },
    )
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=r"."):
            envelope_key(str(tmp_path / name))
    file.write_bytes(KEY.private_bytes(pem, pkcs8, serialization.NoEncryption()))
    assert envelope_key(str(file)).private_numbers() == KEY.private_numbers()
