"""A press that the door has let in changes nothing once its session has ended while it waited (A01, rules 303, 616)."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import update

from backend.devices.models import Session
from tests.workspace.office import TOKEN, Desk, Office
from tests.workspace.test_deciding import state, word

# where writers stand in line; on PostgreSQL it is a row that a press waits for
pytestmark = pytest.mark.parametrize("service", ["sqlite"], indirect=True)


async def pressed_too_late(office: Office, desk: Desk, path: str, form: dict[str, Any]) -> Any:
    """The answer to a press that waits for its turn while Chi's sessions end."""
    service, token = office.service, TOKEN.search(await desk.page("/workspace"))
    assert token is not None
    async with service.db.write() as tx:
        press = asyncio.create_task(desk.send(path, form, token=token.group(1)))
        async with asyncio.timeout(10):
            while not service.db._turn._waiters:
                await asyncio.sleep(0.01)
        mine = update(Session).where(Session.account_id == office.chi.account_id)
        await tx.execute(mine.values(ended_at=service.clock.now(), end_reason="signed_out"))
    return await press


async def test_a01_a_word_that_waited_while_its_session_ended_is_not_said(office: Office, desk: Desk) -> None:
    request_id = await office.asks("Trần Văn Chờ Lượt")
    path = f"/workspace/requests/{request_id}/decision"
    answer = await pressed_too_late(office, desk, path, word("approved"))
    assert answer.status_code == 303 and "/workspace/login" in answer.headers["location"]
    assert await state(office, request_id) == "pending"


async def test_a01_nor_is_one_of_many(office: Office, desk: Desk) -> None:
    request_id = await office.asks("Trần Văn Một Trong Nhiều")
    form = {"decision": "approved", "pick": [f"{request_id}:1"]}
    answer = await pressed_too_late(office, desk, "/workspace/bulk", form)
    assert answer.status_code == 303 and "/workspace/login" in answer.headers["location"]
    assert await state(office, request_id) == "pending"
