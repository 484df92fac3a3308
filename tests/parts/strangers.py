"""A connector of somebody else's, as its users get it: built and installed by pip, found by its own metadata alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.outside.connectors import kinds
from tests.parts.processes import ROOT

SOURCE = ROOT / "tests/parts/csv_drop"
KEY = "a-key-for-tests-only"


def installed(folder: Path) -> Path:
    """The package in a folder of its own, for a path of modules; nothing is fetched from anywhere."""
    place = folder / "site"
    words = ("install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation", "--target", place)
    done = subprocess.run(
        [sys.executable, "-m", "pip", *map(str, words), str(SOURCE)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return place


@contextmanager
def present(place: Path) -> Iterator[None]:
    """This process finds what is installed there, until the block ends."""
    sys.path.insert(0, str(place))
    kinds.forget()
    try:
        yield
    finally:
        sys.path.remove(str(place))
        sys.modules.pop("ngomon_csv_drop", None)
        kinds.forget()


def drop(folder: Path) -> Path:
    """A folder that whoever reads it has marked."""
    place = folder / "drop"
    place.mkdir()
    (place / "ngomon-drop").touch()
    return place
