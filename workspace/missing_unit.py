""" "My unit is missing", in a browser as on the phone: a request for help with a code (case R38; source 003, IV)."""

from __future__ import annotations

import msgspec
from litestar import Controller, Response, get, post
from litestar.di import NamedDependency

from backend.errors import FieldsInvalid, Refusal, TooMany, Unavailable
from backend.openness import Openness
from backend.support import cases
from backend.support.models import Case
from backend.words import mark as _
from workspace import forms, fresh
from workspace.auth import Visit
from workspace.call import Call
from workspace.officer import Officer
from workspace.pages import errors_of, page

PLACE = "/workspace/me/missing-unit"
SUBJECT = _("Danh sách chưa có đơn vị của tôi")


class UnitForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The unit as its people call it, and where it stands."""

    text: str = ""


class MissingUnitController(Controller):
    """Asked from the form of a role; the desk answers in the app."""

    path = "/me/missing-unit"
    opt = {"open_to": Openness.BROWSER}

    @get(name="workspace.missing_unit")
    async def show(self, call: NamedDependency[Call[Officer]]) -> Response[str]:
        """Which unit it is."""
        left = await fresh.left(call, UnitForm, back=PLACE)
        return _page(call.request, left or UnitForm(), kept=left is not None)

    @post(name="workspace.missing_unit_told", status_code=200)
    async def tell(self, call: NamedDependency[Call[Officer]]) -> Response[str]:
        """It reaches the first desk, whose answer is read in the app."""
        form = await forms.read(call.request, UnitForm)
        draft = cases.Draft(subject=SUBJECT, text=form.text)
        try:
            async with call.write() as tx:
                case, _desk = await cases.ask(tx, call.kit, draft, by=call.who.account_id, now=call.now())
        except (FieldsInvalid, TooMany, Unavailable) as refusal:
            return _page(call.request, form, refusal=refusal)
        return _page(call.request, UnitForm(), case=case)


def _page(
    request: Visit,
    form: UnitForm,
    *,
    case: Case | None = None,
    refusal: Refusal | None = None,
    kept: bool = False,
) -> Response[str]:
    return page(
        request,
        "me_unit.html",
        refusal=refusal,
        here=PLACE,
        form=form,
        kept=kept,
        case=case,
        errors=errors_of(refusal),
    )
