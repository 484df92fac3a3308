"""A connector to the real directory, and people as the roles would describe them."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest

from backend.outside.connectors import Connector, DeliveryError, Desired, GroupRef, Target, connect
from backend.outside.http import Guarded
from tests.backend.outside.errands import mine
from tests.parts.directory import Directory

OFFICE = GroupRef("H57.01", "Văn phòng")
REFORM = GroupRef("H57.02", "Phòng Cải cách hành chính")
DOCS = GroupRef("role:docs", "Văn thư")
NAME = "Nguyễn Thị Ngọc Ánh"


def somebody(
    account: UUID | str | None = None, *, mail: str | None = "anh@hue.example", **changes: Any
) -> Desired:
    """A person with one role; `active=False` for one without any, whose address nobody knows any more."""
    external_id = str(account or uuid4())
    if changes.get("active") is False:
        return Desired(external_id=external_id, user_name=external_id, full_name=NAME, active=False)
    whole: dict[str, Any] = {
        "external_id": external_id,
        "user_name": mail or external_id,
        "full_name": NAME,
        "title": "Chuyên viên",
        "employee_number": "CB-0001",
        "email": mail,
        "organization": "Sở Nội vụ",
        "department": OFFICE.display_name,
        "unit_code": OFFICE.external_id,
        "groups": [OFFICE, DOCS],
    }
    return Desired(**(whole | changes))


def target(directory: Directory, **changes: Any) -> Target:
    """The directory as a system is reached."""
    whole: dict[str, Any] = {
        "url": directory.url,
        "token": directory.password,
        "reply_timeout": 2.0,
        "options": directory.options,
    }
    return Target(**(whole | changes))


async def connected(directory: Directory, **changes: Any) -> Connector:
    """A connector that may call loopback."""
    return await connect("ldap", target(directory, **changes), Guarded(["127.0.0.1"]))


async def word(directory: Directory, **changes: Any) -> tuple[str, bool, bool]:
    """What becomes of a delivery to a directory that is reached in another way."""
    with pytest.raises(DeliveryError) as refused:
        await (await connected(directory, **changes)).apply(somebody(), None, mine)
    return refused.value.code, refused.value.permanent, refused.value.of_system


@asynccontextmanager
async def listening(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any], tls: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Something else than a directory; its port."""
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
