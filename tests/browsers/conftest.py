"""Firefox and WebKit, with and without scripts, before an office."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.browsers.windows import Window, firefox, webkit
from tests.service import Service
from tests.workspace.office import Office

BROWSERS = {"firefox": firefox, "webkit": webkit}


@pytest_asyncio.fixture(loop_scope="session")
async def office(service: Service) -> Office:
    """Two units with their managers."""
    made = Office(service)
    await made.open()
    return made


@pytest_asyncio.fixture(loop_scope="session", params=list(BROWSERS))
async def window(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Window]:
    """A browser that runs scripts."""
    async with BROWSERS[request.param](tmp_path, scripts=True) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session", params=list(BROWSERS))
async def bare(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Window]:
    """The same, which runs none."""
    async with BROWSERS[request.param](tmp_path, scripts=False) as opened:
        yield opened
