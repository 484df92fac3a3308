"""How much of a list has come, and whether that is all of it: a page, or a total, is only what somebody says.

A system may count one page for the whole, name no total, give the first page for every one, or begin elsewhere than
asked. What is not all of it is no list: whoever is not on it may be there.
"""

from __future__ import annotations

from collections.abc import Sequence

from backend.outside.connectors import DeliveryError
from backend.outside.connectors.scim.words import Changed, Resource, Vanished, pick, text_of


class Reading:
    """One list while it is read, page by page; `seen` counts what came, also what came twice."""

    def __init__(self) -> None:
        self.seen = 0
        self.is_asking_beyond = False  # behind what the system says is the end, for it may mean the page's
        self._page, self._is_repeated = list[str](), False
        self._known, self._nameless, self._totals = set[str](), 0, set[int | None]()

    def new_of(self, found: Sequence[Resource]) -> list[Resource]:
        """What has not come before; the same page again in any order, where there must be another, is its error."""
        page = [text_of(pick(one, "id")) or "" for one in found]
        if page and sorted(page) == self._page:
            if not self.is_asking_beyond:
                raise _unreadable()
            self._is_repeated = True
            return []
        new = [one for one, name in zip(found, page, strict=True) if not name or name not in self._known]
        self._page, self.seen = sorted(page), self.seen + len(found)
        self._known.update(filter(None, page))
        self._nameless += page.count("")
        return new

    def is_over(self, found: Sequence[Resource], total: int | None, count: int | None) -> bool:
        """Whether nothing more is to be asked for; raises when less has come than there is."""
        if self._is_repeated:
            return True
        self._totals.add(total)
        is_full = count is not None and len(found) == count
        if not found:
            over = True
        elif total is None:
            over = count is None
        else:
            over = self.seen >= total and not (is_full and total == len(found))
        self.is_asking_beyond = not over and (total is None or self.seen >= total)
        if over and total is not None and len(self._known) + self._nameless < total:
            raise _unreadable() if len(self._totals) == 1 else Changed
        return over

    def ended_with(self, error: Exception) -> bool:
        """Whether an error is a system's way to say that there is nothing behind what it has said to be the end."""
        no_more = isinstance(error, Vanished) or (
            isinstance(error, DeliveryError) and (error.permanent or error.code == "endpoint_missing")
        )
        return self.is_asking_beyond and no_more


def total_of(found: object) -> int | None:
    """What a list says that it has in all."""
    total = pick(found, "totalResults")
    if isinstance(total, float) and total.is_integer():
        total = int(total)
    text = text_of(total) or ""
    return int(text) if text.isascii() and text.isdigit() else None


def _unreadable() -> DeliveryError:
    return DeliveryError("unreadable_reply", permanent=False, of_system=True)
