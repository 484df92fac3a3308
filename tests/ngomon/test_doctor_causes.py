"""`ngomon doctor` tells causes apart, and speaks of nothing that is not used (cases O08, O21)."""

from __future__ import annotations

import secrets
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.ngomon.test_doctor import Seen, examine, named
from tests.ngomon.test_role_commands import run
from tests.parts.oidc import OidcProvider
from tests.parts.processes import free_port
from tests.parts.tls import own_certificate

__all__ = ["examine", "run"]


@pytest.fixture
def untrusted(tmp_path: Path) -> Iterator[int]:
    """A port behind TLS, with a certificate of nobody's authority."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(own_certificate(tmp_path, "127.0.0.1"))
    with socket.create_server(("127.0.0.1", 0)) as server:

        def take() -> None:
            while True:
                try:
                    caller = server.accept()[0]
                except OSError:
                    return
                with suppress(OSError):
                    tls.wrap_socket(caller, server_side=True).close()

        threading.Thread(target=take, daemon=True).start()
        yield int(server.getsockname()[1])
        server.shutdown(socket.SHUT_RDWR)


def test_o08_o21_the_cause_is_told_and_only_what_is_used(
    examine: Callable[..., Seen], untrusted: int
) -> None:
    well, said = examine(
        PROFILE="production",
        PUBLIC_URL="https://cong.example",
        DATABASE_URL=f"postgresql+asyncpg://ngomon@127.0.0.1:{free_port()}/x",
        ALLOWED_PRIVATE_HOSTS="127.0.0.1",
        METRICS_TOKEN=secrets.token_hex(16),
        VNEID_ISSUER=f"https://127.0.0.1:{untrusted}",
        VNEID_CLIENT_ID="cong",
        VNEID_CLIENT_SECRET="secret",
        SUBSCRIBERS_URL="https://10.1.2.3",
        SOCIAL_INSURANCE_URL="https://nobody.invalid",
        SMS_URL="kannel://user:tests-only@10.1.2.3:13013/?from=HUE-S",
        SUPPORT_IMAP_URL=f"imaps://user:tests-only@127.0.0.1:{untrusted}/INBOX",
    )
    assert not well
    unlisted = (
        "it is private, not encrypted or at an odd port, and NGOMON_ALLOWED_PRIVATE_HOSTS does not list it"
    )
    assert said["VNeID"].startswith(
        "fail VNeID: provider_unavailable: its TLS certificate is not trusted (self"
    )
    assert "its TLS certificate is not trusted (self" in said["mailbox (IMAP)"]
    assert said["subscriber registry"] == f"fail subscriber registry: address_refused: {unlisted}"
    assert said["SMS"] == f"fail SMS: address_refused: {unlisted}"
    assert said["social insurance"].endswith("unreachable: its host has no address")
    assert said["push"].startswith("- push: not configured: nobody is pushed anything")
    assert said["database"].startswith("fail") and "SQLite" not in said, "only the engine in use is named"


def test_o08_an_e_id_whose_token_endpoint_is_broken_is_not_well(
    examine: Callable[..., Seen], oidc_provider: OidcProvider
) -> None:
    assert examine(**named(oidc_provider, "VNEID"))[0]
    oidc_provider.answer_with({"/token": 500})
    well, said = examine(**named(oidc_provider, "VNEID"))
    assert not well
    assert said["VNeID"] == f"fail VNeID: token 127.0.0.1:{oidc_provider.port} answers 500"
