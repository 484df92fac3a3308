"""Answers of any length, page by page (RFC 2696): a directory cuts what it says at once at a few hundred entries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bonsai import LDAPEntry, LDAPSearchScope
from bonsai.errors import NoSuchObjectError

PAGE = 200


async def search(
    connection: Any, base: str, scope: LDAPSearchScope, filter_: str, wanted: Sequence[str], patience: float
) -> tuple[list[LDAPEntry], bool]:
    """Every entry that fits, and whether anything came that is none (a referral to elsewhere).

    One that does not know pages says everything at once, as before: the control is no condition.
    """
    asked = (base, scope, filter_, list(wanted))
    if scope == LDAPSearchScope.BASE:
        return _sorted(await connection.search(*asked, timeout=patience))
    found = list[Any]()
    try:
        page = await connection.paged_search(*asked, timeout=patience, page_size=PAGE)
    except (
        NoSuchObjectError
    ):  # as the library's other search says it: nothing is in a place that is not there
        return [], False
    while True:
        found += list(page)
        if (next_page := page.acquire_next_page()) is None:
            return _sorted(found)
        page = await connection.answer_to(next_page, patience)


def _sorted(found: Sequence[Any]) -> tuple[list[LDAPEntry], bool]:
    entries = [one for one in found if isinstance(one, LDAPEntry)]
    return entries, len(entries) < len(found)
