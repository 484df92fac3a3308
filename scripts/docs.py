"""Writes the reference pages that the code itself can tell; with --check it only compares.

The committed copies make every change of the API's contract, and of what the journal
remembers, a line that somebody reads.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from backend.facts import Fact, vocabulary
from backend.settings import load, with_keys
from ngomon.app import create_app
from scripts.promises import attacks_page, rules_page

DOCS = Path(__file__).resolve().parent.parent / "docs"
FACTS_HEAD = """# What the journal remembers

One line per kind of fact, written by `make docs` from `backend/facts/`. Every fact also has the time, the
account that acted (nothing for the machine), `subject`, the account that it is about, and `operator`, who ran the
command that did it (the machine's account, and the name given with `--by`). Otherwise facts hold identifiers
and codes only: no name, number, phone, code, token or free text. `ngomon audit verify` walks the chain.

| fact | means | holds |
|---|---|---|
"""


def main(arguments: Sequence[str]) -> int:
    """Write or check; a difference is an error that says what to do."""
    pages = {
        "openapi.json": openapi(),
        "facts.md": facts(),
        "rules.md": rules_page(),
        "attacks.md": attacks_page(),
    }
    if "--check" in arguments:
        old = [name for name, text in pages.items() if not _is(DOCS / name, text)]
        for name in old:
            print(f"docs/{name} is not what the code says: `make docs`, and commit it", file=sys.stderr)
        return 1 if old else 0
    DOCS.mkdir(exist_ok=True)
    for name, text in pages.items():
        (DOCS / name).write_text(text, encoding="utf-8")
        print(f"wrote docs/{name}")
    return 0


def openapi() -> str:
    """The description of every call, with the defaults of the demo."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load({"NGOMON_DATABASE_URL": f"sqlite+aiosqlite:///{folder}/docs.db"})
        schema = create_app(with_keys(settings)).litestar.openapi_schema.to_schema()
    return json.dumps(schema, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def facts() -> str:
    """The vocabulary of the journal as one table."""
    return FACTS_HEAD + "".join(_line(tag, kind) for tag, kind in sorted(vocabulary().items()))


def _line(tag: str, kind: type[Fact]) -> str:
    holds = [f"`{name}`" for name in kind.__struct_fields__ if name not in ("subject", "operator")]
    return f"| `{tag}` | {' '.join((kind.__doc__ or '').split())} | {', '.join(holds) or '–'} |\n"


def _is(page: Path, text: str) -> bool:
    return page.exists() and page.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
