"""Every measurement with short settings: what `make bench` runs; full figures are in README.md."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

SHORT = {
    "one_device": ["--rounds", "50"],
    "one_code": ["--rounds", "30"],
    "sign_in": ["--flows", "60"],
    "code_peers": ["--flows", "60"],
    "one_word": ["--rounds", "20", "--seconds", "180"],
    "words_long": ["--rounds", "20", "--seconds", "120"],
    "crash": ["--approvals", "30", "--transfers", "15"],
    "failover": ["--people", "24", "--phones", "8"],
    "moves": ["--people", "22", "--every", "6"],
    "me": ["--rounds", "3", "--requests", "4000", "--no-peer"],
    "inbox_weight": [],
    "looks": ["--only", "workspace-p0", "verify"],
    "lighthouse": ["--rounds", "1"],
    "walk": ["--count", "20"],
    "case_codes": ["--count", "500"],
    "timing": ["--calls", "100"],
    "envelope": ["--calls", "500"],
    "imports": ["--rows", "2000", "--busy", "1"],
    "pumping": ["--numbers", "1500", "--known", "20"],
    "floods": ["--owners", "2"],
    "delivery": ["--people", "150", "--rows", "1000", "20000"],
    "headers": ["--seconds", "5"],
    "http_clients": ["--posts", "1000", "--at-once", "8"],
    "reorganise": ["--people", "300"],
    "reconcile": ["--people", "300"],
    "behind": ["--waiting", "3000", "--settled", "300", "--count", "20"],
    "trouble": ["--changes", "600", "--people", "200", "--every", "60"],
    "keeping": ["--rows", "20000"],
    "rest": ["--seconds", "20"],
    "trips": [],
    "queue_peers": ["--jobs", "500"],
    "table": ["--short"],
    "growth": [
        "--open",
        "100",
        "5000",
        "--people",
        "100",
        "1000",
        "--journal",
        "1000",
        "10000",
        "--others",
        "0",
    ],
}

IN_TABLE = ("me", "sign_in", "code_peers", "delivery", "queue_peers", "rest", "trips")  # each is done once


def one(words: list[str]) -> int:
    """Run the named measurement with its options."""
    if not words or words[0] not in SHORT:
        print(f"usage: python -m bench {{{','.join(SHORT)}}} [options]", file=sys.stderr)
        return 2
    importlib.import_module(f"bench.{words[0]}").main(words[1:])
    return 0


def main(names: list[str]) -> int:
    """Run the named ones, or all, with short settings."""
    unknown = set(names) - set(SHORT)
    if unknown:
        print(f"no such measurement: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    for name in names or [name for name in SHORT if name not in IN_TABLE]:
        print(f"# {name}", flush=True)
        one([name, *SHORT[name]])
    return 0


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    sys.exit(main(sys.argv[1:]))
