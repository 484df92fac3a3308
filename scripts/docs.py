"""Writes what the code itself can tell: the reference pages, and our TypeScript client as the demo's phone runs it.

With --check it only compares.

The committed copies make every change of the API's contract, and of what the journal
remembers, a line that somebody reads.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from backend.environment import load, with_keys
from backend.facts import Fact, vocabulary
from ngomon.app import create_app
from ngomon.schema import described
from scripts.events import events_page
from scripts.lives import personal_data_page
from scripts.problems import problems_page
from scripts.promises import attacks_page, rules_page
from scripts.setup import find_npm

ROOT = Path(__file__).resolve().parent.parent
CLIENT = "demo/phone/client"
MADE = "// Made by `make docs` from clients/typescript/src/{}.ts\n"
TSC = ROOT / "node_modules/typescript/bin/tsc"
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
        "docs/openapi.json": openapi(),
        "docs/facts.md": facts(),
        "docs/rules.md": rules_page(),
        "docs/attacks.md": attacks_page(),
        "docs/personal-data.md": personal_data_page(),
        "docs/events.md": events_page(),
        "docs/problems.md": problems_page(),
        **client(),
    }
    if "--check" in arguments:
        old = [name for name, text in pages.items() if not _is(ROOT / name, text)]
        for name in old:
            print(f"{name} is not what the code says: `make docs`, and commit it", file=sys.stderr)
        return 1 if old else 0
    for name, text in pages.items():
        (ROOT / name).parent.mkdir(exist_ok=True)
        (ROOT / name).write_text(text, encoding="utf-8")
        print(f"wrote {name}")
    return 0


def client() -> dict[str, str]:
    """The modules of clients/typescript without their types, by the name of the file that the phone loads.

    They are committed, so that `make run` needs no compiler.
    """
    with tempfile.TemporaryDirectory() as folder:
        npm = find_npm()
        assert npm is not None, "no node of version 20 or newer: `make test` brings one"
        said = (TSC, "-p", ROOT / "clients/typescript", "--outDir", folder, "--declaration", "false")
        subprocess.run([Path(npm).with_name("node"), *said], check=True)
        return {
            f"{CLIENT}/{file.name}": MADE.format(file.stem) + file.read_text(encoding="utf-8")
            for file in sorted(Path(folder).glob("*.js"))
        }


def openapi() -> str:
    """The description of every call, with the defaults of the demo."""
    with tempfile.TemporaryDirectory() as folder:
        settings = load({"NGOMON_DATABASE_URL": f"sqlite+aiosqlite:///{folder}/docs.db"})
        schema = described(create_app(with_keys(settings)).litestar)
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
