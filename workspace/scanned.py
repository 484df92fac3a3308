"""Signing in to the workspace by a QR code: the page that shows it and goes on by itself (rule 313)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from litestar import Controller, Response, get
from litestar.di import NamedDependency

from backend.accounts.door import Door
from backend.accounts.ways_in import scanned, scanned_entry
from backend.accounts.ways_in.scanned_entry import Over, Waiting
from backend.caller import Caller
from backend.errors import Refusal
from backend.openness import Openness
from backend.outside.clock import Clock
from backend.words import mark as _
from backend.words import say
from workspace import qr
from workspace.auth import Cookies, Visit, safe_next
from workspace.pages import lang_of, page

HERE = "/workspace/login/qr"
WHY = {
    "expired": _("Mã đã hết hạn. Hãy tạo mã mới."),
    "wrong_number": _(
        "Số chọn trên điện thoại không đúng, nên mã này đã bị hủy. Nếu không phải bạn chọn, đừng cho ai thấy màn hình."
    ),
    "used": _("Mã này đã được dùng. Hãy tạo mã mới."),
    "withdrawn": _(
        "Điện thoại vừa đăng xuất hoặc tài khoản vừa bị khóa, nên không đăng nhập được bằng mã này."
    ),
}


class ScannedController(Controller):
    """No session is needed: whoever sits here has none yet."""

    path = "/login/qr"

    @get(name="workspace.login_qr", open_to=Openness.ANYBODY)
    async def show(
        self,
        request: Visit,
        door: NamedDependency[Door],
        clock: NamedDependency[Clock],
        jar: NamedDependency[Cookies],
        public_url: NamedDependency[str],
    ) -> Response[Any]:
        """This browser's code, a new one if it has none or wants another; and what has become of it."""
        way = safe_next(request.query_params.get("next"))
        caller = Caller(clock.now(), address=str(request.scope.get("address", "")))
        cookie = request.cookies.get(jar.scanned, "")
        is_new = not cookie or "new" in request.query_params
        if is_new:
            agent = request.headers.get("user-agent", "")
            try:
                cookie = await scanned.begin(door, caller, user_agent=agent)
            except Refusal as refusal:
                return _page(request, way, public_url, None, refusal=refusal)
        signed_in = request.user.session_id if request.user else None
        stands = await scanned_entry.ask(door, caller, cookie=cookie, signed_in=signed_in)
        if isinstance(stands, str):
            return _entered(request, jar, stands, way, max_age=door.kit.limits.workspace_absolute)
        if isinstance(stands, Waiting) and request.headers.get("hx-request") and not is_new:
            return Response(None, status_code=204)  # nothing new: the page stays as it is
        answer = _page(request, way, public_url, stands)
        if is_new:
            life = door.kit.limits.workspace_code_lifetime + scanned.FETCH
            answer.cookies.append(jar.make(jar.scanned, cookie, strict=True, max_age=life))
        return answer


def _entered(request: Visit, jar: Cookies, token: str, way: str, *, max_age: int) -> Response[Any]:
    """The session's cookie, and on to where somebody wanted to go; the code's own cookie has done its work."""
    answer: Response[Any]
    if request.headers.get("hx-request"):
        answer = Response(None, status_code=200, headers={"HX-Redirect": way})
    else:
        answer = page(request, "entered.html", next=way, here="/workspace")
    session = jar.make(jar.session, token, strict=True, max_age=max_age)
    answer.cookies.extend([session, jar.make(jar.scanned, "", strict=True, max_age=0)])
    return answer


def _page(
    request: Visit,
    way: str,
    public_url: str,
    stands: Waiting | Over | None,
    *,
    refusal: Refusal | None = None,
) -> Response[str]:
    code = stands if isinstance(stands, Waiting) else None
    address = f"{public_url}/app/workspace-login/{code.id}" if code else ""
    said = WHY[stands.why] if isinstance(stands, Over) else refusal.title if refusal else ""
    again = HERE + (f"?next={quote(way, safe='')}" if way != "/workspace" else "")
    return page(
        request,
        "login_qr.html",
        refusal=refusal,
        here=again,
        again=again,
        next=way,
        code=code,
        address=address,
        picture=_picture(address),
        trouble=say(said, lang_of(request)) if said else "",
    )


def _picture(address: str) -> qr.Picture | None:
    """Nothing where the installation's address is too long for a code: then the link is left."""
    try:
        return qr.picture(address) if address else None
    except qr.TooLong:
        return None
