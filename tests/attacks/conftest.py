"""What the attacks share: a service that trusts an e-ID gone bad."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio

from tests.attacks.evil import EvilProvider, evil_provider
from tests.checker import check
from tests.conftest import DATABASES
from tests.parts.postgres import Postgres
from tests.service import Service, running


class Hostile:
    """The service and the provider that it believes."""

    def __init__(self, service: Service, evil: EvilProvider) -> None:
        self.service, self.evil = service, evil
        evil.clock = service.clock


def trusting(evil: EvilProvider, *, patience: int = 1) -> dict[str, str]:
    """The settings of a service that believes this provider and waits so many seconds for it."""
    return {
        "NGOMON_VNEID_ISSUER": evil.issuer,
        "NGOMON_VNEID_CLIENT_ID": "ngomon",
        "NGOMON_VNEID_CLIENT_SECRET": "secret",
        "NGOMON_LIMIT_PROVIDER_TIMEOUT": str(patience),
    }


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _hostiles(
    _postgres: Postgres,  # which must outlive them: they are looked at when the session ends
) -> AsyncIterator[tuple[AsyncExitStack, dict[str, Hostile]]]:
    async with AsyncExitStack() as stack:
        known: dict[str, Hostile] = {}
        yield stack, known
        for hostile in known.values():
            await check(hostile.service.db, hostile.service.kit)


@pytest_asyncio.fixture(params=DATABASES, loop_scope="session")
async def hostile(
    request: pytest.FixtureRequest, _hostiles: Any, tmp_path_factory: pytest.TempPathFactory
) -> Hostile:
    """Once on each database; the provider behaves until a test says otherwise. Invariants are checked at the end."""
    stack, known = _hostiles
    kind = request.param
    if kind not in known:
        if kind == "sqlite":
            url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('hostile') / 'ngomon.db'}"
        else:
            part: Postgres = request.getfixturevalue("postgres")
            url = part.new_database("hostile")
        evil = await stack.enter_async_context(evil_provider())
        known[kind] = Hostile(await stack.enter_async_context(running(url, **trusting(evil))), evil)
    found: Hostile = known[kind]
    found.evil.reset()
    return found
