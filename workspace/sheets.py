"""Rows as a file to keep."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from litestar import Response

from backend.hanging_up import GONE
from backend.imports.exported import lines, workbook

KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def left_off() -> Response[bytes]:
    """Whoever asked has hung up: nothing more is looked for, and nobody gets this."""
    return Response(b"", status_code=GONE)


async def attachment(kind: str, name: str, rows: Sequence[Sequence[str]]) -> Response[bytes]:
    """The rows as a file to keep, written on a thread: it is the length of an answer in which others wait."""
    content = await asyncio.to_thread(workbook if kind == "xlsx" else lines, rows)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{kind}"'}
    return Response(content, media_type=KINDS[kind], headers=headers)
