"""The guard at the door, against real sockets."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_address

import pytest

from backend.outside.addresses import AddressRefused, Allowed, HttpTrouble, NotSent, Unreachable, is_public
from backend.outside.http import Guarded, ReplyTooLarge
from tests.parts.processes import free_port

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def somebody(answer: Answer) -> AsyncIterator[int]:
    """A server that reads one head and answers as told; gives its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        try:
            await answer(writer)
            await writer.drain()
        except ConnectionError:
            pass  # the guard hung up, as it should
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def raw(head: bytes, body: bytes = b"") -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    return answer


INSIDE = [
    "127.0.0.1", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "0.0.0.0", "::",
    "10.1.2.3", "172.16.0.1", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "fd00::1", "fe80::1", "fec0::1",
    "224.0.0.1", "ff02::1", "255.255.255.255",
    "64:ff9b::a00:1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "::7f00:1",
    "198.18.0.1", "192.0.2.1", "240.0.0.1",
]  # fmt: skip


@pytest.mark.parametrize("inside", INSIDE)
def test_an_inside_address_is_never_public(inside: str) -> None:
    assert not is_public(ip_address(inside))


@pytest.mark.parametrize("outside", ["8.8.8.8", "203.113.131.1", "2001:4860:4860::8888", "64:ff9b::808:808"])
def test_an_outside_address_is_public(outside: str) -> None:
    assert is_public(ip_address(outside))


WRONG = [
    "https://127.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://0/", "https://0x7f.1/",
    "https://2130706433/", "https://169.254.169.254/latest", "https://100.64.0.1/", "https://[fd00::1]/",
    "https://user@127.0.0.1/", "https://user:word@8.8.8.8/", "https://localhost/", "https://localhost./",
    "https://8.8.8.8:22/", "http://8.8.8.8/", "file:///etc/passwd", "gopher://8.8.8.8/", "ldap://8.8.8.8/",
    "https:///x", "https://8.8.8.8:99999/", "https://8.8.8.8/#part", "",
]  # fmt: skip


@pytest.mark.parametrize("url", WRONG)
async def test_an_address_of_the_inside_is_refused_when_it_is_saved(url: str) -> None:
    with pytest.raises(HttpTrouble) as refused:
        await Guarded().check(url)
    assert str(refused.value) == "address_refused"


@pytest.mark.parametrize("url", ["https://8.8.8.8/scim", "https://8.8.8.8:8443/scim"])
async def test_a_public_encrypted_address_may_be_saved(url: str) -> None:
    await Guarded().check(url)


async def test_an_open_and_a_closed_port_of_the_inside_are_refused_alike() -> None:
    guarded = Guarded()
    async with somebody(raw(b"HTTP/1.1 200 OK")) as opened:
        with pytest.raises(AddressRefused) as first:
            await guarded.request("GET", f"http://127.0.0.1:{opened}/")
    with pytest.raises(AddressRefused) as second:
        await guarded.request("GET", f"http://127.0.0.1:{opened}/")
    assert str(first.value) == str(second.value)


@pytest.mark.parametrize(
    "spelling", ["127.0.0.1", "2130706433", "0x7f000001", "localhost", "[::ffff:127.0.0.1]"]
)
async def test_a_spelling_of_the_inside_is_refused_when_connecting(spelling: str) -> None:
    async with somebody(raw(b"HTTP/1.1 200 OK")) as port:
        with pytest.raises(AddressRefused):
            await Guarded().request("GET", f"http://{spelling}:{port}/")


@pytest.mark.parametrize("entry", ["127.0.0.1", "127.0.0.0/8", "127.0.0.1:{port}", "::ffff:127.0.0.1"])
async def test_a_listed_place_is_reached_even_without_encryption(entry: str) -> None:
    async with somebody(raw(b"HTTP/1.1 200 OK", b"here")) as port:
        guarded = Guarded([entry.format(port=port)])
        said = await guarded.request("GET", f"http://127.0.0.1:{port}/")
        await guarded.close()
    assert (said.status_code, said.content) == (200, b"here")


async def test_a_listed_port_does_not_open_its_neighbours() -> None:
    async with somebody(raw(b"HTTP/1.1 200 OK")) as port:
        with pytest.raises(AddressRefused):
            await Guarded([f"127.0.0.1:{port + 1}"]).request("GET", f"http://127.0.0.1:{port}/")


def test_an_entry_that_is_no_place_is_an_error() -> None:
    with pytest.raises(ValueError, match="not a host"):
        Allowed(["http://x:y:z"])


