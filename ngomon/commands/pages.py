"""Lists that are shown page by page: how the next one is asked for, and a place that is none (rule 912)."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from contextlib import contextmanager

from backend.paging import CursorInvalid
from ngomon.commands import out
from ngomon.commands.wrong import Wrong

MOST = 200  # lines at once


@contextmanager
def placed() -> Iterator[None]:
    """What no page of this list has named is one line for the operator."""
    try:
        yield
    except CursorInvalid as refusal:
        raise Wrong("--after is none of the places that this list has named") from refusal


def more(place: object, option: str = "--after") -> None:
    """The last line of a page that is not the last, as a shell takes it."""
    out.print(f"more: {option} {shlex.quote(str(place))}", soft_wrap=True)
