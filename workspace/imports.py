"""An operator's files of units, staff and managers: laid down, planned, and said yes to (rules 641, 1003)."""

from __future__ import annotations

from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from backend.errors import Conflict, FieldsInvalid, Refusal
from backend.imports.rows import ImportRefused
from backend.openness import Openness
from backend.roles import file_imports
from backend.roles.file_imports import Planned
from workspace import files, forms, fresh
from workspace.auth import Visit
from workspace.call import Call
from workspace.manager import Manager
from workspace.operating import PLACE
from workspace.pages import errors_of, page

LISTED = 100  # changes of each kind on the page


class YesForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which plan was seen, and that a large part is meant."""

    seen: str = ""
    brake_off: str = ""


class ImportsController(Controller):
    """One file of one kind."""

    path = "/operator/imports/{kind:str}"
    opt = {"open_to": Openness.ROOT}

    @post("/plan", name="workspace.import_plan", upload=True)
    async def plan(
        self, call: NamedDependency[Call[Manager]], kind: FromPath[str]
    ) -> Response[str] | Redirect:
        """Read it and say what it would do; nothing of it is done."""
        job, by, now = file_imports.named(kind).make(call.kit, call.now()), call.who.account_id, call.now()
        try:
            sent = await files.sent(call.request, ("file",))
            rows = await files.rows(sent.get("file"), job.columns, required=job.required)
            async with call.db.read() as tx:
                await file_imports.plan(tx, call.kit, kind, rows, by=by, now=now)
        except (ImportRefused, FieldsInvalid) as refused:
            return _refused(call.request, kind, refused)
        async with call.write() as tx:
            kept = file_imports.lay(tx, call.kit, kind, rows, by=by, now=now)
        return Redirect(f"{PLACE}/imports/{kind}/{kept}", status_code=303)

    @get("/{upload_id:uuid}", name="workspace.import")
    async def show(
        self, call: NamedDependency[Call[Manager]], kind: FromPath[str], upload_id: FromPath[UUID]
    ) -> Response[str]:
        """What is created, changed, ended and left, as things are now."""
        file_imports.named(kind)
        back = f"{PLACE}/imports/{kind}/{upload_id}"
        said = await fresh.left(call, YesForm, back=back)
        return await _page(call, kind, upload_id, said or YesForm(), kept=bool(said))

    @post("/{upload_id:uuid}/confirm", name="workspace.import_confirm")
    async def confirm(
        self, call: NamedDependency[Call[Manager]], kind: FromPath[str], upload_id: FromPath[UUID]
    ) -> Response[str] | Redirect:
        """ "Thực hiện": what the plan that was seen says."""
        file_imports.named(kind)
        form, back = await forms.read(call.request, YesForm), f"{PLACE}/imports/{kind}/{upload_id}"
        if ask := await fresh.wanted(call, form, back=back):
            return ask
        try:
            await file_imports.confirm(
                call.db,
                call.kit,
                kind,
                upload_id,
                seen=form.seen,
                brake_off=bool(form.brake_off),
                by=call.who.account_id,
                now=call.now(),
            )
        except ImportRefused as refused:
            return _refused(call.request, kind, refused)
        except Conflict as refusal:
            return await _page(call, kind, upload_id, form, refusal=refusal)
        return Redirect(f"{PLACE}?done={kind}", status_code=303)


def _refused(request: Visit, kind: str, refused: ImportRefused | FieldsInvalid) -> Response[str]:
    wrong = refused.errors if isinstance(refused, ImportRefused) else []
    answer = page(
        request,
        "import_refused.html",
        here=PLACE,
        kind=kind,
        wrong=files.bad_cells(request, wrong),
        count=len(wrong),
        errors=errors_of(refused) if isinstance(refused, FieldsInvalid) else [],
    )
    answer.status_code = 422
    return answer


async def _page(
    call: Call[Manager],
    kind: str,
    upload_id: UUID,
    said: YesForm,
    *,
    refusal: Refusal | None = None,
    kept: bool = False,
) -> Response[str]:
    try:
        found = await _planned(call, kind, upload_id)
    except ImportRefused as refused:  # it was good when it was laid down
        return _refused(call.request, kind, refused)
    percent = call.kit.limits.mass_change_percent
    return page(
        call.request,
        "import.html",
        refusal=refusal,
        here=f"{PLACE}/imports/{kind}/{upload_id}",
        kind=kind,
        plan=found.plan,
        seen=found.print,
        massive=found.plan.massive(percent),
        percent=percent,
        most=LISTED,
        said=said,
        kept=kept,
        errors=errors_of(refusal),
    )


async def _planned(call: Call[Manager], kind: str, upload_id: UUID) -> Planned:
    async with call.db.read() as tx:
        return await file_imports.laid(tx, call.kit, kind, upload_id, by=call.who.account_id, now=call.now())
