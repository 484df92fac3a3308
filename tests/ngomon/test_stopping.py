"""A server that stops, and callers that hang up: neither is a mistake of ours (case TF23; rules 801, 804)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import pytest
import uvicorn
from structlog.testing import capture_logs

from backend.db import Database, new_id
from backend.hanging_up import GONE, has_hung_up
from backend.limits import Limits
from backend.outside.clock import Clock
from backend.trouble import DatabaseAway
from ngomon import tasks
from ngomon.edge import Edge
from tests.attacks.problems import refused
from tests.parts.client import client
from tests.parts.processes import free_port, within

BODILESS = {"type": "http.request", "body": b"", "more_body": False}
HUNG_UP = {"type": "http.disconnect"}


class Door:
    """Who has come by, and when last."""

    seen: dict[UUID, datetime]


class NoRoutes:
    """Every call is as long as another."""

    def said(self, _method: str, _path: str) -> Any:
        """Nothing of it."""


def around(app: Any, url: str = "http://x") -> Edge:
    async def nobody(*_: Any) -> bool:
        return False

    routes: Any = NoRoutes()
    return Edge(
        app, Limits(), routes, proxies=0, public_url=url, has_answered=nobody, is_known=nobody, log_reads=100
    )


def hears(*messages: dict[str, Any]) -> Callable[[], Any]:
    """What the caller sends; then it waits."""
    rest = list(messages)

    async def receive() -> Any:
        if not rest:
            await asyncio.Event().wait()
        return rest.pop(0)

    return receive


async def test_tf23_a_call_that_outlasts_the_stop_is_answered_and_no_mistake(
    caplog: pytest.LogCaptureFixture,
) -> None:
    port, reached = free_port(), asyncio.Event()

    async def endless(_scope: Any, _receive: Any, _send: Any) -> None:
        reached.set()
        await asyncio.Event().wait()

    url = f"http://127.0.0.1:{port}"
    app: Any = around(endless, url)
    config = uvicorn.Config(
        app, port=port, lifespan="off", log_config=None, loop="none", timeout_graceful_shutdown=0
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve())
    async with within(30, "an answer of the server that stops"), client(url) as http:
        while not server.started:
            await asyncio.sleep(0.02)
        asked = asyncio.create_task(http.get("/v1/me"))
        await reached.wait()
        server.should_exit = True
        refused(await asked, 503, "server_stopping")
        await serving
    assert "Exception in ASGI application" not in caplog.text


@pytest.mark.parametrize(("more", "status"), [((), 503), ((HUNG_UP,), GONE)])
async def test_tf23_a_cancelled_call_is_no_error_500_and_nobody_is_answered_who_has_hung_up(
    more: tuple[dict[str, Any], ...], status: int
) -> None:
    reached, sent = asyncio.Event(), list[Any]()

    async def endless(_scope: Any, _receive: Any, _send: Any) -> None:
        reached.set()
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        sent.append(message)

    scope: Any = {
        "type": "http", "method": "GET", "path": "/workspace/audit/export.csv", "query_string": b"",
        "client": ("127.0.0.1", 1), "headers": [(b"host", b"x")],
    }  # fmt: skip
    with capture_logs() as lines:
        call = asyncio.create_task(around(endless)(scope, hears(BODILESS, *more), send))
        await reached.wait()
        call.cancel()
        await call
    assert [(line["event"], line["status"]) for line in lines] == [("request", status)]
    assert [one["status"] for one in sent if "status" in one] == [503] * (status == 503)


async def test_an_answer_that_has_begun_is_not_finished_by_another(caplog: pytest.LogCaptureFixture) -> None:
    begun = asyncio.Event()

    async def stream(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        begun.set()
        await asyncio.Event().wait()

    sent = list[Any]()

    async def send(message: Any) -> None:
        sent.append(message)

    scope: Any = {
        "type": "http", "method": "GET", "path": "/workspace/events", "query_string": b"",
        "client": ("127.0.0.1", 1), "headers": [(b"host", b"x")],
    }  # fmt: skip
    call = asyncio.create_task(around(stream)(scope, hears(BODILESS), send))
    await begun.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert len(sent) == 1


async def test_whoever_waits_has_not_hung_up_and_nobody_is_waited_for() -> None:
    async with within(5, "a look"):
        assert not await has_hung_up(hears())
        assert not await has_hung_up(hears(BODILESS))
        assert await has_hung_up(hears(BODILESS, HUNG_UP))
        assert await has_hung_up(hears(HUNG_UP))


async def test_what_cannot_be_kept_now_is_kept_later_and_stops_no_stop() -> None:
    db, entry = Database(f"postgresql+asyncpg://nobody@127.0.0.1:{free_port()}/none"), cast(Any, Door())
    seen = {new_id(): Clock().now()}
    entry.seen = dict(seen)
    with pytest.raises(DatabaseAway):
        await tasks.write_seen(db, entry)
    assert entry.seen == seen
    await tasks.last_words(db, entry)
    await db.close()
