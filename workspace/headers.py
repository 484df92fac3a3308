"""What every page tells the browser to refuse (rules 823, 824); the edge adds what every reply says."""

from __future__ import annotations

import secrets
from typing import ClassVar

from litestar.datastructures import MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

NONCE = "workspace_nonce"

# htmx touches HTML only through the policy that its hx-csp extension names "htmx"
POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types htmx"
)


class PageHeaders(ASGIMiddleware):
    """Gives each reply its own nonce and the strict headers, refusals included."""

    scopes = (ScopeType.HTTP,)

    fixed: ClassVar[dict[str, str]] = {
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cache-Control": "no-store",
        "Vary": "HX-Request, Cookie",
    }

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        """Make the nonce before the page is drawn, and the headers when it leaves."""
        nonce = scope["state"][NONCE] = secrets.token_urlsafe(18)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableScopeHeaders.from_message(message)
                for name, value in self.fixed.items():
                    headers[name] = value
                headers["Content-Security-Policy"] = POLICY.format(nonce=nonce)
            await send(message)

        await next_app(scope, receive, with_headers)
