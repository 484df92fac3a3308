"""Environments for what others built: made at first use in a temporary folder, and no part of the product."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(tempfile.gettempdir()) / "ngomon-bench-peers"


class NotThere(Exception):
    """A peer could not be installed; its last line says why."""


def python_with(name: str, packages: Sequence[str]) -> Path:
    """A Python that has these packages; raises NotThere."""
    python = FOLDER / name / "bin/python"
    if not python.exists():
        _done([sys.executable, "-m", "venv", FOLDER / name])
        _done([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages])
    return python


def node_with(name: str, packages: Sequence[str]) -> Path:
    """A folder from which Node finds these packages; raises NotThere."""
    folder = FOLDER / name
    if not (folder / "node_modules").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true, "type": "module"}\n')
        _done(["npm", "install", "--silent", "--no-audit", "--no-fund", *packages], folder)
    return folder


def _done(command: Sequence[str | Path], folder: Path | None = None) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder, timeout=600)
    except (OSError, subprocess.SubprocessError) as error:
        said = str(getattr(error, "stderr", "") or error).strip().splitlines()
        raise NotThere(f"{Path(command[0]).name}: {said[-1] if said else error}") from error
