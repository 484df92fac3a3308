"""The real counterparts as fixtures of the whole run: each starts when the first test asks for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.parts.browser import chromium
from tests.parts.directory import Directory
from tests.parts.kannel import Kannel
from tests.parts.mailbox import MailboxPart
from tests.parts.oidc import OidcProvider
from tests.parts.postgres import Postgres
from tests.parts.scim import ScimServer


@pytest.fixture(scope="session")
def _postgres() -> Iterator[Postgres]:
    part = Postgres(durable=False)  # what is killed here are processes: what they wrote the system has
    part.start()
    yield part
    part.stop()


@pytest.fixture
def postgres(_postgres: Postgres) -> Postgres:
    """A PostgreSQL cluster that is up; `new_database(name)` for each test that wants one."""
    _postgres.start()
    return _postgres


@pytest.fixture(scope="session")
def _oidc_provider() -> Iterator[OidcProvider]:
    part = OidcProvider()
    part.start()
    yield part
    part.stop()


@pytest.fixture
def oidc_provider(_oidc_provider: OidcProvider) -> OidcProvider:
    """The e-ID, within reach and without faults."""
    _oidc_provider.reset()
    return _oidc_provider


@pytest.fixture(scope="session")
def _kannel() -> Iterator[Kannel]:
    part = Kannel()
    part.start()
    yield part
    part.stop()


@pytest.fixture
def kannel(_kannel: Kannel) -> Kannel:
    """Kannel and its SMS centre, in order and without messages."""
    _kannel.reset()
    return _kannel


@pytest.fixture(scope="session")
def _mailbox() -> Iterator[MailboxPart]:
    part = MailboxPart()
    part.start()
    yield part
    part.stop()


@pytest.fixture
def mailbox(_mailbox: MailboxPart) -> MailboxPart:
    """A desk's mailbox, empty, and a mail server that keeps what is sent."""
    _mailbox.reset()
    return _mailbox


@pytest.fixture(scope="session")
def _scim_server() -> Iterator[ScimServer]:
    part = ScimServer()
    part.start()
    yield part
    part.stop()


@pytest.fixture
def scim_server(_scim_server: ScimServer) -> ScimServer:
    """A downstream system, empty."""
    _scim_server.reset()
    return _scim_server


@pytest.fixture(scope="session")
def _directory() -> Iterator[Directory]:
    part = Directory()
    part.start()
    yield part
    part.stop()


@pytest.fixture
def directory(_directory: Directory) -> Directory:
    """slapd and Dovecot, up, and empty but for the places."""
    _directory.reset()
    return _directory


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium; each test opens its own context."""
    async with chromium() as running:
        yield running
