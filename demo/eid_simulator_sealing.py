"""How VNeID seals an answer, and every way in which the sealing can go wrong (rule 409)."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.asymmetric import padding as rsa_padding
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 16

Bytes = Callable[[bytes], bytes]
Text = Callable[[str], str]
Wrap = Callable[[RSAPublicKey, bytes], bytes]


def _as_it_is(value: Any) -> Any:
    return value


@cache
def _stranger() -> RSAPublicKey:
    """The key of nobody whom we know."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()


def wrap_well(public: RSAPublicKey, secret: bytes) -> bytes:
    """RSA with PKCS#1 v1.5."""
    return public.encrypt(secret, rsa_padding.PKCS1v15())


def pad_well(plain: bytes) -> bytes:
    """PKCS#7."""
    padder = padding.PKCS7(BLOCK * 8).padder()
    return padder.update(plain) + padder.finalize()


class Spoil(msgspec.Struct, frozen=True, kw_only=True):
    """One envelope's making, step by step; each step may be replaced by a wrong one."""

    plain: Bytes = _as_it_is
    pad: Bytes = pad_well
    cipher: str = ""
    secret: Bytes = _as_it_is
    wrap: Wrap = wrap_well
    data: Bytes = _as_it_is
    data_text: Text = _as_it_is
    key_text: Text = _as_it_is
    sealed: Callable[[dict[str, Any]], dict[str, Any]] = _as_it_is
    twice: bool = False
    until: str = ""  # seal until this sign is in both texts, so that there is something to lose


def seal(plain: bytes, public: RSAPublicKey, cipher: str, spoil: Spoil) -> dict[str, Any]:
    """`{"data", "key"}` about these bytes, made for whoever has the other half of the key."""
    used = {"": cipher, "other": "cbc" if cipher == "ecb" else "ecb"}.get(spoil.cipher, spoil.cipher)
    if spoil.twice:
        plain = json.dumps(seal(plain, public, cipher, Spoil())).encode()
    while True:
        secret = os.urandom(32)
        data = spoil.data(_encrypted(secret, used, spoil.pad(spoil.plain(plain))))
        key = spoil.wrap(public, spoil.secret(secret))
        texts = [base64.b64encode(raw).decode() for raw in (data, key)]
        if all(spoil.until in text for text in texts):
            break
    return spoil.sealed({"data": spoil.data_text(texts[0]), "key": spoil.key_text(texts[1])})


def _encrypted(secret: bytes, cipher: str, padded: bytes) -> bytes:
    first = os.urandom(BLOCK) if cipher != "ecb" else b""
    mode: Any = modes.ECB() if cipher == "ecb" else {"cbc": modes.CBC, "ctr": modes.CTR}[cipher](first)  # noqa: S305
    encryptor = Cipher(algorithms.AES(secret), mode).encryptor()
    return bytes(first + encryptor.update(padded) + encryptor.finalize())


def _textbook(public: RSAPublicKey, block: bytes) -> bytes:
    numbers, size = public.public_numbers(), (public.key_size + 7) // 8
    return pow(int.from_bytes(block.rjust(size, b"\0")[-size:], "big"), numbers.e, numbers.n).to_bytes(
        size, "big"
    )


def _block(kind: bytes, filling: Callable[[int], bytes], end: bytes = b"\0") -> Wrap:
    """An RSA block by hand: two leading bytes, the filling, an end, the key (RFC 8017 §7.2.1)."""

    def wrap(public: RSAPublicKey, secret: bytes) -> bytes:
        size = (public.key_size + 7) // 8
        return _textbook(public, kind + filling(size - len(kind) - len(end) - len(secret)) + end + secret)

    return wrap


def _oaep(public: RSAPublicKey, secret: bytes) -> bytes:
    mask = rsa_padding.MGF1(hashes.SHA256())
    return public.encrypt(secret, rsa_padding.OAEP(mask, hashes.SHA256(), None))


def _padded_with(last: Callable[[int], bytes]) -> Bytes:
    """To whole blocks, at least two bytes, with what is not PKCS#7."""

    def pad(plain: bytes) -> bytes:
        room = -len(plain) % BLOCK
        return plain + last(room if room > 1 else room + BLOCK)

    return pad


