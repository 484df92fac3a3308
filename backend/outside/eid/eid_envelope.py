"""Opens what VNeID seals: an AES key under our RSA key, text under that AES key (rules 409, 405).

RSA PKCS#1 v1.5 must not become an oracle (RFC 8017 §7.2.2, RFC 3218): a key that cannot be opened is replaced
by one that follows from it and from our private key, so that every bad envelope fails in the same way at the
same later step, and the same one fails alike each time.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import padding, serialization
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 16
KEY_BYTES = (16, 24, 32)
MOST = 65536  # characters of base64: more than any provider sends


class NotOpened(ValueError):
    """The envelope is not one that was made for us; it never says which part of it is wrong."""


class Envelope:
    """Our private key, and how the provider uses the AES key: `ecb`, or `cbc` with the IV in front."""

    def __init__(self, key: RSAPrivateKey, *, cipher: str, raw_code: bool) -> None:
        self._key, self._cipher, self.raw_code = key, cipher, raw_code
        der = key.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        self._instead = hashlib.sha256(b"ngomon envelope" + der).digest()
        self._alias = hashlib.sha256(b"ngomon alias" + der).digest()

    def alias(self, number: str) -> str:
        """What stands for a personal number where it is somebody's name at the provider: stable, and no number."""
        return hmac.digest(self._alias, number.encode(), "sha256").hex()

    def opened(self, key: str, data: str) -> bytes:
        """The bytes inside; raises NotOpened."""
        sealed, wrapped = _bytes(data), _bytes(key)
        secret = self._secret(wrapped)
        first, rest = (sealed[:BLOCK], sealed[BLOCK:]) if self._cipher == "cbc" else (b"", sealed)
        if not rest or len(rest) % BLOCK or (self._cipher == "cbc" and len(first) != BLOCK):
            raise NotOpened
        mode = modes.CBC(first) if self._cipher == "cbc" else modes.ECB()  # noqa: S305 - the provider's choice
        decryptor = Cipher(algorithms.AES(secret), mode).decryptor()
        padded = decryptor.update(rest) + decryptor.finalize()
        unpadder = padding.PKCS7(BLOCK * 8).unpadder()
        try:
            return unpadder.update(padded) + unpadder.finalize()
        except ValueError:
            raise NotOpened from None

    def _secret(self, wrapped: bytes) -> bytes:
        """The AES key; one that nobody can guess when there is none."""
        instead = hmac.digest(self._instead, wrapped, "sha256")
        try:
            secret = self._key.decrypt(wrapped, PKCS1v15())
        except ValueError:
            return instead
        return secret if len(secret) in KEY_BYTES else instead


def envelope_key(file: str) -> RSAPrivateKey:
    """The private key of a PEM file; raises ValueError when it is no RSA private key without a password."""
    try:
        key = serialization.load_pem_private_key(Path(file).read_bytes(), password=None)
    except (TypeError, UnsupportedAlgorithm) as error:
        raise ValueError("not a key without a password") from error
    if not isinstance(key, RSAPrivateKey):
        raise ValueError("not an RSA key")  # noqa: TRY004 - whatever is wrong with the file is one trouble
    return key


def _bytes(text: str) -> bytes:
    """Base64 to the letter: a `+` that became a blank is not mended, it is refused."""
    if len(text) > MOST:
        raise NotOpened
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise NotOpened from None
