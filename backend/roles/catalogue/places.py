"""Where in a TOML file a table and a key stand: the parser says what a file means, and not in which line."""

from __future__ import annotations

import re

HEADING = re.compile(r"\s*\[\[?\s*([\w.-]+)\s*\]\]?")
KEY = re.compile(r"\s*([\w-]+)\s*=")

Path = tuple[str | int, ...]  # ("subject_types", 0, "fields", 2, "label"), counted from nought


class Places:
    """The lines of a file's headings and keys; what is written inline stands where its key does."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {}
        here: Path = ()
        counts: dict[Path, int] = {}
        last: dict[str, Path] = {}  # of each heading the newest table
        for number, line in enumerate(text.splitlines(), start=1):
            if heading := HEADING.match(line):
                above, _, name = heading[1].rpartition(".")
                first: Path = (*last.get(above, (above,) if above else ()), name)
                count = counts[first] = counts.get(first, -1) + 1
                here = last[heading[1]] = (*first, count)
                self._lines.setdefault(first, number)
                self._lines.setdefault(here, number)
            elif key := KEY.match(line):
                self._lines.setdefault((*here, key[1]), number)

    def line(self, path: Path) -> int:
        """The line of what is there, or of the nearest thing around it."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)
