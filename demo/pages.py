"""How the demo's own pages are drawn: files only, escaped, in the visitor's language."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie, State
from litestar.enums import MediaType
from litestar.exceptions import PermissionDeniedException
from litestar.handlers import BaseRouteHandler

from backend.branding.brand import Brand
from demo.province import MAIL_HOST
from workspace import static_files

LANGUAGES = ("vi", "en")
CSP = (  # rule 823; no page here makes markup out of text, so no Trusted Types policy is named
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action {forms}; base-uri 'none'; object-src 'none'; "
    "frame-src {frames}; frame-ancestors 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {"Cache-Control": "no-store", "Cross-Origin-Opener-Policy": "same-origin"}

Visit = Request[Any, Any, State]

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def language(visit: Visit) -> str:
    """`?lang=`, else what was chosen before, else Vietnamese."""
    asked = visit.query_params.get("lang") or visit.cookies.get("lang")
    return asked if asked in LANGUAGES else "vi"


def page(
    visit: Visit,
    template: str,
    *,
    status: int = 200,
    forms: str = "'self'",
    frames: str = "'none'",
    **given: Any,
) -> Response[bytes]:
    """A whole page. A template says both languages side by side: `{{ t("Gửi", "Send") }}`.

    `forms` are the origins that the page's forms may end at, redirects included; `frames` what it may show in a frame.
    """
    lang = language(visit)

    def both(vi: str, en: str) -> str:
        return en if lang == "en" else vi

    brand: Brand = visit.app.state.brand
    look = {"brand": brand, "mail_host": MAIL_HOST, "files": static_files.paths(brand)}
    text = _templates.get_template(template).render(lang=lang, t=both, path=visit.url.path, **look, **given)
    chosen = Cookie(key="lang", value=lang, path="/", samesite="lax")
    return Response(
        text.encode(),
        media_type=MediaType.HTML,
        status_code=status,
        headers=HEADERS | {"Content-Security-Policy": CSP.format(forms=forms, frames=frames)},
        cookies=[chosen] if "lang" in visit.query_params else [],
    )


async def own_page_only(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Guard of the demo's switches: another site's page may not press them."""
    if connection.headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        raise PermissionDeniedException("cross-site")


def json_of(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response[bytes]:
    """A JSON answer that nobody keeps."""
    return Response(
        msgspec.json.encode(value),
        status_code=status,
        media_type=MediaType.JSON,
        headers={"Cache-Control": "no-store"} | (headers or {}),
    )
