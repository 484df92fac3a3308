"""Filters that somebody keeps: kind and unit alone, never what was searched for, remembered by the browser (W13)."""

from __future__ import annotations

from typing import Literal
from urllib.parse import parse_qsl, urlencode

import msgspec
from litestar import Controller, post
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.response import Redirect

from backend.openness import Openness
from workspace import forms, labels
from workspace.auth import Visit
from workspace.call import Call
from workspace.manager import Manager

COOKIE, MOST, AGE = "filters", 8, 365 * 86400


class Saved(msgspec.Struct, frozen=True):
    """One kept filter: its address, and the words of what it narrows to."""

    query: str
    kind: str
    unit: str


class SaveForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Keep this filter, or forget it."""

    kind: str = ""
    unit: str = ""
    act: Literal["save", "forget"] = "save"


class SavedController(Controller):
    """Keeps and forgets."""

    path = "/filters"
    opt = {"open_to": Openness.MANAGER}

    @post(name="workspace.filters")
    async def keep(self, call: NamedDependency[Call[Manager]]) -> Redirect:
        """The newest first; an eighth pushes the oldest out."""
        form = await forms.read(call.request, SaveForm)
        query = urlencode({name: value for name in ("kind", "unit") if (value := getattr(form, name))})
        others = [one.query for one in saved_by(call.request, call.who) if one.query != query]
        kept = [query, *others][:MOST] if form.act == "save" and query else others
        cookie = Cookie(
            COOKIE, value=_text(kept), path="/workspace", max_age=AGE, httponly=True, samesite="lax"
        )
        to = f"/workspace?{query}" if form.act == "save" and query else "/workspace"
        return Redirect(to, status_code=303, cookies=[cookie])


def saved_by(request: Visit, manager: Manager) -> list[Saved]:
    """What this browser keeps, as far as it means anything to this manager now."""
    units = {unit.code: unit.name for unit in manager.units}
    found = []
    for query in request.cookies.get(COOKIE, "").split("!")[:MOST]:
        given = dict(parse_qsl(query.replace("*", "&").replace("~", "=")))
        kind, unit = given.get("kind", ""), given.get("unit", "")
        if (kind or unit) and (not kind or kind in labels.KINDS) and (not unit or unit in units):
            asked = urlencode({name: value for name, value in (("kind", kind), ("unit", unit)) if value})
            found.append(Saved(asked, kind, units.get(unit, "")))
    return found


def _text(queries: list[str]) -> str:
    """As a cookie may say it."""
    return "!".join(query.replace("&", "*").replace("=", "~") for query in queries)
