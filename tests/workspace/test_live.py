"""The stream that tells open pages to look again; on both engines, since the bell crosses processes on one."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import date
from uuid import uuid4

import httpx2
import pytest

from backend.outbox.bell import DELIVERIES, REQUESTS, STATES
from backend.roles import managers
from backend.roles.authority import Authority, Post
from tests.parts.client import client
from tests.parts.processes import within
from tests.workspace.office import Desk, Office
from workspace.live import concerns

WAIT = 10


async def heard(answer: httpx2.Response, word: str) -> bool:
    """Whether the stream says the word before it ends."""
    async for line in answer.aiter_lines():
        if line == f"event: {word}":
            return True
    return False


async def asked(http: httpx2.AsyncClient) -> httpx2.Response:
    """Status and headers of an answer that is read no further, since a stream that was opened goes on."""
    async with http.stream("GET", "/workspace/events") as answer:
        return answer


async def test_a_new_request_is_heard_and_the_stream_says_nothing_personal(
    office: Office, desk: Desk
) -> None:
    async with within(WAIT, "word of a new request"), desk.http.stream("GET", "/workspace/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        lines = answer.aiter_lines()
        said = [await anext(lines), await anext(lines)]
        await office.asks("Nguyễn Tất Thành")
        while "event: look" not in said:
            said.append(await anext(lines))
        assert "Thành" not in "".join(said)


@pytest.mark.parametrize(
    ("topic", "plain", "with_states"),
    [
        (f"{REQUESTS}:/1/2/3/", True, True),  # below one's unit
        (f"{REQUESTS}:/1/2/", True, True),
        (f"{REQUESTS}:/1/", False, False),  # the unit above, and another one
        (f"{REQUESTS}:/1/22/", False, False),
        (REQUESTS, True, True),  # something was missed
        (STATES, False, True),  # only pages that show how far systems are
        (DELIVERIES, False, True),
    ],
)
def test_a_page_looks_again_only_for_what_concerns_its_units(
    topic: str, plain: bool, with_states: bool
) -> None:
    unit = uuid4()
    posts = {unit: Post(unit, "NV", "Sở Nội vụ", "/1/2/", uuid4())}
    who = Authority(uuid4(), date(2026, 3, 2), frozenset(), posts)
    assert concerns(topic, who, states=False) == plain
    assert concerns(topic, who, states=True) == with_states


async def test_coming_back_looks_at_once_for_what_was_missed(desk: Desk) -> None:
    headers = {"Last-Event-ID": "1"}
    told = within(WAIT, "word of what was missed")
    async with told, desk.http.stream("GET", "/workspace/events", headers=headers) as answer:
        assert await heard(answer, "look")


async def test_the_stream_ends_with_the_session(office: Office, desk: Desk) -> None:
    async with within(WAIT, "the end of the stream"), desk.http.stream("GET", "/workspace/events") as answer:
        await desk.send("/workspace/sign-out", {})
        await office.asks("Ai đó")  # rings, so that the heartbeat need not be awaited
        assert await heard(answer, "signed-out")


async def test_a_stranger_hears_nothing(office: Office) -> None:
    async with client(office.service.url) as http:
        assert (await asked(http)).status_code == 303


async def test_a24_whoever_manages_nothing_gets_no_stream(office: Office) -> None:
    citizen = await office.desk(await office.person("Phan Văn Trị"))
    for _ in range(12):
        assert (await asked(citizen.http)).status_code == 403, "a stream was opened"
    await citizen.http.aclose()


async def test_a24_a_session_has_eight_streams_and_the_ninth_waits(office: Office, desk: Desk) -> None:
    async with contextlib.AsyncExitStack() as stack:
        opened = [
            await stack.enter_async_context(desk.http.stream("GET", "/workspace/events")) for _ in range(8)
        ]
        assert [answer.status_code for answer in opened] == [200] * 8
        ninth = await asked(desk.http)
        assert ninth.status_code == 429, "a ninth stream was opened"
        assert int(ninth.headers["retry-after"]) > 0
        assert (await desk.http.get("/workspace")).status_code == 200, "the page itself is there"
        await opened[0].aclose()
        assert await again(desk), "a place that is given back is a place"


async def test_a24_sixty_four_at_once_get_eight(desk: Desk) -> None:
    async with within(60, "sixty-four answers"), contextlib.AsyncExitStack() as stack:

        async def ask() -> int:
            return (await stack.enter_async_context(desk.http.stream("GET", "/workspace/events"))).status_code

        said = await asyncio.gather(*(ask() for _ in range(64)))
    assert sorted(said) == [200] * 8 + [429] * 56


async def test_a24_the_stream_ends_with_the_right_to_see_the_page(office: Office, desk: Desk) -> None:
    async with within(WAIT, "the end of the stream"), desk.http.stream("GET", "/workspace/events") as answer:
        service, number = office.service, office.chi.persona.national_id
        async with service.db.write() as tx:
            await managers.remove(tx, service.kit, office.unit, number, by=None, now=service.clock.now())
        await office.asks("Ai đó")
        lines = [line async for line in answer.aiter_lines()]  # to its end
    assert "event: look" in lines and "event: signed-out" not in lines
    assert (await asked(desk.http)).status_code == 403


async def again(desk: Desk) -> bool:
    """Whether a stream opens, as soon as the server has noticed that another was closed."""
    for _ in range(100):
        async with desk.http.stream("GET", "/workspace/events") as answer:
            if answer.status_code == 200:
                return True
        await asyncio.sleep(0.05)
    return False


async def test_a_head_of_the_stream_ends_at_once(desk: Desk) -> None:
    async with within(WAIT, "the ends of twelve answers"):
        for _ in range(12):
            answer = await desk.http.head("/workspace/events")
            assert answer.status_code == 200 and not answer.content
