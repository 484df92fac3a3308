"""An operator's files of units, staff and managers: laid down, planned, and said yes to (rules 641, 1003)."""

from __future__ import annotations

from uuid import UUID

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from backend.db import Database
from backend.errors import Conflict, FieldsInvalid, Refusal
from backend.imports.rows import ImportRefused
from backend.kit import Kit
from backend.openness import Openness
from backend.outside.clock import Clock
from backend.roles import file_imports
from backend.roles.file_imports import Planned
from workspace import files, forms, fresh
from workspace.auth import Visit
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
        self,
        request: Visit,
        kind: FromPath[str],
        operator: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str] | Redirect:
        """Read it and say what it would do; nothing of it is done."""
        job, by, now = file_imports.named(kind).make(kit, clock.now()), operator.account_id, clock.now()
        try:
            sent = await files.sent(request, ("file",))
            rows = await files.rows(sent.get("file"), job.columns, required=job.required)
            async with db.read() as tx:
                await file_imports.plan(tx, kit, kind, rows, by=by, now=now)
        except (ImportRefused, FieldsInvalid) as refused:
            return _refused(request, kind, refused)
        async with db.write() as tx:
            kept = file_imports.lay(tx, kit, kind, rows, by=by, now=now)
        return Redirect(f"{PLACE}/imports/{kind}/{kept}", status_code=303)

    @get("/{upload_id:uuid}", name="workspace.import")
    async def show(
        self,
        request: Visit,
        kind: FromPath[str],
        upload_id: FromPath[UUID],
        operator: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str]:
        """What is created, changed, ended and left, as things are now."""
        file_imports.named(kind)
        back = f"{PLACE}/imports/{kind}/{upload_id}"
        said = await fresh.left(request, db, kit, clock, operator, YesForm, back=back)
        return await _page(
            request, operator, db, kit, clock, kind, upload_id, said or YesForm(), kept=bool(said)
        )

    @post("/{upload_id:uuid}/confirm", name="workspace.import_confirm")
    async def confirm(
        self,
        request: Visit,
        kind: FromPath[str],
        upload_id: FromPath[UUID],
        operator: NamedDependency[Manager],
        db: NamedDependency[Database],
        kit: NamedDependency[Kit],
        clock: NamedDependency[Clock],
    ) -> Response[str] | Redirect:
        """ "Thực hiện": what the plan that was seen says."""
        file_imports.named(kind)
        form, back = await forms.read(request, YesForm), f"{PLACE}/imports/{kind}/{upload_id}"
        if ask := await fresh.wanted(request, db, kit, clock, operator, form, back=back):
            return ask
        try:
            await file_imports.confirm(
                db,
                kit,
                kind,
                upload_id,
                seen=form.seen,
                brake_off=bool(form.brake_off),
                by=operator.account_id,
                now=clock.now(),
            )
        except ImportRefused as refused:
            return _refused(request, kind, refused)
        except Conflict as refusal:
            return await _page(request, operator, db, kit, clock, kind, upload_id, form, refusal=refusal)
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
    request: Visit,
    operator: Manager,
    db: Database,
    kit: Kit,
    clock: Clock,
    kind: str,
    upload_id: UUID,
    said: YesForm,
    *,
    refusal: Refusal | None = None,
    kept: bool = False,
) -> Response[str]:
    try:
        found = await _planned(operator, db, kit, clock, kind, upload_id)
    except ImportRefused as refused:  # it was good when it was laid down
        return _refused(request, kind, refused)
    percent = kit.limits.mass_change_percent
    return page(
        request,
        "import.html",
        refusal=refusal,
        here=f"{PLACE}/imports/{kind}/{upload_id}",
        kind=kind,
        plan=found.plan,
        seen=found.print,
        is_massive=found.plan.is_massive(percent),
        percent=percent,
        most=LISTED,
        said=said,
        kept=kept,
        errors=errors_of(refusal),
    )


async def _planned(
    operator: Manager, db: Database, kit: Kit, clock: Clock, kind: str, upload_id: UUID
) -> Planned:
    async with db.read() as tx:
        return await file_imports.laid(tx, kit, kind, upload_id, by=operator.account_id, now=clock.now())
