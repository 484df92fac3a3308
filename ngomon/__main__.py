"""Where the command begins: `ngomon` and `python -m ngomon`.

Everything else is imported inside, so that somebody who presses Ctrl-C in the first second reads one line.
"""

from __future__ import annotations

import gc
import os
import sys
from io import TextIOWrapper

# What a command imports stays: looking through it for garbage was a quarter of its time. Said as this module is loaded,
# because each process of `serve --workers` loads it, and calls nothing of it.
LOOKED_AFTER = (50_000, 20, 50)
gc.set_threshold(*LOOKED_AFTER)


def speak_anyhow() -> None:
    """Whoever closed the output wants none; letters that a screen does not have are said by their numbers."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            unheard = open(os.devnull, "w", errors="backslashreplace")  # noqa: PTH123, SIM115 - until the end
            setattr(sys, name, unheard)
        elif isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def main() -> None:
    """Run the command."""
    speak_anyhow()
    try:
        from ngomon.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.exit("ngomon: stopped")


if __name__ == "__main__":
    main()
