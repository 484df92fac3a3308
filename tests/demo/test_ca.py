"""The demo's tokens: invented holders only, a PIN, and nothing signed but sign-in challenges."""

from __future__ import annotations

from pathlib import Path

from backend.outside.clock import Clock
from demo.ca import StandInCa
from tests.service import Service
from tests.signer import Token


async def test_the_demos_tokens_want_a_pin_and_sign_challenges_only(service: Service) -> None:
    token = await Token.issued(service, "citizen", service.person().national_id)
    post = service.http.post
    good = {"key_id": token.key_id, "challenge": "NGOMON SIGN-IN v1\n…", "pin": "000000"}
    assert (await post("/demo/signing/signatures", json=good)).status_code == 200
    for change, status in (({"pin": "12345"}, 400), ({"challenge": "a" * 64}, 422), ({"key_id": "0"}, 404)):
        assert (await post("/demo/signing/signatures", json=good | change)).status_code == status
    for identifier in (
        "00190000001",
        "A00190000001",
        "CMND:000190000001",
        "MST:0001234567",
        "",
        "٠٠٠190000001",
    ):
        body = {"kind": "citizen", "identifier": identifier, "name": "Thử"}
        assert (await post("/demo/signing/certificates", json=body)).status_code == 422
    cross = {"Sec-Fetch-Site": "cross-site"}
    assert (await post("/demo/signing/signatures", json=good, headers=cross)).status_code in (400, 403)


def test_an_authority_and_its_tokens_outlive_a_restart(tmp_path: Path) -> None:
    file, clock = tmp_path / "ngomon.system-ca.json", Clock()
    first = StandInCa("http://127.0.0.1/demo/ca", clock, file)
    token = first.issue("citizen", "000190000001", "Lê Thị Ký")
    assert file.stat().st_mode & 0o077 == 0
    again = StandInCa("http://127.0.0.1/demo/ca", clock, file)
    assert again.root_pem == first.root_pem
    assert again.sign(token.key_id, "x") and again.revoke(token.key_id)
    assert StandInCa("http://127.0.0.1/demo/ca", clock, file).revoke(token.key_id)
    assert not again.revoke("0") and again.sign("0", "x") is None
