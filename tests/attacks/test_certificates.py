"""Getting in with a certificate that is not good, or not one's own (cases TK01 to TK06), over HTTP."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from demo import ca_files
from demo.ca import Mood
from tests.authority import Builder, Key, name, signed, subject, weakly_signed, with_other, without
from tests.service import Service
from tests.signer import Token, facts, heal, last_reason

END = "-----END CERTIFICATE-----\n"
UID, SERIAL, CN = NameOID.USER_ID, NameOID.SERIAL_NUMBER, NameOID.COMMON_NAME


@pytest.fixture(autouse=True)
def _well(service: Service) -> None:
    heal(service)


async def known(service: Service) -> tuple[Token, str]:
    """A token that signs in, and the number in it."""
    number = service.person().national_id
    token = await Token.issued(service, "citizen", number)
    _, done = await token.register(service.phone(), "citizen")
    assert done is not None and done.status_code == 200
    return token, number


def outward(answer: Any) -> tuple[int, dict[str, Any], list[str]]:
    """What a refusal shows, without what names the one request."""
    body = {key: value for key, value in answer.json().items() if key != "instance"}
    return answer.status_code, body, sorted(set(answer.headers) - {"x-request-id", "date"})


def dated(start: int, end: int) -> Callable[[Builder], Builder]:
    """A certificate of other days."""

    def change(builder: Builder) -> Builder:
        begin = builder._not_valid_before
        assert begin is not None
        builder._not_valid_before = begin + timedelta(days=start)
        builder._not_valid_after = begin + timedelta(days=end)
        return builder

    return change


BENT: dict[str, Callable[[Builder], Builder]] = {
    "expired": dated(-20, -10),
    "not_yet_valid": dated(10, 20),
    "key_usage": lambda one: without(one, x509.KeyUsage),
    "purpose": lambda one: with_other(one, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])),
    "authority": lambda one: with_other(one, x509.BasicConstraints(ca=True, path_length=None)),
    "untrusted": lambda one: one.add_extension(
        x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00"), critical=True
    ),
}


def self_signed_copy(service: Service, holder: x509.Name) -> Token:
    """A chain by an authority that only has the name of ours."""
    ca, key = service.stand.ca, ec.generate_private_key(ec.SECP256R1())
    fake = ca_files.authority(ca.authority.subject, key, ca.authority.subject, key, service.clock.now())
    leaf = ca.builder(holder, key.public_key()).sign(key, hashes.SHA256())
    chain = "".join(one.public_bytes(Encoding.PEM).decode() for one in (leaf, fake))
    return Token(service, chain, key=key)


def old_digest(service: Service, holder: x509.Name, digest: str) -> Token:
    """A certificate signed with MD5 or SHA-1."""
    root_key, key = rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP256R1())
    made = service.stand.ca.builder(holder, key.public_key()).sign(root_key, hashes.SHA256())
    return Token(service, weakly_signed(made, root_key, digest), key=key)


async def test_tk01_every_bad_certificate_is_one_answer_and_its_reason_is_the_journals(
    service: Service,
) -> None:
    good, number = await known(service)
    holder = subject(f"CCCD:{number}")
    weak: Key = rsa.generate_private_key(65537, 1024)
    tokens = {why: Token.bent(service, holder, change=change) for why, change in BENT.items()}
    tokens["weak_key"] = Token.bent(service, holder, key=weak)
    shown = []
    for why, token in tokens.items():
        shown.append(outward(await token.sign_in(service.phone())))
        assert await last_reason(service) == why
    alone = Token.bent(service, holder)
    alone.certificate = alone.certificate.partition(END)[0] + END
    for token in (self_signed_copy(service, holder), alone):
        shown.append(outward(await token.sign_in(service.phone())))
        assert await last_reason(service) == "untrusted"
    for digest in ("md5", "sha1"):
        shown.append(outward(await old_digest(service, holder, digest).sign_in(service.phone())))
        assert await last_reason(service) == "weak_hash"
    await good.revoke()
    shown.append(outward(await good.sign_in(service.phone())))
    assert await last_reason(service) == "revoked"
    assert all(one == shown[0] for one in shown)
    assert shown[0][0] == 403 and shown[0][1]["code"] == "certificate_refused"
    assert not any(why in str(shown[0]) for why in (*tokens, "revoked", "weak_hash"))
    assert number not in str(await facts(service, "certificate.refused"))


async def test_tk01_bad_certificates_cannot_register_either(service: Service) -> None:
    for why, change in BENT.items():
        token = Token.bent(service, subject(f"CCCD:{service.person().national_id}"), change=change)
        answer = await token.begin_registration(service.phone(), "citizen")
        assert (answer.status_code, answer.json()["code"]) == (403, "certificate_refused")
        assert await last_reason(service) == why


@pytest.mark.parametrize("mood", [Mood.DOWN, Mood.UNKNOWN, Mood.STALE, Mood.REPLAY, Mood.GARBAGE])
async def test_tk02_without_a_clear_answer_nobody_gets_in(service: Service, mood: Mood) -> None:
    token, _ = await known(service)
    service.stand.ca.mood = mood
    phone = service.phone()
    at, challenge = await token.begin_login(phone)
    for _ in range(2):
        answer = await token.brought(phone, at, challenge)
        assert (answer.status_code, answer.json()["code"]) == (503, "certificate_check_unavailable")
    heal(service)
    assert (await token.brought(phone, at, challenge)).status_code == 200


async def test_tk02_a_drip_does_not_hold_the_call(service: Service) -> None:
    token, _ = await known(service)
    service.stand.ca.mood = Mood.DRIP
    answer = await token.sign_in(service.phone())
    assert (answer.status_code, answer.json()["code"]) == (503, "certificate_check_unavailable")


async def test_tk02_the_list_speaks_when_the_responder_is_gone(service: Service) -> None:
    token, _ = await known(service)
    service.stand.ca.mood = Mood.NO_OCSP
    assert (await token.sign_in(service.phone())).status_code == 200
    assert (await facts(service, "certificate.used"))[-1]["checked_by"] == "crl"
    await token.revoke()
    answer = await token.sign_in(service.phone())
    assert (answer.status_code, await last_reason(service)) == (403, "revoked")


async def test_tk03_another_challenge_or_origin_or_an_old_one_is_refused(service: Service) -> None:
    token, _ = await known(service)
    phone = service.phone()
    _, earlier = await token.begin_login(phone)
    registration = (await token.begin_registration(phone, "citizen")).json()["challenge"]

    async def refused(change: Callable[[str], str], why: str = "signature_wrong") -> None:
        at, challenge = await token.begin_login(phone)
        body = {
            "certificate": token.certificate,
            "signature": base64.b64encode(
                service.stand.ca.sign(token.key_id, change(challenge)) or b""
            ).decode(),
        }
        answer = await phone.open(f"{at}/sign", body)
        assert (answer.status_code, answer.json()["code"]) == (403, "certificate_refused")
        assert await last_reason(service) == why
        again = await token.brought(phone, at, challenge)
        assert (again.status_code, again.json()["code"]) == (409, "flow_step_mismatch")

    await refused(lambda _: earlier)
    await refused(lambda _: registration)
    await refused(lambda text: text.replace(service.url, "https://another.example"))
    await refused(lambda text: text.replace("login", "register"))
    await refused(lambda text: text + "\n")
    await refused(lambda text: hashlib.sha256(text.encode()).hexdigest())
    at, challenge = await token.begin_login(phone)
    service.pass_time(seconds=121)
    answer = await token.brought(phone, at, challenge)
    assert (answer.status_code, answer.json()["code"]) == (403, "certificate_refused")
    assert await last_reason(service) == "challenge_late"


async def test_tk03_a_challenge_lets_one_of_many_in(service: Service) -> None:
    token, _ = await known(service)
    phone = service.phone()
    at, challenge = await token.begin_login(phone)
    answers = await asyncio.gather(*[token.brought(phone, at, challenge) for _ in range(8)])
    assert sorted(one.status_code for one in answers) == [200] + [409] * 7
    late = await token.brought(phone, at, challenge)
    assert (late.status_code, late.json()["step"]) == (409, "done")


async def test_tk04_the_same_common_name_opens_nothing(service: Service) -> None:
    token, number = await known(service)
    found = x509.load_pem_x509_certificate(token.certificate.encode())
    label = str(found.subject.get_attributes_for_oid(CN)[0].value)
    other = name((UID, f"CCCD:{service.person().national_id}"), (CN, label))
    answer = await Token.bent(service, other).sign_in(service.phone())
    assert (answer.status_code, answer.json()["code"]) == (403, "registration_required")
    tricks = {
        "no_identifier": name((CN, f"CCCD:{number}")),
        "two_identifiers": name((UID, "CCCD:000190000001"), (SERIAL, f"CCCD:{number}"), (CN, label)),
        "identifier_spelling": name((UID, f"CCCD:000190000001,UID=CCCD:{number}"), (CN, label)),
        "name_spelling": name((UID, f"CCCD:{number}"), (CN, f"{label},CN=Quản trị")),
        "text_type": name((UID, f"CCCD:{number}"), (CN, label), kind=_ASN1Type.BMPString),
    }
    for why, holder in tricks.items():
        answer = await Token.bent(service, holder).sign_in(service.phone())
        assert (answer.status_code, answer.json()["code"]) == (403, "certificate_refused")
        assert await last_reason(service) == why
    nul = name((UID, f"CCCD:{number}"), (CN, f"{label}\x00.khác"))
    assert (await Token.bent(service, nul).sign_in(service.phone())).status_code == 403
    assert await last_reason(service) == "name_spelling"


async def test_tk05_a_certificate_in_a_header_is_ignored(service: Service) -> None:
    token, _ = await known(service)
    leaf = x509.load_pem_x509_certificate(token.certificate.encode())
    der = base64.b64encode(leaf.public_bytes(Encoding.DER)).decode()
    forged = {
        "X-SSL-Client-Cert": der,
        "X-SSL-Client-Verify": "SUCCESS",
        "X-SSL-Client-S-DN": leaf.subject.rfc4514_string().encode("ascii", "ignore").decode(),
        "Client-Cert": f":{der}:",
        "X-Forwarded-Client-Cert": f"Hash=00;Cert={der}",
    }
    phone = service.phone()
    assert (await phone.call("GET", "/v1/me", **forged)).status_code == 401
    at, challenge = await token.begin_login(phone)
    plain = {"certificate": token.certificate, "signature": "AAAA"}
    answer = await phone.open(f"{at}/sign", plain, **forged)
    assert (answer.status_code, answer.json()["code"]) == (403, "certificate_refused")
    empty = await phone.open(f"{(await token.begin_login(phone))[0]}/sign", {}, **forged)
    assert empty.status_code in (400, 422)
    assert challenge


async def test_tk06_what_is_signed_can_never_be_a_documents_digest(service: Service) -> None:
    token, _ = await known(service)
    phone = service.phone()
    for _ in range(3):
        _, challenge = await token.begin_login(phone)
        assert challenge.startswith("NGOMON SIGN-IN v1\n") and len(challenge.encode()) > 64
    # and a client cannot choose what is signed
    body = {
        "method": "certificate",
        "challenge": "0" * 64,
        "device": {"platform": "a", "name": "b", "model": "c"},
    }
    assert (await phone.open("/v1/logins", body)).status_code in (400, 422)


async def test_a_failed_try_stands_in_the_holders_history(service: Service) -> None:
    token, _ = await known(service)
    phone = service.phone()
    at, _ = await token.begin_login(phone)
    other = ec.generate_private_key(ec.SECP256R1())
    wrong = {"certificate": token.certificate, "signature": signed(other, "x")}
    assert (await phone.open(f"{at}/sign", wrong)).status_code == 403
    assert (await token.sign_in(phone)).status_code == 200
    history = (await phone.call("GET", "/v1/me/access-history")).json()["items"]
    assert [row["result"] for row in history[:2]] == ["success", "failure"]
    for _ in range(8):  # a certificate is no secret: whoever has a copy must not fill the page
        stranger = service.phone()
        at, _ = await token.begin_login(stranger)
        assert (await stranger.open(f"{at}/sign", wrong)).status_code == 403
    history = (await phone.call("GET", "/v1/me/access-history")).json()["items"]
    assert [row["result"] for row in history].count("failure") == service.kit.limits.password_tries


@pytest.mark.parametrize(
    "body",
    [
        {"certificate": "x", "signature": "AAAA"},
        {"certificate": "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----", "signature": "AAAA"},
        {"certificate": "\u202e" * 50, "signature": "AAAA"},
        {
            "certificate": "-----BEGIN CERTIFICATE-----\n" + "A" * 19_000 + "\n-----END CERTIFICATE-----",
            "signature": "=",
        },
    ],
)
async def test_nonsense_is_refused_and_never_a_bug(service: Service, body: dict[str, str]) -> None:
    token = Token(service, body["certificate"])
    phone = service.phone()
    at, _ = await token.begin_login(phone)
    answer = await phone.open(f"{at}/sign", body)
    assert (answer.status_code, answer.json()["code"]) == (403, "certificate_refused")
