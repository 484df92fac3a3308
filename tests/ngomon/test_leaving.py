"""How an answer leaves: head and body in one packet, and nothing of it waits for what may never come."""

from __future__ import annotations

import asyncio

from ngomon.connection import Gathering


class Heard(asyncio.Transport):
    """What is written to a connection, write by write."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.is_closed
        self.writes.append(bytes(data))

    def close(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed


async def test_head_and_body_leave_in_one_write_and_only_once() -> None:
    heard = Heard()
    way = Gathering(heard, asyncio.get_running_loop())
    way.write(b"head ")
    assert heard.writes == []
    way.write(b"body")
    await asyncio.sleep(0)
    way.write(b"more")
    await asyncio.sleep(0)
    assert heard.writes == [b"head body", b"more"]


async def test_the_head_of_a_stream_does_not_wait_for_its_first_event() -> None:
    heard = Heard()
    way = Gathering(heard, asyncio.get_running_loop())
    way.write(b"head ")
    await asyncio.sleep(0)
    assert heard.writes == [b"head "]
    way.write(b"event")
    assert heard.writes == [b"head ", b"event"]


async def test_what_was_written_leaves_before_the_line_is_closed() -> None:
    heard = Heard()
    way = Gathering(heard, asyncio.get_running_loop())
    way.write(b"head")
    assert not way.is_closing()
    way.close()
    await asyncio.sleep(0)
    assert heard.writes == [b"head"]
    assert way.is_closing()
