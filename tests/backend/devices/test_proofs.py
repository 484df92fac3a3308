"""DPoP proofs against the vectors of the RFCs, and against what a forger would send (RFC 9449, 7638, 8037)."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from backend.devices.proofs import LONGEST_KEPT, InvalidProof, Nonces, Proofs
from tests.attacks.jose import Key, b64, compact

HEAD = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJo"
    "RjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19"
)
TOKEN_REQUEST = (  # RFC 9449 §4.1
    f"{HEAD}.eyJqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0"
    "IjoxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg"
)
RESOURCE_REQUEST = (  # RFC 9449 §7.1
    f"{HEAD}.eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRy"
    "ZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9."
    "2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
)
ACCESS_TOKEN = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"
THUMBPRINT = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"  # RFC 9449 §6.1
ED25519 = {
    "kty": "OKP",
    "crv": "Ed25519",
    "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
}  # RFC 8037 §A.2
ED25519_SECRET = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
ED25519_THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"  # RFC 8037 §A.3, made as RFC 7638 says
URL, NOW = "https://cong.example", 1_790_000_000
KEY = Key()
PUBLIC = KEY.public


def proofs(url: str = URL) -> Proofs:
    return Proofs(url, past=60, future=10)


def signed(claims: dict[str, Any], **header: Any) -> str:
    return compact({"typ": "dpop+jwt", "alg": "ES256", "jwk": PUBLIC} | header, claims, KEY)


def claims(**changes: Any) -> dict[str, Any]:
    made = {"jti": "a-b-c", "htm": "GET", "htu": f"{URL}/v1/me", "iat": NOW} | changes
    return {name: value for name, value in made.items() if value is not None}


def check(proof: str, **changes: Any) -> Any:
    asked: dict[str, Any] = {"method": "GET", "path": "/v1/me", "token": None, "now": NOW} | changes
    return proofs().check(proof, **asked)


def test_the_token_request_of_rfc_9449_verifies_and_has_its_thumbprint() -> None:
    found = proofs("https://server.example.com").check(
        TOKEN_REQUEST, method="POST", path="/token", token=None, now=1562262616
    )
    assert found.jkt == THUMBPRINT


def test_the_resource_request_of_rfc_9449_verifies_with_its_token_and_with_no_other() -> None:
    door = proofs("https://resource.example.org")
    asked: dict[str, Any] = {"method": "GET", "path": "/protectedresource", "now": 1562262618}
    assert door.check(RESOURCE_REQUEST, token=ACCESS_TOKEN, **asked).jkt == THUMBPRINT
    with pytest.raises(InvalidProof):
        door.check(RESOURCE_REQUEST, token=ACCESS_TOKEN + "x", **asked)


def test_a_single_changed_bit_of_the_vector_is_found() -> None:
    head, body, signature = TOKEN_REQUEST.split(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[5] ^= 1
    with pytest.raises(InvalidProof):
        proofs("https://server.example.com").check(
            f"{head}.{body}.{b64(bytes(raw))}", method="POST", path="/token", token=None, now=1562262616
        )


def test_ed25519_is_taken_with_the_thumbprint_of_rfc_8037() -> None:
    key = Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(ED25519_SECRET + "="))
    head = b64(json.dumps({"typ": "dpop+jwt", "alg": "EdDSA", "jwk": ED25519}).encode())
    message = f"{head}.{b64(json.dumps(claims()).encode())}"
    assert check(f"{message}.{b64(key.sign(message.encode()))}").jkt == ED25519_THUMBPRINT


@pytest.mark.parametrize(
    "htu",
    [
        f"{URL}/v1/me",
        f"{URL}:443/v1/me",
        "HTTPS://CONG.EXAMPLE/v1/me",
        f"{URL}/v1/me?x=1",
        f"{URL}/v1/me#x",
        f"{URL}/v1/me?",
    ],
)
def test_td09_only_scheme_host_default_port_and_query_may_differ(htu: str) -> None:
    assert check(signed(claims(htu=htu))).jkt


@pytest.mark.parametrize(
    "htu",
    [
        "http://cong.example/v1/me", "https://khac.example/v1/me", f"{URL}:8443/v1/me", f"{URL}/v1/ME", f"{URL}/v1/me/",
        f"{URL}/v1/x/../me", f"{URL}//v1/me", "https://a@cong.example/v1/me", "https://[::1/v1/me", f"{URL}:99999/v1/me",
        "/v1/me", "", "https://cong.example.khac.example/v1/me", "https://cong.example", "javascript:1", f"{URL}/v1/%6de",
    ],
)  # fmt: skip
def test_td09_any_other_address_is_refused(htu: str) -> None:
    with pytest.raises(InvalidProof):
        check(signed(claims(htu=htu)))


WRONG: dict[str, dict[str, Any]] = {
    "no jti": {"jti": None}, "empty jti": {"jti": ""}, "jti of 257": {"jti": "x" * 257}, "jti a number": {"jti": 1},
    "other method": {"htm": "POST"}, "method in small letters": {"htm": "get"}, "no method": {"htm": None},
    "no address": {"htu": None}, "address a list": {"htu": [f"{URL}/v1/me"]},
    "no time": {"iat": None}, "time a string": {"iat": str(NOW)}, "time below zero": {"iat": -1}, "time too big": {"iat": 2**60},
    "time true": {"iat": True}, "61 s old": {"iat": NOW - 61}, "11 s ahead": {"iat": NOW + 11},
}  # fmt: skip


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG.keys())
def test_td09_td11_every_wrong_claim_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidProof):
        check(signed(claims(**changes)))


@pytest.mark.parametrize("iat", [NOW - 60, NOW - 59, NOW, NOW + 9, NOW + 10])
def test_td11_the_window_is_60_s_back_and_10_s_ahead(iat: int) -> None:
    assert check(signed(claims(iat=iat))).until >= NOW, "the proof is remembered as long as it could be used"


HEADERS: dict[str, dict[str, Any]] = {
    "typ JWT": {"typ": "JWT"},
    "typ with prefix": {"typ": "application/dpop+jwt"},
    "private d": {"jwk": PUBLIC | {"d": KEY.secret}},
    "symmetric k": {"jwk": PUBLIC | {"k": "AAAA"}},
    "no x": {"jwk": {"kty": "EC", "crv": "P-256", "y": PUBLIC["y"]}},
    "x not on the curve": {"jwk": PUBLIC | {"x": b64(bytes(31) + b"\x05")}},
    "short x": {"jwk": PUBLIC | {"x": b64(b"\x01")}},
    "other curve": {"jwk": PUBLIC | {"crv": "P-384"}},
    "x a number": {"jwk": PUBLIC | {"x": 5}},
    "x not ASCII": {"jwk": PUBLIC | {"x": "đ" * 43}},
    "jwk a string": {"jwk": "x"},
    "jwk empty": {"jwk": {}},
    "jwk RSA": {"jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}},
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
def test_td10_every_wrong_header_is_refused(header: dict[str, Any]) -> None:
    with pytest.raises(InvalidProof):
        check(signed(claims(), **header))


@pytest.mark.parametrize("alg", ["none", "None", "HS256", "RS256", "PS256", "ES384", "ES256K", "", 7, None])
def test_td10_only_es256_and_eddsa_are_algorithms(alg: Any) -> None:
    good = signed(claims())
    head = b64(json.dumps({"typ": "dpop+jwt", "alg": alg, "jwk": PUBLIC}).encode())
    for signature in (good.split(".")[2], "", b64(bytes(64))):
        with pytest.raises(InvalidProof):
            check(f"{head}.{good.split('.')[1]}.{signature}")


@pytest.mark.parametrize(
    "text",
    ["", ".", "..", "...", "a.b.c", f"{HEAD}..", "đ.đ.đ", "x" * 70_000, f"{HEAD}.{b64(b'[' * 1500)}.{b64(bytes(64))}",
     f"{b64(b'[' * 1500)}.e30.AA", f"{b64(bytes([255, 254]))}.e30.AA", f"{b64(b'null')}.e30.AA", f"{HEAD}.e30.{b64(bytes(64))}"],
)  # fmt: skip
def test_td10_what_is_not_a_proof_is_refused_and_nothing_breaks(text: str) -> None:
    with pytest.raises(InvalidProof):
        check(text)


def test_a_proof_of_the_identical_identifier_by_another_key_is_another_proof() -> None:
    other = Key()
    theirs = compact({"typ": "dpop+jwt", "alg": "ES256", "jwk": other.public}, claims(), other)
    assert check(theirs).seen_id != check(signed(claims())).seen_id
    assert check(signed(claims(iat=NOW - 5))).seen_id == check(signed(claims())).seen_id


def test_padded_headers_are_checked_but_not_kept_in_memory() -> None:
    door = proofs()
    door.check(signed(claims(), kid="x" * LONGEST_KEPT), method="GET", path="/v1/me", token=None, now=NOW)
    assert not door._keys
    door.check(signed(claims()), method="GET", path="/v1/me", token=None, now=NOW)
    assert len(door._keys) == 1


@pytest.mark.parametrize(("back", "good"), [(0, True), (299, True), (601, False), (-300, False)])
def test_td13_a_nonce_lives_five_to_ten_minutes_and_is_ours(back: int, good: bool) -> None:
    ours, now = Nonces(b"k" * 32), float(NOW - NOW % 300)
    assert ours.accepts(ours.fresh(now - back), now) is good
    assert not ours.accepts(Nonces(b"j" * 32).fresh(now), now)
    assert not any(ours.accepts(forged, now) for forged in (None, "", "x", "đ", ours.fresh(now)[:-1]))