async def test_a_redirect_is_not_followed() -> None:
    async with somebody(raw(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/")) as port:
        said = await Guarded(["127.0.0.1"]).request("GET", f"http://127.0.0.1:{port}/")
    assert said.status_code == 302


async def _endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1000\r\n" + b"a" * 4096 + b"\r\n")
        await writer.drain()


@pytest.mark.parametrize(
    "answer",
    [
        raw(b"HTTP/1.1 200 OK", b"a" * 65537),
        _endless,
        raw(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip", gzip.compress(bytes(50_000_000), 1)),
        raw(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip", gzip.compress(bytes(65_537))),
    ],
    ids=["too long", "endless", "bomb", "small bomb"],
)
async def test_a_reply_that_is_too_long_is_cut(answer: Answer) -> None:
    async with somebody(answer) as port:
        with pytest.raises(ReplyTooLarge):
            await Guarded(["127.0.0.1"]).request("GET", f"http://127.0.0.1:{port}/")


async def test_a_small_packed_reply_is_unpacked() -> None:
    async with somebody(raw(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip", gzip.compress(b'{"a":1}'))) as port:
        said = await Guarded(["127.0.0.1"]).request("GET", f"http://127.0.0.1:{port}/")
    assert said.json() == {"a": 1}


async def _drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while True:
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(0.05)


async def _only_interim(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("answer", [_drip, _only_interim], ids=["drip", "interim answers"])
async def test_a_reply_that_never_ends_is_given_up(answer: Answer) -> None:
    async with somebody(answer) as port, asyncio.timeout(3):
        with pytest.raises(Unreachable):
            await Guarded(["127.0.0.1"]).request("GET", f"http://127.0.0.1:{port}/", timeout=0.4)


@pytest.mark.parametrize(
    "answer",
    [_drip, _only_interim, raw(b"HTTP/1.1 2"), raw(b"no HTTP")],
    ids=["drip", "interim", "torn", "noise"],
)
async def test_to13_a_request_that_had_begun_to_leave_is_not_said_to_have_stayed(answer: Answer) -> None:
    async with somebody(answer) as port:
        with pytest.raises(Unreachable) as trouble:
            await Guarded(["127.0.0.1"]).request("GET", f"http://127.0.0.1:{port}/", timeout=0.4)
    assert not isinstance(trouble.value, NotSent)


async def test_to13_a_kept_connection_that_was_hung_up_under_a_request_is_not_tried_again() -> None:
    heads = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal heads
        for last in (False, True):
            await reader.readuntil(b"\r\n\r\n")
            heads += 1
            if not last:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    guarded = Guarded(["127.0.0.1"])
    assert (await guarded.request("GET", url)).status_code == 200
    with pytest.raises(Unreachable) as trouble:
        await guarded.request("GET", url)
    await guarded.close()
    server.close()
    assert heads == 2 and not isinstance(trouble.value, NotSent)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:{closed}/", "https://127.0.0.1:{silent}/", "http://nobody.invalid/"]
)
async def test_to13_without_a_connection_nothing_was_sent(url: str) -> None:
    """Refused; a TLS handshake that nobody answers, up to the deadline; a name that does not exist."""
    async with somebody(raw(b"HTTP/1.1 200 OK")) as silent:
        with pytest.raises(NotSent):
            await Guarded(["127.0.0.1", "nobody.invalid"]).request(
                "GET", url.format(closed=free_port(), silent=silent), timeout=0.4
            )


async def test_a_bomb_of_headers_is_given_up() -> None:
    async with somebody(raw(b"HTTP/1.1 200 OK\r\n" + b"X-A: " + b"a" * 300_000)) as port:
        with pytest.raises(Unreachable):
            await Guarded(["127.0.0.1"]).request("GET", f"http://127.0.0.1:{port}/")


async def test_nothing_of_the_environment_leads_a_call_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    async with somebody(raw(b"HTTP/1.1 200 OK", b"here")) as port:
        http = Guarded([f"127.0.0.1:{port}"])
        said = await http.request("GET", f"http://127.0.0.1:{port}/")
        await http.close()
    assert said.content == b"here"


async def test_a_cookie_of_one_answer_is_told_to_nobody() -> None:
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\nSet-Cookie: who=somebody; Path=/\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    http = Guarded([f"127.0.0.1:{port}"])
    for _ in range(2):
        await http.request("GET", f"http://127.0.0.1:{port}/")
    await http.close()
    server.close()
    assert len(heard) == 2
    assert all(b"cookie" not in head.lower() for head in heard)
