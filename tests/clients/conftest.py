"""Our own client, compiled once for the tests of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.clients import generators
from tests.parts.processes import node


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the client as the compiler makes it, by the client's own settings."""
    folder = tmp_path_factory.mktemp("typescript")
    generators.run(
        node(), generators.TSC, "-p", generators.CLIENT, "--outDir", folder / "dist", folder=folder
    )
    (folder / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    return folder
