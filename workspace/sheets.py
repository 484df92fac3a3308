"""Rows as a file to keep."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from litestar import Response

from backend.hanging_up import GONE
from backend.imports.exported import lines, workbook
from backend.words import mark as _

# the last line of a file that does not hold everything that was asked for: nobody takes it for the whole
CUT = _("Tệp dừng ở đây; phần cũ hơn, nếu có, không có trong tệp. Hãy chọn khoảng ngày hẹp hơn để xuất tiếp.")
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
