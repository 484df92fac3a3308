"""Which authorities are trusted is the operator's word: another one than the demo's, or none (rule 1001)."""

from __future__ import annotations

from pathlib import Path

import structlog

from tests.authority import serving, subject
from tests.checker import check
from tests.service import running
from tests.signer import Token, facts, last_reason


async def test_the_configured_authority_is_trusted_and_the_demos_own_no_longer(tmp_path: Path) -> None:
    async with serving() as authority:
        (tmp_path / "cas.pem").write_bytes(authority.ca.root_pem)
        url = f"sqlite+aiosqlite:///{tmp_path}/ngomon.db"
        async with running(url, NGOMON_TRUSTED_CAS=str(tmp_path / "cas.pem")) as service:
            certificate, key = authority.leaf(subject("MST:0001234567-999", "Công ty Thử"))
            token = Token(service, certificate, key=key)
            _, done = await token.register(service.phone(), "enterprise", email="a@congty.example")
            assert done is not None and done.status_code == 200
            assert (await token.sign_in(service.phone())).status_code == 200
            demo = await Token.issued(service, "citizen", service.person().national_id)
            assert (await demo.sign_in(service.phone())).json()["code"] == "certificate_refused"
            assert await last_reason(service) == "untrusted"
            await check(service.db, service.kit)


async def test_the_emergency_switch_is_loud(tmp_path: Path) -> None:
    async with serving() as authority:
        (tmp_path / "cas.pem").write_bytes(authority.ca.root_pem)
        url, file = f"sqlite+aiosqlite:///{tmp_path}/ngomon.db", str(tmp_path / "cas.pem")
        certificate, key = authority.leaf()
    switched = {"NGOMON_TRUSTED_CAS": file, "NGOMON_CERTIFICATE_UNCHECKED": "true"}
    with structlog.testing.capture_logs() as told:  # the authority is gone by now
        async with running(url, **switched) as service:
            token = Token(service, certificate, key=key)
            _, done = await token.register(service.phone(), "citizen")
            assert done is not None and done.status_code == 200
            assert [one["checked_by"] for one in await facts(service, "certificate.used")] == ["unchecked"]
    warned = [one["event"] for one in told if one["log_level"] == "warning"]
    assert warned.count("emergency_switch") == 1
    assert warned.count("certificate_accepted_unchecked") == 1
