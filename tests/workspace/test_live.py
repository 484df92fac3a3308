"""The stream that tells open pages to look again; on both engines, since the bell crosses processes on one."""

from __future__ import annotations

import asyncio

import httpx2

from tests.parts.client import client
from tests.workspace.office import Desk, Office

WAIT = 10


async def heard(answer: httpx2.Response, word: str) -> bool:
    """Whether the stream says the word before it ends."""
    async for line in answer.aiter_lines():
        if line == f"event: {word}":
            return True
    return False


async def test_a_new_request_is_heard_and_the_stream_says_nothing_personal(
    office: Office, desk: Desk
) -> None:
    async with asyncio.timeout(WAIT), desk.http.stream("GET", "/workspace/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        lines = answer.aiter_lines()
        said = [await anext(lines), await anext(lines)]
        await office.asks("Nguyễn Tất Thành")
        while "event: look" not in said:
            said.append(await anext(lines))
        assert "Thành" not in "".join(said)


async def test_coming_back_looks_at_once_for_what_was_missed(desk: Desk) -> None:
    headers = {"Last-Event-ID": "1"}
    async with asyncio.timeout(WAIT), desk.http.stream("GET", "/workspace/events", headers=headers) as answer:
        assert await heard(answer, "look")


async def test_the_stream_ends_with_the_session(office: Office, desk: Desk) -> None:
    async with asyncio.timeout(WAIT), desk.http.stream("GET", "/workspace/events") as answer:
        await desk.send("/workspace/sign-out", {})
        await office.asks("Ai đó")  # rings, so that the heartbeat need not be awaited
        assert await heard(answer, "signed-out")


async def test_a_stranger_hears_nothing(office: Office) -> None:
    async with client(office.service.url) as http:
        assert (await http.get("/workspace/events")).status_code == 303
