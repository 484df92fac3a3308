"""The second provider takes every flavour that the first takes (rule 403)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from backend.crypto import KeyRing, new_secret_key
from backend.environment import load
from backend.settings import STAND_INS
from ngomon.migrations import migrate
from tests.attacks.problems import refused
from tests.attacks.test_eid_flavours import called_back
from tests.checker import check
from tests.conftest import DATABASES
from tests.parts.postgres import Postgres
from tests.parts.processes import free_port
from tests.phone import Phone
from tests.service import Service, served


@pytest_asyncio.fixture(
    params=[(kind, flavour) for kind in DATABASES for flavour in ("portal", "vneid_direct")],
    ids="-".join,
    loop_scope="session",
)
async def office(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Service]:
    """A service whose post office is the simulator of another flavour."""
    kind, flavour = request.param
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (tmp_path / "key.pem").write_bytes(key.private_bytes(pem, pkcs8, serialization.NoEncryption()))
    database = f"sqlite+aiosqlite:///{tmp_path / 'ngomon.db'}"
    if kind == "postgres":
        part: Postgres = request.getfixturevalue("postgres")
        database = part.new_database(f"office_{flavour}")
    port = free_port()
    public = f"http://127.0.0.1:{port}"
    told = {
        "DATABASE_URL": database,
        "PUBLIC_URL": public,
        "SECRET_KEYS": new_secret_key(),
        "VNEID_ENVELOPE_KEY": str(tmp_path / "key.pem"),  # the simulator seals for whoever has this key
        "POST_OFFICE_ENVELOPE_KEY": str(tmp_path / "key.pem"),
        "POST_OFFICE_FLAVOUR": flavour,
        "POST_OFFICE_ISSUER": public + STAND_INS[flavour],
        "POST_OFFICE_CLIENT_ID": "ngomon-demo",
        "POST_OFFICE_CLIENT_SECRET": "demo",
        "POST_OFFICE_REDIRECT_URI": f"{public}/app/vneid",  # which the simulators know
        "OTP_PER_ADDRESS_PER_HOUR": "0",
    }
    settings = load({f"NGOMON_{name}": value for name, value in told.items()})
    await migrate(settings.database_url, KeyRing.parse(settings.secret_keys))
    async with served(settings, port) as service:
        yield service
        await check(service.db, service.kit)


async def begin(phone: Phone) -> dict[str, str]:
    about = {"platform": "android", "name": "Điện thoại", "model": "Mẫu 1"}
    answer = await phone.open("/v1/logins", {"method": "post_office", "device": about})
    assert answer.status_code == 201, answer.text
    started: dict[str, str] = answer.json()
    return started


async def test_what_does_not_verify_is_refused_and_whoever_gets_in_has_level_two(office: Service) -> None:
    phone, person, number = office.phone(), office.person(level=1), office.mobile_number()
    started = await begin(phone)
    address = await called_back(office, started["authorization_url"], person)
    spoilt = {"callback_url": address.replace("code=", "code=x")}
    refused(await phone.bring(started["id"], spoilt), 403, "login_refused")

    started = await begin(phone)
    address = await called_back(office, started["authorization_url"], person)
    answer = await phone.bring(started["id"], {"callback_url": address})
    assert answer.json()["step"] == "phone", answer.text
    await phone.open(f"/v1/logins/{started['id']}/phone", {"phone": number})
    done = await phone.open(f"/v1/logins/{started['id']}/otp", {"code": office.code_for(number)})
    phone.keep(done.json())
    assert (await phone.call("GET", "/v1/me")).json()["assurance_level"] == 2
