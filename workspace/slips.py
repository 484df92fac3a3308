"""The slip of a decision on A4, and the page that says whether a slip is genuine (contract: slip)."""

from __future__ import annotations

import re
from uuid import UUID

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect

from backend.db import Database
from backend.errors import Conflict
from backend.kit import Kit
from backend.openness import Openness
from backend.roles import dossier, slips
from backend.words import mark as _
from workspace import qr
from workspace.auth import Visit
from workspace.call import Call
from workspace.manager import Manager
from workspace.pages import page

TYPED_MOST = 200


class SlipTooEarly(Conflict):
    """Nothing is decided, or it can still be taken back: a paper would say more than is so."""

    code = "slip_too_early"
    title = "Chưa in được phiếu"

    def __init__(self) -> None:
        super().__init__(
            _("Phiếu có khi yêu cầu đã được phê duyệt hoặc từ chối và đã hết thời gian hoàn tác.")
        )


class SlipController(Controller):
    """What a manager prints."""

    path = "/requests/{request_id:uuid}/slip"
    opt = {"open_to": Openness.MANAGER}

    @get(name="workspace.slip")
    async def show(
        self,
        call: NamedDependency[Call[Manager]],
        request_id: FromPath[UUID],
        public_url: NamedDependency[str],
    ) -> Response[str]:
        """One decision that can no longer be taken back; SlipTooEarly for any other."""
        async with call.read() as tx:
            asked = await dossier.view(tx, call.kit, request_id, call.who.account_id, now=call.now())
        if asked.status not in slips.DECIDED or asked.undo_until is not None:
            raise SlipTooEarly
        address = f"{public_url}/verify/{slips.code_of(request_id)}"
        return page(call.request, "slip.html", asked=asked, address=address, picture=qr.picture(address))


@get("/verify", name="workspace.verify_typed", open_to=Openness.ANYBODY)
async def typed(request: Visit) -> Response[str] | Redirect:
    """Where the code of a paper is typed by hand."""
    said = request.query_params.get("code", "")[:TYPED_MOST].strip()
    if code := re.sub(r"[^0-9A-Za-z]", "", said):
        return Redirect(f"/verify/{code}", status_code=303)
    answer = page(request, "verify.html", here="/verify", found=None, asked=said)
    if said:
        answer.status_code = 404  # signs alone: no paper has such a code, and what was typed stays
    return answer


@get("/verify/{code:str}", name="workspace.verify", open_to=Openness.ANYBODY)
async def verify(
    request: Visit,
    code: FromPath[str],
    db: NamedDependency[Database],
    kit: NamedDependency[Kit],
) -> Response[str]:
    """Genuine or not, for anybody with the paper in their hands; nothing personal beyond first letters."""
    async with db.read() as tx:
        found = await slips.genuine(tx, kit, code)
    answer = page(request, "verify.html", here="/verify", found=found, asked=code[:TYPED_MOST])
    if found is None:
        answer.status_code = 404
    return answer