def _without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda sealed: {key: value for key, value in sealed.items() if key != name}


def _with(**changes: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda sealed: sealed | changes


def _turned(sealed: dict[str, Any]) -> dict[str, Any]:
    return {"data": sealed["key"], "key": sealed["data"]}


def _flipped(where: int) -> Bytes:
    def flip(data: bytes) -> bytes:
        at = where % len(data)
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]

    return flip


def _blocks_turned(data: bytes) -> bytes:
    return b"".join(data[at : at + BLOCK] for at in reversed(range(0, len(data), BLOCK)))


def _url_safe(text: str) -> str:
    return text.replace("+", "-").replace("/", "_")


SPOILS: dict[str, Spoil] = {
    "data_not_base64": Spoil(data_text=lambda text: "!" + text[1:]),
    "key_not_base64": Spoil(key_text=lambda text: "!" + text[1:]),
    "data_lost_plus": Spoil(until="+", data_text=lambda text: text.replace("+", " ")),
    "key_lost_plus": Spoil(until="+", key_text=lambda text: text.replace("+", " ")),
    "data_dropped_plus": Spoil(until="+", data_text=lambda text: text.replace("+", "")),
    "key_dropped_plus": Spoil(until="+", key_text=lambda text: text.replace("+", "")),
    "data_url_safe": Spoil(until="+", data_text=_url_safe),
    "key_url_safe": Spoil(until="+", key_text=_url_safe),
    "data_text_cut": Spoil(data_text=lambda text: text[:-1]),
    "key_text_cut": Spoil(key_text=lambda text: text[:-1]),
    "data_empty": Spoil(data_text=lambda _: ""),
    "key_empty": Spoil(key_text=lambda _: ""),
    "data_hex": Spoil(data_text=lambda text: base64.b64decode(text).hex()),
    "key_hex": Spoil(key_text=lambda text: base64.b64decode(text).hex()),
    "rsa_oaep": Spoil(wrap=_oaep),
    "rsa_unpadded": Spoil(wrap=_textbook),
    "rsa_block_type_0": Spoil(wrap=_block(b"\0\0", lambda size: b"\xff" * size)),
    "rsa_block_type_1": Spoil(wrap=_block(b"\0\1", lambda size: b"\xff" * size)),
    "rsa_first_byte_1": Spoil(wrap=_block(b"\1\2", lambda size: b"\xff" * size)),
    "rsa_short_filling": Spoil(wrap=_block(b"\0\2", lambda size: b"\xff" * 7 + b"\0" * (size - 7))),
    "rsa_no_end": Spoil(secret=lambda _: b"\xff" * 32, wrap=_block(b"\0\2", lambda size: b"\xff" * size, b"\xff")),
    "rsa_wrong_key": Spoil(wrap=lambda _, secret: wrap_well(_stranger(), secret)),
    "rsa_one_byte_more": Spoil(wrap=lambda public, secret: wrap_well(public, secret) + b"\0"),
    "rsa_one_byte_less": Spoil(wrap=lambda public, secret: wrap_well(public, secret)[:-1]),
    "rsa_all_zero": Spoil(wrap=lambda public, _: bytes((public.key_size + 7) // 8)),
    "rsa_all_ones": Spoil(wrap=lambda public, _: b"\xff" * ((public.key_size + 7) // 8)),
    "rsa_bit_flipped": Spoil(wrap=lambda public, secret: _flipped(100)(wrap_well(public, secret))),
    "aes_key_not_wrapped": Spoil(wrap=lambda _, secret: secret),
    "aes_key_of_0": Spoil(secret=lambda _: b""),
    "aes_key_of_15": Spoil(secret=lambda secret: secret[:15]),
    "aes_key_of_17": Spoil(secret=lambda secret: secret[:17]),
    "aes_key_of_31": Spoil(secret=lambda secret: secret[:31]),
    "aes_key_of_33": Spoil(secret=lambda secret: secret + b"\0"),
    "aes_key_of_64": Spoil(secret=lambda secret: secret * 2),
    "aes_key_cut_to_16": Spoil(secret=lambda secret: secret[:16]),
    "aes_key_in_base64": Spoil(secret=base64.b64encode),
    "aes_key_in_hex": Spoil(secret=lambda secret: secret.hex().encode()),
    "swapped_key": Spoil(secret=lambda _: os.urandom(32)),
    "key_and_data_turned": Spoil(sealed=_turned),
    "padding_of_zeros": Spoil(pad=_padded_with(lambda room: b"\0" * room)),
    "padding_of_blanks": Spoil(pad=_padded_with(lambda room: b" " * room)),
    "padding_of_17": Spoil(pad=_padded_with(lambda room: b"\x11" * room)),
    "padding_uneven": Spoil(pad=_padded_with(lambda room: b"\x01" * (room - 2) + b"\x02\x03")),
    "padding_x923": Spoil(pad=_padded_with(lambda room: b"\0" * (room - 1) + bytes([room]))),
    "cipher_of_the_other_mode": Spoil(cipher="other"),
    "cipher_ctr": Spoil(cipher="ctr"),
    "data_cut_by_a_byte": Spoil(data=lambda data: data[:-1]),
    "data_cut_by_a_block": Spoil(data=lambda data: data[:-BLOCK]),
    "data_without_its_first_block": Spoil(data=lambda data: data[BLOCK:]),
    "data_of_8_bytes": Spoil(data=lambda data: data[:8]),
    "data_and_a_byte": Spoil(data=lambda data: data + b"\0"),
    "data_and_a_block": Spoil(data=lambda data: data + data[:BLOCK]),
    "data_first_block_flipped": Spoil(data=_flipped(0)),
    "data_last_block_flipped": Spoil(data=_flipped(-BLOCK)),
    "data_blocks_turned": Spoil(data=_blocks_turned),
    "plain_empty": Spoil(plain=lambda _: b""),
    "plain_cut": Spoil(plain=lambda plain: plain[: len(plain) // 2]),
    "plain_not_utf8": Spoil(plain=lambda plain: plain[:-2] + b"\xff\xfe" + plain[-2:]),
    "plain_with_bom": Spoil(plain=lambda plain: b"\xef\xbb\xbf" + plain),
    "plain_with_nul": Spoil(plain=lambda plain: plain + b"\0"),
    "plain_in_utf16": Spoil(plain=lambda plain: plain.decode().encode("utf-16")),
    "plain_in_base64": Spoil(plain=base64.b64encode),
    "sealed_twice": Spoil(twice=True),
    "key_missing": Spoil(sealed=_without("key")),
    "data_missing": Spoil(sealed=_without("data")),
}  # fmt: skip
BODY_SPOILS: dict[str, Spoil] = {  # what only a JSON body can suffer
    "plain_a_list": Spoil(plain=lambda plain: b"[" + plain + b"]"),
    "plain_a_text": Spoil(plain=lambda _: b'"x"'),
    "plain_a_number": Spoil(plain=lambda _: b"1"),
    "plain_null": Spoil(plain=lambda _: b"null"),
    "plain_true": Spoil(plain=lambda _: b"true"),
    "plain_not_json": Spoil(plain=lambda _: b"access_token=x"),
    "plain_two_objects": Spoil(plain=lambda plain: plain + plain),
    "plain_deep": Spoil(plain=lambda _: b"[" * 20_000),
    "plain_no_members": Spoil(plain=lambda _: b"{}"),
    "key_null": Spoil(sealed=_with(key=None)),
    "key_a_number": Spoil(sealed=_with(key=1)),
    "key_a_list": Spoil(sealed=lambda sealed: sealed | {"key": [sealed["key"]]}),
    "data_null": Spoil(sealed=_with(data=None)),
    "data_a_number": Spoil(sealed=_with(data=1)),
    "data_plain": Spoil(sealed=_with(data={"access_token": "x"})),
    "in_other_letters": Spoil(sealed=lambda sealed: {name.upper(): value for name, value in sealed.items()}),
}
