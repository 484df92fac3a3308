"""Earlier releases of the product as they were, from the repository's history: served beside the one of today."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

from tests.parts.processes import ROOT, Part, listens, scratch

RELEASES = {"0.1.0": "dadcc07", "0.2.0": "5ac549b"}
THEN = ("-c", "from ngomon.cli import main; main()")
NOW = ("-m", "ngomon")
VENDOR = "workspace/static/vendor"
SAFELY: Any = (
    {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
)  # 3.11.4 brought it, Debian 12 has 3.11.2


def tree_of(release: str) -> Path | None:
    """Its files in a folder of their own; nothing where the history is not here (a shallow clone)."""
    words = ["git", "-C", str(ROOT), "archive", "--format=tar", RELEASES[release]]
    done = subprocess.run(words, capture_output=True, check=False)
    if done.returncode != 0:
        return None
    folder = scratch(f"release-{release}")
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as packed:
        packed.extractall(folder, **SAFELY)
    shutil.copytree(ROOT / VENDOR, folder / VENDOR, dirs_exist_ok=True)
    return folder


class Serving:
    """One process of a release, of today's where no folder is given, over a database."""

    def __init__(self, name: str, tree: Path | None, settings: dict[str, str], *words: str) -> None:
        self.name, self._settings = name, settings | {"PYTHONPATH": str(tree or ROOT)}
        self._command = [sys.executable, "-P", *(THEN if tree else NOW)]
        self._part = Part(name, [*self._command, *words], environment=self._settings)

    def start(self, port: int) -> None:
        """Until it listens there."""
        self._part.start(lambda: listens(port), patience=120)

    def stop(self) -> None:
        """As a service manager does: SIGTERM, and what is under way ends."""
        self._part.stop()

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A short command of the same release over the same database."""
        program = [*self._command, *words]
        return subprocess.run(
            program, cwd=ROOT, env=self._part.environment, capture_output=True, text=True, check=False
        )
