"""The browser's own files under names that change with their content, kept for a year.

The scripts are htmx with one extension and our few lines, sent as one file; the style sheet and the gate take the
province's colours. Nothing is built.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

import msgspec
from litestar import Request, Response, Router, get
from litestar.datastructures import State
from litestar.params import FromPath

from backend.branding.brand import Brand
from backend.branding.colours import plain, style
from backend.errors import CannotStart, NotFound
from backend.openness import Openness
from workspace.given_once import GivenOnce

STATIC = Path(__file__).parent / "static"
VENDOR = ("htmx.min.js", "hx-csp.min.js")
COLOURS = "colours.css"  # made from the branding
FILES = {
    "workspace.js": (
        "text/javascript; charset=utf-8",
        (*(f"vendor/{name}" for name in VENDOR), "workspace.js", "unsent.js"),
    ),
    "workspace.css": ("text/css; charset=utf-8", (COLOURS, "workspace.css")),
    "colours.css": ("text/css; charset=utf-8", (COLOURS,)),  # what another page of this house may take
    "gate.svg": ("image/svg+xml", ("gate.svg",)),
}


class AssetsMissing(CannotStart):
    """htmx has not been copied from its package: `make run` brings it."""


class Asset(msgspec.Struct, frozen=True):
    """One file, ready to be sent as it is or compressed."""

    path: str
    kind: str
    plain: bytes
    packed: bytes


@cache
def assets(brand: Brand) -> dict[str, Asset]:
    """Every file by name, read and compressed once. Without htmx there is no script, and pages do without."""
    return {name: _asset(name, kind, parts, brand) for name, (kind, parts) in FILES.items()}


def expect_scripts() -> None:
    """Raises AssetsMissing when htmx is not here: in production nobody would notice until a manager does."""
    for name in VENDOR:
        if not (STATIC / "vendor" / name).is_file():
            raise AssetsMissing(
                f"workspace/static/vendor/{name} is missing: run `make run` in the checkout first"
            )


def paths(brand: Brand) -> dict[str, str]:
    """Where a page finds each file now."""
    return {name: asset.path for name, asset in assets(brand).items()}


@get("/{digest:str}/{name:str}", name="workspace.static", open_to=Openness.ANYBODY)
async def static_file(
    request: Request[Any, Any, State], digest: FromPath[str], name: FromPath[str]
) -> Response[bytes]:
    """A file under its present digest; there is no path to walk, names are looked up in a table."""
    asset = assets(request.app.state.brand).get(name)
    if asset is None or not asset.path.endswith(f"/{digest}/{name}"):
        raise NotFound
    packed = "gzip" in request.headers.get("accept-encoding", "")
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "Vary": "Accept-Encoding",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
    if packed:
        headers["Content-Encoding"] = "gzip"
    return Response(asset.packed if packed else asset.plain, media_type=asset.kind, headers=headers)


def router(path: str) -> Router:
    """Served without looking up any session."""
    return GivenOnce(path=path, route_handlers=[static_file], include_in_schema=False)


def _asset(name: str, kind: str, parts: tuple[str, ...], brand: Brand) -> Asset:
    whole = all(part == COLOURS or (STATIC / part).is_file() for part in parts)
    plain = b"\n".join(_read(part, brand) for part in parts) if whole else b"// htmx is not installed"
    digest = hashlib.sha256(plain).hexdigest()[:16]
    path = f"/workspace/static/{digest}/{name}"
    return Asset(path, kind, plain, gzip.compress(plain, 9, mtime=0))


def _read(part: str, brand: Brand) -> bytes:
    """A file's bytes without the pointer to a source map, which is not shipped; a picture in the province's colours."""
    if part == COLOURS:
        return style(brand.colours).encode()
    if part.endswith(".svg"):
        return Template((STATIC / part).read_text(encoding="utf-8")).substitute(plain(brand.colours)).encode()
    lines = (STATIC / part).read_bytes().splitlines()
    return b"\n".join(line for line in lines if not line.startswith(b"//# sourceMappingURL="))
