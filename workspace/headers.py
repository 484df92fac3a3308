"""What every page tells the browser to refuse (rules 823, 824); the edge adds what every reply says."""

from __future__ import annotations

import secrets

from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

NONCE = "workspace_nonce"

# htmx touches HTML only through the policy that its hx-csp extension names "htmx"
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; "
    "frame-ancestors {framed_by}; require-trusted-types-for 'script'; trusted-types htmx"
)


FIXED = {
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # older browsers would say `Origin: null` at every form (F02)
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
    "Vary": "HX-Request, Cookie",
}


def nonce_in(scope: Scope) -> str:
    """A new nonce, where the page that is about to be drawn finds it."""
    nonce: str = secrets.token_urlsafe(18)
    scope["state"][NONCE] = nonce
    return nonce


def headers_of(nonce: str, *, in_demo: bool = False) -> dict[str, str]:
    """What the reply with this nonce says. In a demo our own first page frames the workspace (decision 0035)."""
    policy = POLICY.format(nonce=nonce, framed_by="'self'" if in_demo else "'none'")
    framed = {"X-Frame-Options": "SAMEORIGIN"} if in_demo else {}
    return {**FIXED, **framed, "Content-Security-Policy": policy}


class PageHeaders(ASGIMiddleware):
    """Gives each reply its own nonce and the strict headers, refusals included, and `stricter` ones where given."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, stricter: dict[str, str] | None = None, *, in_demo: bool = False) -> None:
        self._stricter, self._in_demo = stricter or {}, in_demo

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Make the nonce before the page is drawn, and the headers when it leaves."""
        nonce = nonce_in(scope)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableScopeHeaders.from_message(message)
                for name, value in {**headers_of(nonce, in_demo=self._in_demo), **self._stricter}.items():
                    headers[name] = value
            await send(message)

        await next_app(scope, receive, with_headers)
