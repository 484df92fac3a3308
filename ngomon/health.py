"""Whether the process lives and can serve, and its figures (rule 1010)."""

from __future__ import annotations

import hmac
from contextlib import suppress
from typing import Any, Protocol

from litestar import MediaType, Request, Response, get
from litestar.types import ControllerRouterHandler
from sqlalchemy import text

from backend import figures
from backend.db import Database
from backend.errors import NotFound, Unavailable
from backend.kit import Kit
from backend.openness import Openness
from backend.outside.certificates.certificates import Certificates
from backend.outside.clock import Clock
from backend.settings import Settings
from backend.trouble import StorageTrouble


class NotReady(Unavailable):
    """The database does not answer, or takes nothing more."""

    code = "not_ready"
    title = "Hệ thống chưa sẵn sàng"


class Outside(Protocol):
    """Whom certificates are accepted of."""

    certificates: Certificates


class Parts(Protocol):
    """What health is asked of."""

    db: Database
    settings: Settings
    kit: Kit
    clock: Clock

    @property
    def outside(self) -> Outside:
        """What is not ours."""
        ...


async def _standing(parts: Parts) -> bytes:
    """How things stand, and what all processes have counted; while the database cannot say, that alone."""
    from ngomon.gauges import Away, Standing, exposed  # not before somebody scrapes

    with suppress(StorageTrouble):  # full, perhaps: what is kept can still be read
        await figures.keep(parts.db)
    until = parts.outside.certificates.first_end
    try:
        async with parts.db.read() as tx:
            return (await Standing.of(tx, parts.kit, parts.clock.now(), authority_until=until)).text()
    except StorageTrouble:
        return exposed(Away())


def health_routes(parts: Parts) -> list[ControllerRouterHandler]:
    """`/health/live`, `/health/ready`, `/metrics`."""

    @get("/health/live", open_to=Openness.ANYBODY, include_in_schema=False)
    async def live() -> dict[str, str]:
        return {"status": "ok"}

    @get("/health/ready", open_to=Openness.ANYBODY, include_in_schema=False)
    async def ready() -> dict[str, str]:
        try:
            async with parts.db.read() as tx:
                await tx.execute(text("SELECT 1 FROM journal_head"))
            await parts.db.prove_writable()
        except Exception as error:
            raise NotReady(retry_after=5) from error
        return {"status": "ok"}

    @get("/metrics", open_to=Openness.OPERATOR, include_in_schema=False)
    async def metrics(request: Request[Any, Any, Any]) -> Response[bytes]:
        wanted = f"Bearer {parts.settings.metrics_token}"
        given = request.headers.get("authorization", "")
        shown = parts.settings.open_docs or (
            parts.settings.metrics_token and hmac.compare_digest(given.encode(), wanted.encode())
        )
        if not shown:
            raise NotFound
        return Response(await _standing(parts), media_type=MediaType.TEXT)

    return [live, ready, metrics]
