"""Clients made from the OpenAPI document by the generators that app developers use; nothing comes from the network."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.parts.processes import ROOT, node

DOCUMENT = ROOT / "docs/openapi.json"
PYTHON = "ngomon_client"
CLIENT = ROOT / "clients/typescript"
TSC = ROOT / "node_modules/typescript/bin/tsc"


def run(*command: str | Path, folder: Path) -> str:
    """What a program says; fails with it when the program does."""
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def python(folder: Path) -> tuple[Path, str]:
    """openapi-python-client: the folder that holds the package, and what the generator said."""
    settings = {"package_name_override": PYTHON, "project_name_override": PYTHON, "post_hooks": []}
    (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--path", str(DOCUMENT)]
    said = run(*command, "--output-path", "python", "--config", "settings.json", folder=folder)
    return folder / "python", said


def typescript(folder: Path) -> Path:
    """openapi-typescript: the file of types."""
    made = folder / "api.ts"
    run(node(), ROOT / "node_modules/openapi-typescript/bin/cli.js", DOCUMENT, "-o", made, folder=folder)
    return made


def compile_types(folder: Path, files: Sequence[Path], *options: str) -> None:
    """The TypeScript compiler, as strict as it can be."""
    strict = [
        "--strict",
        "--noUncheckedIndexedAccess",
        "--exactOptionalPropertyTypes",
        "--noEmit",
        "--pretty",
        "false",
    ]
    modern = [
        "--target",
        "es2022",
        "--module",
        "esnext",
        "--moduleResolution",
        "bundler",
        "--lib",
        "es2022,dom",
    ]
    run(node(), TSC, *strict, *modern, *options, *files, folder=folder)
