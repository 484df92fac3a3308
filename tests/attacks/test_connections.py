"""What one caller may keep a connection for: bytes and seconds of what is no request yet (A09, A16; rule 805)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import msgspec
import pytest
import pytest_asyncio

from tests.parts.processes import free_port
from tests.service import Service, served

HEAD = b"GET /health/live HTTP/1.1\r\nHost: x\r\n"
WHOLE = HEAD + b"\r\n"
POST = b"POST /v1/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
SOON = 8.0  # seconds in which a line with deadlines of one second is dead, on a busy machine too
MOST = 20 << 20  # what kernels keep of a stream that nobody reads is far less


@pytest_asyncio.fixture(loop_scope="session")
async def hasty(service: Service) -> AsyncIterator[Service]:
    """The same product with deadlines of a second."""
    limits = msgspec.structs.replace(
        service.app.settings.limits, header_seconds=1, request_seconds=1, idle_seconds=2
    )
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    async with served(
        msgspec.structs.replace(service.app.settings, limits=limits, public_url=url), port
    ) as other:
        yield other


@contextlib.asynccontextmanager
async def line(service: Service) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    place = urlsplit(service.url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def rest(reader: asyncio.StreamReader) -> bytes:
    """Everything until the line is dead; fails when it lives on."""
    found = bytearray()
    with contextlib.suppress(ConnectionError):
        while piece := await asyncio.wait_for(reader.read(65_536), SOON):
            found += piece
    return bytes(found)


async def say(writer: asyncio.StreamWriter, piece: bytes) -> None:
    """Send a piece; raises ConnectionError where the other side has hung up, whichever loop notices it."""
    if writer.is_closing():
        raise ConnectionResetError
    writer.write(piece)
    await writer.drain()


async def pour(writer: asyncio.StreamWriter, reader: asyncio.StreamReader, piece: bytes) -> int:
    """Send without an end; how many bytes until the line was dead."""
    sent = 0
    with contextlib.suppress(ConnectionError):
        while sent < MOST:
            await asyncio.wait_for(say(writer, piece), SOON)
            sent += len(piece)
            await asyncio.sleep(0)
    return sent


ENDLESS = {
    "a header": (HEAD + b"X: ", b"y" * 16_000),
    "a header's name": (HEAD, b"y" * 16_000),
    "headers": (HEAD, b"X: y\r\n" * 3000),
    "an address": (b"GET /", b"y" * 16_000),
    "a method": (b"", b"G" * 16_000),
    "a chunk's extension": (POST + b"Transfer-Encoding: chunked\r\n\r\n1;", b"y" * 16_000),
    "trailers": (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X: y\r\n" * 3000),
    "the second request's header": (WHOLE + HEAD + b"X: ", b"y" * 16_000),
    "a body of a request that takes none": (
        b"GET /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999\r\n\r\n",
        b"y" * 16_000,
    ),
}


@pytest.mark.parametrize("what", ENDLESS)
async def test_a09_what_never_ends_is_hung_up_on(service: Service, what: str) -> None:
    begin, piece = ENDLESS[what]
    async with line(service) as (reader, writer):
        writer.write(begin)
        assert await pour(writer, reader, piece) < MOST, what


async def test_a09_the_caller_is_told_that_the_headers_are_too_large(service: Service) -> None:
    async with line(service) as (reader, writer):
        writer.write(HEAD + b"X: ")
        for _ in range(5):
            writer.write(b"y" * 4000)
            await writer.drain()
            await asyncio.sleep(0.02)
        said = await rest(reader)
    assert said.startswith(b"HTTP/1.1 431 ") and b"headers_too_large" in said and b"problem+json" in said


async def test_a09_headers_up_to_the_limit_are_read_however_they_come(service: Service) -> None:
    sent = HEAD + b"X: " + b"y" * 15_000 + b"\r\n\r\n"
    for step in (701, 15_000, len(sent)):
        async with line(service) as (reader, writer):
            for start in range(0, len(sent), step):
                writer.write(sent[start : start + step])
                await writer.drain()
                await asyncio.sleep(0)
            assert (await reader.readline()).startswith(b"HTTP/1.1 200"), step


async def test_a09_others_are_served_while_twenty_pour_headers(service: Service) -> None:
    async def attack() -> None:
        while not over.is_set():
            async with line(service) as (reader, writer):
                writer.write(HEAD + b"X: ")
                await pour(writer, reader, b"y" * 16_000)

    over = asyncio.Event()
    attackers = [asyncio.create_task(attack()) for _ in range(20)]
    try:
        for _ in range(50):
            assert (await service.http.get("/health/live")).status_code == 200
    finally:
        over.set()
        await asyncio.gather(*attackers)


UNFINISHED = {
    "silence": b"",
    "an empty line": b"\r\n",
    "half a request": b"GET /health/live HTT",
    "half of the headers": HEAD + b"X: y",
    "half a body": POST + b"Content-Length: 40\r\n\r\n{",
    "half a chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n10\r\n{",
    "half a body that nobody wants": b"GET /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n{",
    "half of a second request": WHOLE + HEAD,
    "nothing after a request": WHOLE,
}


@pytest.mark.parametrize("what", UNFINISHED)
async def test_a16_whoever_keeps_us_waiting_is_hung_up_on(hasty: Service, what: str) -> None:
    async with line(hasty) as (reader, writer):
        writer.write(UNFINISHED[what])
        await rest(reader)


DRIPS = {
    "headers": HEAD + b"X: ",
    "a body": POST + b"Content-Length: 4000\r\n\r\n",
    "a body that nobody wants": b"GET /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\n",
}


@pytest.mark.parametrize("what", DRIPS)
async def test_a16_a_byte_now_and_then_buys_no_time(hasty: Service, what: str) -> None:
    async with line(hasty) as (reader, writer):
        writer.write(DRIPS[what])
        over = asyncio.create_task(rest(reader))
        with contextlib.suppress(ConnectionError):
            while not over.done():
                await say(writer, b"y")
                await asyncio.wait([over], timeout=0.2)
        await over


async def test_a16_three_hundred_half_requests_and_two_hundred_silent_lines_are_gone(hasty: Service) -> None:
    async with contextlib.AsyncExitStack() as lines:
        held = []
        for number in range(500):
            reader, writer = await lines.enter_async_context(line(hasty))
            if number < 300:
                writer.write(HEAD)
            held.append(reader)
        assert (await hasty.http.get("/health/live")).status_code == 200
        await asyncio.gather(*map(rest, held))
    assert (await hasty.http.get("/health/live")).status_code == 200


async def test_a16_a_late_body_is_refused_in_words(hasty: Service) -> None:
    async with line(hasty) as (reader, writer):
        writer.write(POST + b"Content-Length: 40\r\n\r\n{")
        assert b"request_timeout" in await rest(reader)


async def test_a16_whoever_fetches_no_answer_is_hung_up_on(hasty: Service) -> None:
    ask = b"GET /schema/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
    async with line(hasty) as (reader, writer):
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        with contextlib.suppress(ConnectionError):
            async with asyncio.timeout(30):
                while True:
                    await say(writer, ask)
                    await asyncio.sleep(0.01)


async def test_a16_a_kept_line_serves_request_after_request(hasty: Service) -> None:
    async with line(hasty) as (reader, writer):
        for _ in range(6):  # longer than any deadline in all
            writer.write(HEAD)
            await asyncio.sleep(0.3)
            writer.write(b"\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200")
            await reader.readexactly(len(b'{"status":"ok"}'))
            await asyncio.sleep(0.3)
