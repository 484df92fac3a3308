"""The SMS centre over SMPP: a real one, and ones that behave as badly as a line does (rule 202; case TO13)."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Literal

import pytest

from backend.outside.addresses import Allowed
from backend.outside.http import Guarded
from backend.outside.messages.smpp import SmppSms
from backend.outside.messages.sms import SmsUnavailable, SmsUncertain
from ngomon import reach
from tests.parts.centre import Centre
from tests.parts.processes import free_port

HERE = Allowed(["127.0.0.1"])
PHONE = "+84550123456"
PLAIN = "Ma xac thuc dang nhap Hue-S la 123456. @hue.example #123456 [a_b] {$5} 'x' ~ | \\ ^"
MARKED = "Mã xác thực là 123456 😀"
HEADER = struct.Struct(">IIII")
Act = Callable[["Line"], Awaitable[None]]


@pytest.fixture(scope="module")
def _centre() -> Iterator[Centre]:
    part = Centre()
    part.start()
    yield part
    part.stop()


@pytest.fixture
def centre(_centre: Centre) -> Centre:
    _centre.reset()
    return _centre


@pytest.fixture
async def sms(centre: Centre) -> AsyncIterator[SmppSms]:
    made = SmppSms(centre.url, HERE, timeout=5)
    yield made
    await made.close()


async def send(sms: SmppSms, text: str = PLAIN) -> None:
    await sms.send(PHONE, text, message_id="x")


async def test_texts_arrive_as_they_were_written_whatever_their_letters_and_length(
    sms: SmppSms, centre: Centre
) -> None:
    texts = [
        (PLAIN, 1, 0), (MARKED, 1, 8), ("a" * 160, 1, 0), ("a" * 161, 2, 0), ("[" * 80, 1, 0), ("[" * 81, 2, 0),
        ("ạ" * 70, 1, 8), ("ạ" * 71, 2, 8), ("😀" * 36, 2, 8), ("x[" * 200, 4, 0),
    ]  # fmt: skip
    for text, _, _ in texts:
        await send(sms, text)
    found = centre.messages()
    assert [(one.text, one.parts, one.data_coding) for one in found] == texts
    assert {(one.sender, one.to) for one in found} == {("HUE-S", "84550123456")}


async def test_many_at_once_share_one_session_which_ends_with_the_product(
    sms: SmppSms, centre: Centre
) -> None:
    await asyncio.gather(*(send(sms, f"so {number}") for number in range(60)))
    assert sorted(one.text for one in centre.messages()) == sorted(f"so {number}" for number in range(60))
    assert centre.bound() == 1
    await sms.close()
    for _ in range(50):
        if not centre.bound():
            break
        await asyncio.sleep(0.1)
    assert centre.bound() == 0


async def test_a_no_is_a_no_and_the_next_one_goes(sms: SmppSms, centre: Centre) -> None:
    modes: tuple[Literal["reject"], Literal["down"]] = ("reject", "down")
    for mode in modes:
        centre.mode(mode)
        await asyncio.sleep(0.1)  # until a session that was hung up is known to be
        with pytest.raises(SmsUnavailable) as refused:
            await send(sms)
        assert not isinstance(refused.value, SmsUncertain) and refused.value.retry_after == 60
        centre.mode("accept")
        await send(sms)
    assert len(centre.messages()) == 2


async def test_whom_nobody_lets_in_is_told_and_the_doctor_says_why(centre: Centre) -> None:
    wrong = centre.url.replace(":tests@", ":other@")
    http = Guarded(["127.0.0.1"])
    with pytest.raises(SmsUnavailable):
        await send(SmppSms(wrong, HERE, timeout=5))
    with pytest.raises(reach.Ill, match="0x0000000d"):
        await reach.sms(wrong, http)
    assert "lets us in (nothing was sent)" in await reach.sms(centre.url, http)
    with pytest.raises(reach.Ill, match="takes no connection"):
        await reach.sms(f"smpp://a:b@127.0.0.1:{free_port()}/", http)
    with pytest.raises(SmsUnavailable):  # a private address that nobody listed
        await send(SmppSms(centre.url, Allowed(), timeout=5))
    assert centre.messages() == []
    await http.close()


class Line:
    """A centre of the test's own: reads units and answers as it is told."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer

    async def read(self) -> tuple[int, int, int]:
        length, command, status, number = HEADER.unpack(await self._reader.readexactly(16))
        await self._reader.readexactly(length - 16)
        return command, status, number

    def say(self, command: int, status: int, number: int, body: bytes = b"") -> None:
        self.writer.write(HEADER.pack(16 + len(body), command, status, number) + body)

    async def let_in(self) -> None:
        _, _, number = await self.read()
        self.say(0x80000002, 0, number, b"HUE\0")


@asynccontextmanager
async def centre_that(act: Act) -> AsyncIterator[SmppSms]:
    """Lets everybody in, then does `act`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line(reader, writer)
        try:
            await line.let_in()
            await act(line)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sms = SmppSms(f"smpp://a:b@127.0.0.1:{port}/?from=8088", HERE, timeout=0.5)
    try:
        yield sms
    finally:
        await sms.close()
        server.close()


async def silent(line: Line) -> None:
    await line.read()
    await line.read()


async def hangs_up(line: Line) -> None:
    await line.read()


async def answers_another(line: Line) -> None:
    _, _, number = await line.read()
    line.say(0x80000004, 0, number + 7)
    await line.read()


async def answers_something_else(line: Line) -> None:
    _, _, number = await line.read()
    line.say(0x80000015, 0, number)
    await line.read()


async def endless(line: Line) -> None:
    await line.read()
    line.writer.write(HEADER.pack(0xFFFFFFFF, 0x80000004, 0, 2))
    await line.read()


async def too_short(line: Line) -> None:
    await line.read()
    line.writer.write(HEADER.pack(3, 0x80000004, 0, 2))
    await line.read()


@pytest.mark.parametrize(
    "act", [silent, hangs_up, answers_another, answers_something_else, endless, too_short]
)
async def test_to13_whatever_was_handed_over_without_a_word_may_be_on_its_way(act: Act) -> None:
    async with centre_that(act) as sms:
        with pytest.raises(SmsUncertain):
            await send(sms)


async def test_what_the_centre_asks_is_answered_and_what_it_does_not_understand_is_a_no() -> None:
    heard: list[tuple[int, int, int]] = []

    async def asking(line: Line) -> None:
        _, _, number = await line.read()
        for command in (0x15, 0x05, 0x99):
            line.say(command, 0, 500 + command)
            heard.append(await line.read())
        line.say(0x80000004, 0, number, b"1\0")
        _, _, number = await line.read()
        line.say(0x80000000, 3, number)
        _, _, number = await line.read()
        line.say(0x06, 0, 9)
        await line.read()

    async with centre_that(asking) as sms:
        await send(sms)
        assert heard == [
            (0x80000015, 0, 0x15 + 500),
            (0x80000005, 0, 0x05 + 500),
            (0x80000000, 3, 0x99 + 500),
        ]
        with pytest.raises(SmsUnavailable) as refused:
            await send(sms)
        assert not isinstance(refused.value, SmsUncertain)
        with pytest.raises(SmsUncertain):  # it said good-bye instead of an answer
            await send(sms)
