"""Where the figures go: one JSON line each, printed and kept in bench/results/."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "results"


def record(name: str, **figures: Any) -> dict[str, Any]:
    """Print and keep one line; `at` is UTC."""
    line = {"bench": name, "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **figures}
    text = json.dumps(line, ensure_ascii=False)
    print(text, flush=True)
    FOLDER.mkdir(exist_ok=True)
    with (FOLDER / f"{name}.jsonl").open("a", encoding="utf-8") as file:
        file.write(text + "\n")
    return line
