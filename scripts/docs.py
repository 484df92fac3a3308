"""Writes the API reference that the product itself answers at /schema; with --check it only compares.

The committed copy makes every change of the contract a line that somebody reads.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from backend.settings import load, with_keys
from ngomon.app import create_app

TARGET = Path(__file__).resolve().parent.parent / "docs/openapi.json"


def main(arguments: Sequence[str]) -> int:
    """Write or check; a difference is an error that says what to do."""
    now = openapi()
    if "--check" in arguments:
        if not TARGET.exists() or TARGET.read_text(encoding="utf-8") != now:
            print("docs/openapi.json is not what the code says: run `make docs` and commit it", file=sys.stderr)
            return 1
        return 0
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(now, encoding="utf-8")
    print(f"wrote {TARGET.name}: {len(json.loads(now)['paths'])} paths")
    return 0


def openapi() -> str:
    """The description of every call, with the defaults of the demo."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load({"NGOMON_DATABASE_URL": f"sqlite+aiosqlite:///{folder}/docs.db"})
        schema = create_app(with_keys(settings)).litestar.openapi_schema.to_schema()
    return json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
