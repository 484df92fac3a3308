"""Where the command begins: `ngomon` and `python -m ngomon`.

Everything else is imported inside, so that somebody who presses Ctrl-C in the first second reads one line.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command."""
    try:
        from ngomon.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.exit("ngomon: stopped")


if __name__ == "__main__":
    main()
