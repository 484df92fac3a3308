"""Where the command begins: `ngomon` and `python -m ngomon`.

Everything else is imported inside, so that somebody who presses Ctrl-C in the first second reads one line.
"""

from __future__ import annotations

import gc
import sys

# What a command imports stays: looking through it for garbage was a quarter of its time. Said as this module is loaded,
# because each process of `serve --workers` loads it, and calls nothing of it.
LOOKED_AFTER = (50_000, 20, 50)
gc.set_threshold(*LOOKED_AFTER)


def main() -> None:
    """Run the command."""
    try:
        from ngomon.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.exit("ngomon: stopped")


if __name__ == "__main__":
    main()
