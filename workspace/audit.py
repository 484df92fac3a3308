"""The journal as a manager may read it (rule 820)."""

from __future__ import annotations

from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect

from backend import facts
from backend.errors import FieldError, FieldsInvalid, catalogue, gather
from backend.openness import Openness
from backend.roles import audit, audit_wanted, policy
from backend.roles.audit import Line
from backend.words import mark as _
from backend.words import say
from workspace import fact_labels, forms, labels, sheets, sync_labels
from workspace.audit_filters import OUTCOMES, Filters
from workspace.auth import Visit
from workspace.call import Call
from workspace.manager import Manager
from workspace.pages import errors_of, lang_of, moment, page

HERE = "/workspace/audit"
AUTOMATIC = _("Tự động")
OPERATOR = _("Người vận hành {name} (tài khoản máy chủ: {system})")


# lines of a file, and in how many parts of so many they are looked for; who needs more narrows the days
EXPORTED, CHUNKS, PART = 5000, 100, 200
COLUMNS = (
    _("Thời gian"),
    _("Nội dung"),
    _("Chi tiết"),
    _("Người liên quan"),
    _("Ba số cuối"),
    _("Người thực hiện"),
)


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
    async def show(self, call: NamedDependency[Call[Manager]]) -> Response[str]:
        """The newest entries about the manager's units."""
        filters = forms.query(call.request, Filters)
        try:
            wanted = filters.wanted
        except FieldsInvalid as refusal:
            return _page(call.request, filters, [], None, refusal)
        async with call.read() as tx:
            lines, older = await audit.of_units(
                tx, call.kit, call.who.account_id, wanted, before=filters.cursor, now=call.now()
            )
        return _page(call.request, filters, folded([_row(line) for line in lines]), older)

    @post(name="workspace.audit_narrowed")
    async def narrow(self, call: NamedDependency[Call[Manager]]) -> Response[str] | Redirect:
        """No name and no number in an address: whoever is meant is found here."""
        filters = await forms.read(call.request, Filters)
        people = {"person": filters.person.strip(), "actor": filters.actor.strip()}
        bad: list[FieldError] = []
        by, now = call.who.account_id, call.now()
        async with call.read() as tx:
            for field, typed in people.items():
                try:
                    found = (
                        await audit_wanted.who_is(tx, call.kit, by, field, typed, now=now) if typed else ""
                    )
                    people[field] = str(found)
                except FieldsInvalid as unknown:
                    bad += unknown.fields
        gather(bad, lambda: filters.wanted)
        if bad:
            return _page(call.request, filters, [], None, FieldsInvalid(*bad))
        chosen = msgspec.structs.replace(filters, **people, cursor=None)
        return Redirect(f"{HERE}{chosen.query}", status_code=303)

    @get([f"/export.{kind}" for kind in sheets.KINDS], name="workspace.audit_export")
    async def export(self, call: NamedDependency[Call[Manager]]) -> Response[bytes]:
        """What the page shows, all pages of it, an entry a line, as a file that a sheet opens."""
        kind, lang = call.path.rpartition(".")[2], lang_of(call.request)
        wanted = forms.query(call.request, Filters).wanted
        rows, older = [[say(column, lang) for column in COLUMNS]], None
        for _part in range(
            CHUNKS
        ):  # each a transaction of its own, and others are served between two of them
            if await call.is_given_up():
                return sheets.left_off()
            async with call.part() as tx:  # a right that ends meanwhile ends the file
                lines, older = await audit.of_units(
                    tx,
                    call.kit,
                    call.who.account_id,
                    wanted,
                    before=older,
                    most=PART,
                    chunks=1,
                    now=call.now(),
                )
            rows += (_cells(_row(line), lang) for line in lines)
            if older is None or len(rows) > EXPORTED:
                break
        is_cut = older is not None or len(rows) > EXPORTED + 1
        end = [[say(sheets.CUT, lang)]] if is_cut else []
        return await sheets.attachment(kind, "nhat-ky", rows[: EXPORTED + 1] + end)


def _page(
    request: Visit,
    filters: Filters,
    rows: list[Row],
    older: int | None,
    refusal: FieldsInvalid | None = None,
) -> Response[str]:
    return page(
        request,
        "audit.html",
        refusal=refusal,
        here=f"{HERE}{filters.query}" if refusal is None else HERE,
        rows=rows,
        next_cursor=str(older or ""),
        filters=filters,
        export=msgspec.structs.replace(filters, cursor=None).query if refusal is None else "",
        groups=fact_labels.FACT_GROUPS,
        outcomes=OUTCOMES,
        errors=errors_of(refusal, forms.boxes(Filters)),
    )


def _cells(row: Row, lang: str) -> list[str]:
    line = row.line
    by = line.by or say(AUTOMATIC, lang)
    if line.by is None and line.fact.operator is not None:
        by = say(OPERATOR, lang, name=line.fact.operator.name or "–", system=line.fact.operator.system)
    details = " · ".join(say(part, lang) for part in row.details)
    title = say(row.title, lang, system=line.system or "–")
    return [moment(line.at), title, details, line.subject or "", line.digits, by]


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
            said = labels.KINDS[line.kind] if line.kind else labels.DECISIONS[decision]
            return [said] if duty == policy.APPROVE else [said, labels.duty(line.kind or "", duty)]
        case facts.RequestDecided(outcome=outcome):
            return [labels.STATUSES[outcome]]
        case facts.DeliveryParked(error=error):
            return [sync_labels.cause(error)]
        case facts.AccessRefused(reason=reason):
            known = catalogue().get(reason)
            return [known.title] if known else []
    return []
