"""What a command raises that cannot do what was asked."""

from __future__ import annotations


class Wrong(Exception):
    """The command cannot do what was asked; the text is the one line that says why."""
