"""Deciding wants a sign-in of the same day, many at once one of fifteen minutes; nothing typed is lost (A11)."""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import quote
from uuid import UUID

import msgspec
from litestar import Response

from backend.accounts.ways_in import assurance, forms_left
from workspace import forms
from workspace.call import Call
from workspace.manager import AtDesk, Manager
from workspace.officer import Officer
from workspace.pages import page

Form = TypeVar("Form", bound=msgspec.Struct)


async def wanted(
    call: Call[Manager | AtDesk | Officer], form: msgspec.Struct, *, back: str, max_age: int | None = None
) -> Response[str] | None:
    """The page that asks for a fresher sign-in and leads `back` to the form as it was left; nothing if it is fresh."""
    now = call.now()
    refusal = assurance.stale(call.who.authenticated_at, now=now, max_age=max_age)
    if refusal is None:
        return None
    typed = forms_left.Left(back, msgspec.json.encode(form).decode())
    async with call.db.write() as tx:
        kept_id = await forms_left.keep(tx, call.kit, call.who.account_id, typed, now=now)
    way = quote(f"{back}?kept={kept_id}", safe="")
    return page(
        call.request,
        "step_up.html",
        refusal=refusal,
        here=back,
        way=f"/workspace/login/start?fresh=1&next={way}",
        minutes=max_age // 60 if max_age is not None else None,
        since=call.who.authenticated_at,
    )


async def left(call: Call[Manager | AtDesk | Officer], kind: type[Form], *, back: str) -> Form | None:
    """The form that this person left on the page `back`, after the sign-in that it asked for."""
    try:
        kept_id = UUID(call.request.query_params.get("kept", ""))
    except ValueError:
        return None
    async with call.db.read() as tx:
        form = await forms_left.left_by(tx, call.kit, kept_id, call.who.account_id, page=back, now=call.now())
    return forms.kept(form, kind) if form is not None else None
