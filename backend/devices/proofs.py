"""Checks that whoever calls holds the device's key: DPoP (RFC 9449; rule 306)."""

from __future__ import annotations

import binascii
import hashlib
import hmac
import math
from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from backend.crypto import base64url
from backend.errors import Unproved
from backend.words import mark as _

PLAIN = bytes.maketrans(b"-_", b"+/")
ES256 = ec.ECDSA(hashes.SHA256())
LONGEST = 4096
LONGEST_JTI = 256
KEYS_KEPT = 20_000
LONGEST_KEPT = 512  # an honest header has about 250 characters


class InvalidProof(Unproved):
    """The DPoP proof is missing or does not verify (RFC 9449 §4.3, §7.1)."""

    code = "invalid_dpop_proof"
    title = "Không xác minh được khóa của thiết bị"


class UseNonce(Unproved):
    """A proof with our nonce is wanted; it is in the DPoP-Nonce header (RFC 9449 §8)."""

    code = "use_dpop_nonce"
    title = "Cần gửi lại với mã chống phát lại"


class _Header(msgspec.Struct):
    typ: str
    alg: str
    jwk: dict[str, Any]
    crit: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Claims(msgspec.Struct):
    jti: str
    htm: str
    htu: str
    iat: Annotated[float, msgspec.Meta(ge=0, le=2**53)]  # a NumericDate may have a fraction (RFC 7519 §2)
    ath: str | None = None
    nonce: str | None = None


class Proof(NamedTuple):
    """A proof that verifies: its key's thumbprint, and the identifier to remember until `until` (epoch seconds)."""

    jkt: str
    seen_id: bytes
    until: int
    nonce: str | None


class _Key(NamedTuple):
    verify: Callable[[bytes, bytes], None]  # signature, message; raises InvalidSignature
    jkt: str


class Proofs:
    """Verifies proofs; keeps built keys by their header's bytes, because building one costs a third of a check."""

    def __init__(self, public_url: str, *, past: int, future: int) -> None:
        parts = urlsplit(public_url)
        self._origin = _origin(parts.scheme, parts.hostname or "", parts.port)
        self._exact = f"{parts.scheme}://{parts.netloc}"
        self._base = parts.path.rstrip("/")
        self._past, self._future = past, future
        self._keys: OrderedDict[str, _Key] = OrderedDict()

    def check(self, proof: str, *, method: str, path: str, token: str | None, now: float) -> Proof:
        """Verify everything but replay; the proof must name the access token by its hash. Raises InvalidProof.

        `path` is the path as it was sent, escapes and all: decoded, two resources could look the same.
        """
        if len(proof) > LONGEST or not proof.isascii() or proof.count(".") != 2:
            raise InvalidProof(_("Cấu trúc DPoP không hợp lệ"))
        message, _dot, signature = proof.rpartition(".")
        head, _dot, body = message.partition(".")
        key = self._key(head)
        _verify(key, message.encode(), _decoded(signature))
        try:
            claims = msgspec.json.decode(_decoded(body), type=_Claims)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidProof(_("Nội dung DPoP không hợp lệ")) from error
        self._match(claims, method, path, now)
        expected = None if token is None else base64url(hashlib.sha256(token.encode()).digest())
        if expected is not None and not hmac.compare_digest((claims.ath or "").encode(), expected.encode()):
            raise InvalidProof(_("ath không khớp với token"))
        seen = hashlib.sha256(f"{key.jkt}|{claims.jti}".encode()).digest()
        return Proof(key.jkt, seen, math.ceil(claims.iat) + self._past + 2, claims.nonce)

    def _match(self, claims: _Claims, method: str, path: str, now: float) -> None:
        if not 0 < len(claims.jti) <= LONGEST_JTI:
            raise InvalidProof(_("jti không hợp lệ"))
        if claims.htm != method:
            raise InvalidProof(_("htm không khớp"))
        if not now - self._past <= claims.iat <= now + self._future:
            raise InvalidProof(_("iat ngoài khoảng cho phép"))
        if claims.htu != f"{self._exact}{self._base}{path}":
            self._match_address(claims, path)

    def _match_address(self, claims: _Claims, path: str) -> None:
        """The same address in another spelling is the same address."""
        try:
            parts = urlsplit(claims.htu)
            same = _origin(parts.scheme, parts.hostname or "", parts.port) == self._origin
        except ValueError as error:
            raise InvalidProof(_("htu không khớp")) from error
        # RFC 9449 §4.3: query and fragment are ignored
        if not same or parts.path != self._base + path or parts.username:
            raise InvalidProof(_("htu không khớp"))

    def _key(self, head: str) -> _Key:
        key = self._keys.get(head)
        if key is None:
            key = _built(head)
            if len(head) > LONGEST_KEPT:
                return key  # a stranger must not fill the memory with padded headers
            self._keys[head] = key
            if len(self._keys) > KEYS_KEPT:
                self._keys.popitem(last=False)
        return key


