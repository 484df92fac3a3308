"""Certificates and lists as bytes that an attacker may bend: what was signed counts, and nothing falls over (TK01, TK04)."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from sqlalchemy import select, update

from backend.accounts.models import Certificate
from backend.outside.clock import Clock
from backend.outside.http import Guarded
from demo.ca import StandInCa
from tests.authority import Authority, pem, subject
from tests.checker import check
from tests.lists import board, written
from tests.service import Service, running
from tests.signer import Token, heal, last_reason

ORDER_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
VERSION = b"\xa0\x03\x02\x01\x02"


def element(tag: int, value: bytes) -> bytes:
    """A DER element."""
    size = len(value)
    length = bytes([size]) if size < 128 else bytes([0x80 + (size.bit_length() + 7) // 8])
    return bytes([tag]) + length + (b"" if size < 128 else size.to_bytes(length[0] & 0x7F)) + value


def signed_otherwise(certificate: str) -> str:
    """The same certificate with the other signature that ECDSA takes just as well: n - s for s."""
    leaf, *above = x509.load_pem_x509_certificates(certificate.encode())
    der, tbs = leaf.public_bytes(Encoding.DER), leaf.tbs_certificate_bytes
    algorithm = der[der.index(tbs) + len(tbs) : -len(element(3, b"\0" + leaf.signature))]
    r, s = decode_dss_signature(leaf.signature)
    bits = element(3, b"\0" + encode_dss_signature(r, ORDER_P256 - s))
    bent = element(0x30, tbs + algorithm + bits)
    return pem(bent) + "".join(one.public_bytes(Encoding.PEM).decode() for one in above)


async def test_tk04_a_removed_certificate_does_not_come_back_with_its_signature_written_otherwise(
    service: Service,
) -> None:
    heal(service)
    found = service.person().national_id
    token = await Token.issued(service, "citizen", found)
    _, done = await token.register(service.phone(), "citizen")
    assert done is not None
    second = await Token.issued(service, "citizen", found)
    assert (await second.sign_in(service.phone())).status_code == 200
    twin = Token(service, signed_otherwise(token.certificate), key_id=token.key_id)
    assert twin.certificate != token.certificate
    assert (await twin.sign_in(service.phone())).status_code == 200
    async with service.db.write() as tx:
        query = select(Certificate.id).where(Certificate.account_id == UUID(done.json()["account"]["id"]))
        mine = list(await tx.scalars(query.order_by(Certificate.added_at)))
        now = service.clock.now()
        await tx.execute(update(Certificate).where(Certificate.id == mine[0]).values(ended_at=now))
    assert len(mine) == 2, "the twin is no certificate of its own"
    for gone in (token, twin):
        answer = await gone.sign_in(service.phone())
        assert (answer.status_code, answer.json()["code"]) == (403, "certificate_refused")
        assert await last_reason(service) == "removed"
    assert (await second.sign_in(service.phone())).status_code == 200


async def test_tk01_a_certificate_of_a_version_that_does_not_exist_is_refused(service: Service) -> None:
    heal(service)
    token = Token.bent(service, subject(f"CCCD:{service.person().national_id}"))
    leaf, *above = x509.load_pem_x509_certificates(token.certificate.encode())
    der = leaf.public_bytes(Encoding.DER)
    assert VERSION in der
    bent = der.replace(VERSION, VERSION[:-1] + b"\x41", 1)
    token.certificate = pem(bent) + "".join(one.public_bytes(Encoding.PEM).decode() for one in above)
    for answer in (
        await token.sign_in(service.phone()),
        await token.begin_registration(service.phone(), "citizen"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "certificate_refused")
        assert await last_reason(service) == "malformed"


async def test_tk02_lists_are_read_once_for_many_sign_ins_and_as_long_as_the_operator_says(
    tmp_path: Path,
) -> None:
    clock = Clock()
    authority = Authority(StandInCa("http://127.0.0.1:1/demo/ca", clock), clock, Guarded())
    (tmp_path / "cas.pem").write_bytes(authority.ca.root_pem)
    environ = {
        "NGOMON_TRUSTED_CAS": str(tmp_path / "cas.pem"),
        "NGOMON_LIMIT_CERTIFICATE_CHECK_TIMEOUT": "20",
        "NGOMON_LIMIT_CRL_KEEP": "600",
        "NGOMON_LIMIT_CRL_BYTES": str(3 << 20),
    }
    async with board() as place, running(f"sqlite+aiosqlite:///{tmp_path}/n.db", **environ) as service:
        certificate, key = authority.leaf(subject("CCCD:000190000007"), change=place.named)
        serial = x509.load_pem_x509_certificate(certificate.encode()).serial_number
        others = range(1 << 120, (1 << 120) + 50_000)
        place.content = written(authority.ca, clock.now(), serials=others)
        assert 2 << 20 < len(place.content) < 3 << 20
        token = Token(service, certificate, key=key)
        _, done = await token.register(service.phone(), "citizen")
        assert done is not None and done.status_code == 200
        place.content = written(authority.ca, clock.now(), serials=[*others, serial])
        assert (await token.sign_in(service.phone())).status_code == 200
        assert place.asked == 1
        service.pass_time(seconds=601)
        assert (await token.sign_in(service.phone())).json()["code"] == "certificate_refused"
        assert (place.asked, await last_reason(service)) == (2, "revoked")
        service.pass_time(seconds=601)
        place.content += bytes(1 << 20)
        answer = await token.sign_in(service.phone())
        assert (answer.status_code, answer.json()["code"]) == (503, "certificate_check_unavailable")
        await check(service.db, service.kit)
