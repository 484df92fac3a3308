"""The page of what waits, as it is asked for and as a form that wants something shows it again (rule 820)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, time
from typing import Literal, Protocol
from uuid import UUID

import msgspec
from litestar import Response
from sqlalchemy.ext.asyncio import AsyncSession

from backend.errors import Refusal
from backend.kit import Kit
from backend.outside.clock import LOCAL, local_day
from backend.roles import inbox, reasons
from backend.roles.movements import Kind
from workspace import forms
from workspace.call import Call
from workspace.manager import Manager
from workspace.pages import ages, errors_of, page
from workspace.saved import saved_by

PAGE = 25


class Filters(msgspec.Struct, frozen=True):
    """What the list is narrowed to; each is a plain parameter of the address."""

    q: str = ""
    kind: Literal[""] | Kind = ""
    unit: str = ""
    late: Literal["", "1"] = ""
    cursor: str = ""

    @property
    def narrows(self) -> bool:
        """Whether it leaves anything out."""
        return bool(self.q or self.kind or self.unit or self.late)

    @property
    def query(self) -> str:
        """The same as the end of an address."""
        return forms.query_of(self)


class Said(Protocol):
    """What was ticked and written."""

    @property
    def pick(self) -> list[str]:
        """Which requests."""

    @property
    def reason(self) -> str:
        """Why."""

    @property
    def usual(self) -> str:
        """Why, of the usual reasons."""


class Nothing(msgspec.Struct, frozen=True):
    """Nothing was ticked or written yet."""

    pick: list[str] = []
    reason: str = ""
    usual: str = ""


async def shown(
    call: Call[Manager],
    filters: Filters,
    *,
    said: Said | None = None,
    only: Collection[UUID] | None = None,
    refusal: Refusal | None = None,
    kept: bool = False,
) -> Response[str]:
    """The requests that wait for this manager; those ticked before are ticked."""
    now = call.now()
    async with call.read() as tx:
        found = await _waiting(tx, call.kit, call.who, filters, only, now)
        today = await inbox.said_since(
            tx, call.who.account_id, datetime.combine(local_day(now), time(), LOCAL)
        )
        usual = await reasons.usual(tx, call.kit, [unit.id for unit in call.who.units])
    return page(
        call.request,
        "inbox.html",
        refusal=refusal,
        here=f"/workspace{filters.query}",
        items=found.items,
        next_cursor=found.next_cursor if only is None else None,
        total=found.total,
        is_all=found.is_all,
        filters=filters,
        filtered=filters.narrows or only is not None,
        saved=saved_by(call.request, call.who),
        today=today,
        usual=usual,
        age=ages(call.request, now),
        kept=kept,
        said=said or Nothing(),
        errors=errors_of(refusal),
    )


async def _waiting(
    tx: AsyncSession,
    kit: Kit,
    manager: Manager,
    filters: Filters,
    only: Collection[UUID] | None,
    now: datetime,
) -> inbox.Inbox:
    return await inbox.waiting(
        tx,
        kit,
        manager.account_id,
        now=now,
        q=filters.q or None,
        kind=filters.kind or None,
        unit=filters.unit or None,
        only=only,
        late=bool(filters.late),
        cursor=filters.cursor or None,
        most=PAGE if only is None else kit.limits.bulk_most,
    )
