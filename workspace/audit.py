"""The journal as a manager may read it (rule 820)."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response, get
from litestar.di import NamedDependency

from backend import facts
from backend.db import Database
from backend.errors import catalogue
from backend.kit import Kit
from backend.openness import Openness
from backend.roles import audit
from backend.roles.audit import Line
from workspace import fact_labels, forms, labels, sync_labels
from workspace.auth import Visit
from workspace.manager import Manager
from workspace.pages import page


class Filters(msgspec.Struct, frozen=True):
    """Which entries, and from where on."""

    kind: Literal["", "role", "sync", "access", "manager"] = ""
    cursor: int | None = None


class Row(msgspec.Struct, frozen=True):
    """An entry in words."""

    line: Line
    title: str
    details: list[str]
    request_id: UUID | None


class AuditController(Controller):
    """What happened, to whom, by whom."""

    path = "/audit"
    opt = {"open_to": Openness.MANAGER}

    @get(name="workspace.audit")
    async def show(
        self,
        request: Visit,
        manager: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
    ) -> Response[str]:
        """The newest entries about the manager's units."""
        filters = forms.query(request, Filters)
        async with db.read() as tx:
            lines, older = await audit.of_units(
                tx, kit, manager.account_id, group=filters.kind or None, before=filters.cursor
            )
        rows = [_row(line) for line in lines]
        groups = fact_labels.FACT_GROUPS
        return page(
            request, "audit.html", rows=rows, next_cursor=str(older or ""), filters=filters, groups=groups
        )


def _row(line: Line) -> Row:
    tag = str(line.fact.__struct_config__.tag)
    request_id = getattr(line.fact, "request", None)
    return Row(line, fact_labels.FACTS[tag], _details(line.fact), request_id)


def _details(fact: facts.Fact) -> list[str]:
    """The parts of a fact that have words of their own."""
    match fact:
        case facts.RoleRequested(kind=kind):
            return [labels.KINDS[kind]]
        case facts.StepDecided(duty=duty, decision=decision):
            return [labels.DUTIES[duty], labels.DECISIONS[decision]]
        case facts.RequestDecided(outcome=outcome):
            return [labels.STATUSES[outcome]]
        case facts.DeliveryParked(error=error):
            return [sync_labels.cause(error)]
        case facts.AccessRefused(reason=reason):
            known = catalogue().get(reason)
            return [known.title] if known else []
    return []
