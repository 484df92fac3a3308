"""Signing in to the workspace with VNeID, and out again (rule 820)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, unquote

from litestar import Controller, Request, Response, get, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.response import Redirect

from backend.accounts.door import Door
from backend.accounts.ways_in import browser
from backend.accounts.ways_in.browser import BrowserSession
from backend.accounts.ways_in.login import Answer
from backend.caller import Caller
from backend.db import Database
from backend.errors import Refusal
from backend.kit import Kit
from backend.openness import Openness
from backend.outside.clock import Clock
from backend.outside.eid.eid_callback import read_callback
from backend.words import say
from workspace.auth import Cookies, Visit, safe_next
from workspace.pages import brand_of, lang_of, page

CALLBACK = "/workspace/login/callback"


class LoginController(Controller):
    """The way in by the e-ID; the only pages that need no session."""

    path = "/login"

    @get(name="workspace.login", open_to=Openness.ANYBODY)
    async def show(self, request: Visit) -> Response[str]:
        """The sign-in page."""
        return self._page(request, safe_next(request.query_params.get("next")))

    @get("/start", open_to=Openness.ANYBODY)
    async def start(
        self,
        request: Visit,
        door: NamedDependency[Door],
        clock: NamedDependency[Clock],
        jar: NamedDependency[Cookies],
        public_url: NamedDependency[str],
    ) -> Response[str] | Redirect:
        """Off to the e-ID; a Lax cookie binds its answer to this browser, and remembers the way back."""
        agent = request.headers.get("user-agent", "")
        try:
            url, secret = await browser.begin(
                door,
                Caller(clock.now(), address=str(request.scope.get("address", ""))),
                redirect_uri=f"{public_url}{CALLBACK}",
                browser=agent,
                signed_in=request.user.session_id if request.user else None,
                fresh="fresh" in request.query_params,
            )
        except Refusal as refusal:
            return self._page(request, "/workspace", refusal)
        way = quote(safe_next(request.query_params.get("next")), safe="")
        cookie = jar.make(
            jar.transaction, f"{secret}|{way}", strict=False, max_age=door.kit.limits.state_lifetime
        )
        return Redirect(url, status_code=303, cookies=[cookie])

    @get("/callback", open_to=Openness.ANYBODY)
    async def callback(
        self,
        request: Visit,
        door: NamedDependency[Door],
        clock: NamedDependency[Clock],
        jar: NamedDependency[Cookies],
    ) -> Response[str]:
        """The e-ID's answer. Our own page moves on: a redirect from outside carries no Strict cookie."""
        secret, _, way = request.cookies.get(jar.transaction, "").partition("|")
        said = read_callback("?" + request.scope["query_string"].decode("latin-1"))
        gone = jar.make(jar.transaction, "", strict=False, max_age=0)
        try:
            token = await browser.finish(
                door,
                Caller(clock.now()),
                cookie=secret,
                answer=Answer(said.state, said.code, said.iss, said.encrypt_key),
            )
        except Refusal as refusal:
            answer = self._page(request, "/workspace", refusal)
            answer.cookies.append(gone)
            return answer
        answer = page(request, "entered.html", next=safe_next(unquote(way)), here="/workspace")
        session = jar.make(jar.session, token, strict=True, max_age=door.kit.limits.workspace_absolute)
        answer.cookies.extend([session, gone])
        return answer

    def _page(self, request: Visit, way: str, refusal: Refusal | None = None) -> Response[str]:
        trouble = say(refusal.title, lang_of(request), **brand_of(request).places) if refusal else ""
        here = "/workspace/login" + (f"?next={quote(way, safe='')}" if way != "/workspace" else "")
        ended = request.query_params.get("why") == "ended"
        return page(request, "login.html", refusal=refusal, next=way, trouble=trouble, ended=ended, here=here)


@post("/sign-out", name="workspace.sign_out", open_to=Openness.BROWSER)
async def sign_out(
    request: Request[BrowserSession, Any, State],
    db: NamedDependency[Database],
    kit: NamedDependency[Kit],
    clock: NamedDependency[Clock],
    jar: NamedDependency[Cookies],
    leaving: NamedDependency[str],
) -> Redirect:
    """End the session here and in the database, and have the browser forget what it saw (rule 824)."""
    async with db.write() as tx:
        await browser.sign_out(tx, kit, request.user, now=clock.now())
    gone = jar.make(jar.session, "", strict=True, max_age=0)
    headers = {"Clear-Site-Data": leaving}
    return Redirect("/workspace/login", status_code=303, cookies=[gone], headers=headers)
