"""What every refusal looks like, and what must be as it was before (RFC 9457; docs/attacks.md, the global pass rule)."""

from __future__ import annotations

from typing import Any

import httpx2
from sqlalchemy import text

from backend.db import Base
from backend.errors import Refusal, catalogue
from tests.service import Service

MAY_GROW = (
    *("journal", "journal_head", "throttle_budgets", "tallies", "seen_proofs", "alembic_version"),
    *("figures", "lived_time"),  # what the worker writes about itself as it comes up
    *(
        "journal_placed",
        "journal_places",
    ),  # where the journal's entries belong, which the worker says behind them
)


def refused(answer: httpx2.Response, status: int | None = None, code: str | None = None) -> dict[str, Any]:
    """The problem; its shape is checked, and status and code where given."""
    assert answer.status_code < 500 or answer.status_code == 503, (answer.status_code, answer.text)
    assert answer.headers.get("content-type") == "application/problem+json", (answer.status_code, answer.text)
    body: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail", "instance", "code"} <= body.keys()
    assert body["code"] in catalogue(), f"{body['code']} is in no catalogue"
    assert body["status"] == answer.status_code
    assert body["status"] in _statuses(Refusal, body["code"])
    assert body["instance"] == f"urn:request:{answer.headers['x-request-id']}"
    if answer.status_code in (429, 503):
        assert int(answer.headers["retry-after"]) >= 0
        assert "no-store" in answer.headers["cache-control"]
    if answer.status_code == 401:
        assert answer.headers["www-authenticate"].startswith("DPoP ")
    for word in ("Traceback", "sqlalchemy", "asyncpg", "SELECT ", "backend."):
        assert word not in answer.text
    if status is not None:
        assert answer.status_code == status, answer.text
    if code is not None:
        assert body["code"] == code, answer.text
    return body


async def rows(service: Service) -> dict[str, int]:
    """How many rows each table has that only a success may make longer."""
    async with service.db.read() as tx:
        names = [table.name for table in Base.metadata.sorted_tables if table.name not in MAY_GROW]
        return {name: int(await tx.scalar(text(f"SELECT COUNT(*) FROM {name}")) or 0) for name in names}


def _statuses(kind: type[Refusal], code: str) -> set[int]:
    """Two refusals may share a code: a field that does not parse (400) and one that does not do (422)."""
    below = [_statuses(child, code) for child in kind.__subclasses__()]
    return set().union({kind.status} if kind.code == code else set(), *below)
