"""docs/personal-data.md: the table of how long each row lives, between two marks; the rest is written by hand."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import ngomon.tables  # noqa: F401
from backend import sealed
from backend.retention import GoesWith, Life, Stays, lives_of

PAGE = Path(__file__).resolve().parent.parent / "docs/personal-data.md"
BEGIN, END = "<!-- lives: make docs -->\n", "<!-- end of lives -->\n"


def personal_data_page() -> str:
    """The page with the table as the models have it."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    return f"{before}{BEGIN}{_table()}{END}{rest.partition(END)[2]}"


def _table() -> str:
    models = sorted(sealed.models(), key=lambda model: str(model.__tablename__))
    ends = [model for model in models if not isinstance(model.retention, Stays)]
    stays = [model for model in models if isinstance(model.retention, Stays)]
    lines = ["| rows of | live |", "|---|---|", *(_line(model, _until(model)) for model in ends), ""]
    lines += [
        "| rows of | stay, because |",
        "|---|---|",
        *(_line(model, model.retention.why) for model in stays),
    ]
    return "\n".join(lines) + "\n"


def _line(model: type[Any], words: str) -> str:
    return f"| `{model.__tablename__}` | {words} |"


def _until(model: type[Any]) -> str:
    if isinstance(model.retention, GoesWith):
        return f"as long as their row of `{model.retention.via}`"
    return "; ".join(_life(life) for life in lives_of(model))


def _life(life: Life) -> str:
    long = f"`NGOMON_LIMIT_{life.lasts.upper()}`" if isinstance(life.lasts, str) else _long(life.lasts)
    only = f", where `{life.where}`" if life.where else ""
    return f"until `{life.after}`{only}" if not long else f"{long} after `{life.after}`{only}"


def _long(time: timedelta) -> str:
    for seconds, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if time and time.total_seconds() % seconds == 0:
            count = int(time.total_seconds()) // seconds
            return f"{count} {unit if count > 1 else unit[:-1]}"
    return ""
