"""`python -m bench NAME [options]`; `python -m bench` lists the names."""

from __future__ import annotations

import sys

from bench import run

if __name__ == "__main__":
    sys.exit(run.one(sys.argv[1:]))
