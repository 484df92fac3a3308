"""Addresses of PostgreSQL beside the plain one: of two hosts the one that writes, TLS, a socket (rule 1002).

SQLAlchemy's connections, the one that listens and those of the hot question are made in three places, of one address.
"""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from sqlalchemy import text

from backend.hosts import REST
from backend.trouble import StorageTrouble
from tests import databases
from tests.parts.postgres import Postgres
from tests.parts.processes import eventually, free_port, scratch
from tests.service import running


@pytest.fixture(scope="module")
def encrypted() -> Iterator[Postgres]:
    """A cluster that also speaks TLS."""
    folder = scratch("postgres-tls")
    certificate(folder)
    more = {"ssl": "on", "ssl_cert_file": str(folder / "cert.pem"), "ssl_key_file": str(folder / "key.pem")}
    cluster = Postgres(durable=False, more=more)
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.mark.parametrize("kind", ["two hosts", "tls", "socket"])
async def test_everything_that_connects_reads_an_address_alike(encrypted: Postgres, kind: str) -> None:
    name = kind.replace(" ", "_")
    databases.postgres(encrypted, name)
    there, nobody = f"127.0.0.1:{encrypted.port}", f"127.0.0.1:{free_port()}"
    address = {
        "two hosts": f"postgresql+asyncpg://postgres@/{name}?host={there}&host={nobody}&target_session_attrs=read-write",
        "tls": f"postgresql+asyncpg://postgres@{there}/{name}?ssl=require",
        "socket": f"postgresql+asyncpg://postgres@/{name}?host={encrypted.folder}&port={encrypted.port}",
    }
    async with running(address[kind]) as service:
        phone = await service.sign_in()
        assert (await phone.call("GET", "/v1/me")).status_code == 200, "the hot question"
        await eventually(lambda: service.app.bell.crosses, what="the bell that hears other processes")
        async with service.db.read() as tx:
            query = "SELECT bool_or(NOT ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE datname = :name"
            plain = await tx.scalar(text(query), {"name": name})
        assert plain is (kind == "socket")


async def test_while_no_host_writes_everybody_is_told_to_come_back(encrypted: Postgres) -> None:
    """Between the death of one and the promotion of the other."""
    databases.postgres(encrypted, "promoted")
    there = f"host=127.0.0.1:{encrypted.port}"
    url = f"postgresql+asyncpg://postgres@/promoted?{there}&{there}&target_session_attrs=read-write"
    async with running(url) as service:
        phone = await service.sign_in()
        encrypted.say("ALTER DATABASE promoted SET default_transaction_read_only = on")
        encrypted.say("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'promoted'")
        answer = await phone.call("GET", "/v1/me")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5"), answer.text
        with pytest.raises(StorageTrouble):
            async with service.db.write():
                pass
        encrypted.say("ALTER DATABASE promoted RESET default_transaction_read_only")
        await asyncio.sleep(REST)  # in which nobody asks the hosts again
        assert (await phone.call("GET", "/v1/me")).status_code == 200
        await eventually(lambda: service.app.bell.crosses, what="the bell again", patience=20)


def certificate(folder: Path) -> None:
    """Of itself, for 127.0.0.1."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(hours=1))
    signed = made.not_valid_after(now + timedelta(days=1)).sign(key, hashes.SHA256())
    (folder / "cert.pem").write_bytes(signed.public_bytes(Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    (folder / "key.pem").chmod(0o600)
    if os.geteuid() == 0:  # PostgreSQL runs as somebody else then
        owner = "postgres" if "postgres" in {one.pw_name for one in pwd.getpwall()} else "nobody"
        for file in (folder, folder / "cert.pem", folder / "key.pem"):
            shutil.chown(file, owner)
