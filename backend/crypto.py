"""Keeps personal data unreadable at rest, and still findable (rules 902, 904, 905).

Every key is derived from `NGOMON_SECRET_KEYS`, newest first: new writes use the
newest, reads try the key that the ciphertext names. A blind index is a keyed HMAC
of the canonical value, so equality can be asked without reading.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

VERSION = b"\x01"


class Unreadable(Exception):
    """A ciphertext that no key opens: altered, moved to another row, or sealed by a lost key."""


class KeyTrouble(Exception):
    """The listed keys are not those of the data; the text is the one line that says why."""


class KeyMissing(KeyTrouble):
    """A key that is not listed is needed."""

    def __init__(self, key_id: bytes) -> None:
        super().__init__(
            f"key missing: {key_id.hex()} is not in NGOMON_SECRET_KEYS, and what this database holds is under it"
        )
        self.key_id = key_id


def new_secret_key() -> str:
    """A fresh base64 key of 32 bytes, as `NGOMON_SECRET_KEYS` wants it."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


def new_token() -> str:
    """A 256-bit secret for a session, a refresh, a state (rule 307)."""
    return secrets.token_urlsafe(32)


def new_code(alphabet: str, length: int) -> str:
    """A short secret that people read aloud."""
    return "".join(secrets.choice(alphabet) for _ in range(length))


def numbers_to_match() -> tuple[str, list[str]]:
    """A number of two digits, and three different ones among which it stands anywhere."""
    numbers = [f"{number:02}" for number in secrets.SystemRandom().sample(range(100), 3)]
    return secrets.choice(numbers), numbers


def base64url(raw: bytes) -> str:
    """Bytes as addresses and headers carry them (RFC 4648 §5), without the padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def token_hash(token: str) -> bytes:
    """What is stored of a random token: its SHA-256."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


class KeyRing:
    """All keys of one installation; purposes never share a derived key."""

    def __init__(self, masters: list[bytes]) -> None:
        if not masters or any(len(master) != 32 for master in masters):
            raise ValueError("every secret key must be 32 bytes")
        self._masters = {_key_id(master): master for master in masters}
        self.newest = _key_id(masters[0])

    @classmethod
    def parse(cls, text: str) -> KeyRing:
        """Read the comma-separated base64 form of the setting."""
        return cls(
            [base64.b64decode(part.strip(), validate=True) for part in text.split(",") if part.strip()]
        )

    @property
    def key_ids(self) -> tuple[bytes, ...]:
        """Identifiers of the live keys, newest first."""
        return tuple(self._masters)

    def derive(self, purpose: str, key_id: bytes | None = None) -> bytes:
        """The 32-byte key of one purpose; raises KeyMissing."""
        master = self._masters.get(key_id or self.newest)
        if master is None:
            raise KeyMissing(key_id or self.newest)
        return _derive(master, purpose)

    def fingerprint(self, key_id: bytes) -> bytes:
        """What only the holder of a key can say of it; it stands in the database (case O16)."""
        return self.mac("fingerprint", key_id, key_id)

    def seal(self, field: str, row: object, text: str) -> bytes:
        """Encrypt `text` for `table.column` of one row; moving it elsewhere makes it unreadable (rule 902)."""
        nonce = secrets.token_bytes(12)
        cipher = _cipher(self._masters[self.newest], field)
        sealed = cipher.encrypt(nonce, text.encode(), _associated(field, row, self.newest))
        return VERSION + self.newest + nonce + sealed

    def open(self, field: str, row: object, sealed: bytes) -> str:
        """Decrypt what `seal` made for the same place."""
        key_id, nonce, body = sealed[1:5], sealed[5:17], sealed[17:]
        if sealed[:1] != VERSION or key_id not in self._masters:
            raise Unreadable(field)
        try:
            plain = _cipher(self._masters[key_id], field).decrypt(
                nonce, body, _associated(field, row, key_id)
            )
        except InvalidTag as error:
            raise Unreadable(field) from error
        return plain.decode()

    def blind(self, field: str, value: str) -> bytes:
        """The blind index of a canonical value under the newest key (rule 904)."""
        return self.mac(f"blind:{field}", value.encode())

    def blinds(self, field: str, value: str) -> list[bytes]:
        """The blind indexes under every live key, for look-ups while keys rotate (rule 905)."""
        purpose, text = f"blind:{field}", value.encode()
        return [hmac.digest(_derive(master, purpose), text, "sha256") for master in self._masters.values()]

    def mac(self, purpose: str, message: bytes, key_id: bytes | None = None) -> bytes:
        """HMAC-SHA-256 under the purpose's key."""
        return hmac.digest(self.derive(purpose, key_id), message, "sha256")


def _associated(field: str, row: object, key_id: bytes) -> bytes:
    return b"|".join((field.encode(), str(row).encode(), key_id))


def _key_id(master: bytes) -> bytes:
    return hashlib.sha256(b"ngomon key id" + master).digest()[:4]


@lru_cache(maxsize=512)
def _cipher(master: bytes, field: str) -> AESGCM:
    return AESGCM(_derive(master, f"seal:{field}"))


@lru_cache(maxsize=512)
def _derive(master: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=purpose.encode()).derive(master)
