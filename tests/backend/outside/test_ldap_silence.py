"""A directory that takes calls and says nothing: it costs patience, and neither the others' time nor ours."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from backend.outside.connectors.ldap.wire import Waiting
from tests.backend.outside.ldap_people import listening, word
from tests.parts.directory import Directory
from tests.parts.processes import within


@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
async def test_a_silent_directory_holds_nobody_else_up(directory: Directory, scheme: str) -> None:
    called, over = asyncio.Event(), asyncio.Event()

    async def silence(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        called.set()
        await over.wait()
        writer.close()

    async with listening(silence) as port:
        url = f"{scheme}://127.0.0.1:{port}"
        waiting = asyncio.create_task(word(directory, url=url, reply_timeout=20.0))
        async with within(10, "a call of the directory"):
            await called.wait()
        for _ in range(100):
            await asyncio.sleep(0.01)
        assert not waiting.done()
        over.set()
        assert await waiting == ("unreachable", False, True)


@pytest.mark.parametrize(
    ("scheme", "fewest"), [("ldap", 1), ("ldaps", 0)]
)  # where TLS begins, we wait ourselves
async def test_a_silent_directory_is_given_up_and_rarely_looked_at_meanwhile(
    directory: Directory, monkeypatch: pytest.MonkeyPatch, scheme: str, fewest: int
) -> None:
    """The library by itself looks without pause for as long as it waits."""
    looks = 0
    look = Waiting.get_result

    def counted(self: Waiting, *given: Any) -> Any:
        nonlocal looks
        looks += 1
        return look(self, *given)

    async def silence(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            await reader.read()

    monkeypatch.setattr(Waiting, "get_result", counted)
    async with listening(silence) as port:
        said = await word(directory, url=f"{scheme}://127.0.0.1:{port}", reply_timeout=1.0)
    assert said == ("unreachable", False, True)
    assert fewest <= looks <= 30
