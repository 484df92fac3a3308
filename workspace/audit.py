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
from backend.outside.clock import Clock
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
    machines: list[Row] = []  # what followed from it by itself


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
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """The newest entries about the manager's units."""
        filters = forms.query(request, Filters)
        async with db.read() as tx:
            lines, older = await audit.of_units(
                tx,
                kit,
                manager.account_id,
                group=filters.kind or None,
                before=filters.cursor,
                now=clock.now(),
            )
        rows = folded([_row(line) for line in lines])
        groups = fact_labels.FACT_GROUPS
        return page(
            request, "audit.html", rows=rows, next_cursor=str(older or ""), filters=filters, groups=groups
        )


def folded(rows: list[Row]) -> list[Row]:
    """One line per act: what machines did because of it, and what the same press did besides, stand below it."""
    acts: dict[UUID | None, Row] = {}
    below: dict[int, list[Row]] = {}
    for row in reversed(rows):
        line, act = row.line, acts.get(row.line.subject_id)
        same = act is not None and line.by_id == act.line.by_id and line.at == act.line.at
        if act is not None and (same or _is_automatic(line)):
            below.setdefault(act.line.seq, []).append(row)
            continue
        if not _is_automatic(line):
            acts[line.subject_id] = row
        below[line.seq] = []
    return [
        msgspec.structs.replace(row, machines=below[row.line.seq]) for row in rows if row.line.seq in below
    ]


def _is_automatic(line: Line) -> bool:
    return line.by_id is None and line.fact.operator is None


def _row(line: Line) -> Row:
    tag = str(line.fact.__struct_config__.tag)
    request_id = getattr(line.fact, "request", None)
    title = fact_labels.FACTS[tag]
    if isinstance(line.fact, facts.StepDecided) and line.kind:
        title = fact_labels.WORDS[line.fact.decision]
    return Row(line, title, _details(line), request_id)


def _details(line: Line) -> list[str]:
    """The parts of a fact that have words of their own."""
    match line.fact:
        case facts.RoleRequested(kind=kind):
            return [labels.KINDS[kind]]
        case facts.StepDecided(duty=duty, decision=decision):
            return [labels.KINDS[line.kind] if line.kind else labels.DECISIONS[decision], labels.DUTIES[duty]]
        case facts.RequestDecided(outcome=outcome):
            return [labels.STATUSES[outcome]]
        case facts.DeliveryParked(error=error):
            return [sync_labels.cause(error)]
        case facts.AccessRefused(reason=reason):
            known = catalogue().get(reason)
            return [known.title] if known else []
    return []
