"""docs/problems.md: the words of failed deliveries, between two marks; the rest is written by hand."""

from __future__ import annotations

from pathlib import Path

from ngomon.delivery_words import CAUSES, Cause

PAGE = Path(__file__).resolve().parent.parent / "docs/problems.md"
BEGIN, END = "<!-- words: make docs -->\n", "<!-- end of words -->\n"


def problems_page() -> str:
    """The page with the table as the code has it."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    head = "| code | concerns | when | what to do |\n|---|---|---|---|\n"
    return f"{before}{BEGIN}{head}{''.join(map(_row, CAUSES))}{END}{rest.partition(END)[2]}"


def _row(cause: Cause) -> str:
    words = ", ".join(f"`{word}`" for word in cause.words)
    return f"| {words} | {cause.concerns} | {cause.when} | {cause.remedy} |\n"
