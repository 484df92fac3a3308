"""Writes the bare name beside every pin that carries extras: `make lock` calls it last.

A pip that is as old as Debian 12's meets the bare name first when a package asks for it without extras, does not see
that `name[extra]==1.0` pins it, takes the newest release there is, and refuses that because its hash is not listed.
The lock works, so, until the day that somebody releases a newer one.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

BLOCK = re.compile(r"(?m)^(?=[a-z0-9])")
EXTRAS = re.compile(r"^([a-z0-9-]+)\[[a-z0-9,_-]+\](?===)")


def with_bare_names(text: str) -> str:
    """A requirement file in which every pin with extras follows the same pin without."""
    blocks = BLOCK.split(text)
    there = set(blocks)
    lines = []
    for block in blocks:
        bare = EXTRAS.sub(r"\1", block)
        lines += [block] if bare in there else [bare, block]
    return "".join(lines)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        page = Path(name)
        page.write_text(with_bare_names(page.read_text(encoding="utf-8")), encoding="utf-8")