def _built(head: str) -> _Key:
    try:
        header = msgspec.json.decode(_decoded(head), type=_Header)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidProof(_("Tiêu đề DPoP không hợp lệ")) from error
    if header.crit is not msgspec.UNSET:  # we understand no extension (RFC 7515 §4.1.11)
        raise InvalidProof(_("Tiêu đề DPoP đòi một phần mở rộng không được hỗ trợ"))
    jwk = header.jwk
    if header.typ != "dpop+jwt" or "d" in jwk or "k" in jwk:
        raise InvalidProof(_("typ hoặc jwk không hợp lệ"))
    try:
        if header.alg == "ES256" and jwk.get("kty") == "EC" and jwk.get("crv") == "P-256":
            return _p256(jwk)
        if header.alg == "EdDSA" and jwk.get("kty") == "OKP" and jwk.get("crv") == "Ed25519":
            x = _decoded(jwk["x"])
            member = f'{{"crv":"Ed25519","kty":"OKP","x":"{base64url(x)}"}}'
            return _Key(ed25519.Ed25519PublicKey.from_public_bytes(x).verify, _thumbprint(member))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidProof(_("Khóa trong jwk không hợp lệ")) from error
    raise InvalidProof(_("Chỉ nhận ES256 hoặc EdDSA"))


def _p256(jwk: dict[str, Any]) -> _Key:
    x, y = _decoded(jwk["x"]), _decoded(jwk["y"])
    if len(x) != 32 or len(y) != 32:
        raise ValueError("coordinates")
    public = ec.EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), ec.SECP256R1()).public_key()
    member = f'{{"crv":"P-256","kty":"EC","x":"{base64url(x)}","y":"{base64url(y)}"}}'  # RFC 7638 §3

    def verify(signature: bytes, message: bytes) -> None:
        der = encode_dss_signature(int.from_bytes(signature[:32]), int.from_bytes(signature[32:]))
        public.verify(der, message, ES256)

    return _Key(verify, _thumbprint(member))


def _verify(key: _Key, message: bytes, signature: bytes) -> None:
    if len(signature) != 64:
        raise InvalidProof(_("Chữ ký DPoP không hợp lệ"))
    try:
        key.verify(signature, message)
    except (InvalidSignature, ValueError) as error:
        raise InvalidProof(_("Chữ ký DPoP không hợp lệ")) from error


def _origin(scheme: str, host: str, port: int | None) -> tuple[str, str, int]:
    """Only scheme and host are case-blind, and a default port may be left out (case TD09)."""
    return scheme.lower(), host.lower(), port or (443 if scheme.lower() == "https" else 80)


def _decoded(text: str) -> bytes:
    try:
        plain = text.encode("ascii").translate(PLAIN) + b"=" * (-len(text) % 4)
        return binascii.a2b_base64(plain, strict_mode=True)
    except (ValueError, TypeError) as error:
        raise InvalidProof(_("base64url không hợp lệ")) from error


def _thumbprint(member: str) -> str:
    return base64url(hashlib.sha256(member.encode()).digest())


class Nonces:
    """Nonces that every process can check without storing them: a keyed hash of the current five minutes."""

    def __init__(self, key: bytes) -> None:
        self._key_bytes = key

    def fresh(self, now: float) -> str:
        """The nonce of this moment."""
        return self._of(int(now // 300))

    def accepts(self, nonce: str | None, now: float) -> bool:
        """Of this five minutes or the five before."""
        slot = int(now // 300)
        given = (nonce or "").encode("utf-8", "replace")
        return any(hmac.compare_digest(given, self._of(slot - back).encode()) for back in (0, 1))

    def _of(self, slot: int) -> str:
        return base64url(hmac.digest(self._key_bytes, str(slot).encode(), "sha256")[:18])
