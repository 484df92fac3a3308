"""A window of Firefox or of WebKit, driven as W3C WebDriver says, with nothing between it and the browser.

Firefox speaks the commands itself (Marionette, over a socket of its own), WebKit through Debian's WebKitWebDriver.
Both are the packages that people have; neither is patched, and no driver is downloaded.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx2

from tests.parts.client import client
from tests.parts.processes import free_port

PATIENCE = 45.0  # seconds: a busy machine may take its time to start a browser, and to draw
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
GONE = ("no such element", "stale element reference", "element not interactable", "element click intercepted")
MINI = "webkit2gtk-4.1/MiniBrowser"
LIBRARIES = Path("/usr/lib")


class Command(NamedTuple):
    """What both are asked for: its name, and its place in WebDriver's HTTP."""

    name: str
    method: str
    path: str


class NotThere(Exception):
    """What was looked for is not on the page, or not to be pressed."""


class Window(ABC):
    """One window, as a person uses it."""

    @abstractmethod
    async def command(self, what: Command, **given: Any) -> Any:
        """One command; raises NotThere for what a page may still bring."""

    async def goto(self, url: str) -> None:
        await self.command(Command("Navigate", "POST", "/url"), url=url)

    async def back(self) -> None:
        await self.command(Command("Back", "POST", "/back"))

    async def url(self) -> str:
        return str(await self.command(Command("GetCurrentURL", "GET", "/url")))

    async def run(self, script: str, *args: Any) -> Any:
        return await self.command(
            Command("ExecuteScript", "POST", "/execute/sync"), script=script, args=list(args)
        )

    async def press(self, key: str) -> None:
        """A key, wherever the focus is."""
        keys = [{"type": kind, "value": key} for kind in ("keyDown", "keyUp")]
        actions = [{"type": "key", "id": "keyboard", "actions": keys}]
        await self.command(Command("PerformActions", "POST", "/actions"), actions=actions)

    async def click(self, xpath: str) -> None:
        await self._until(lambda: self._act(xpath, "ElementClick", "click"), f"a press of {xpath}")

    async def fill(self, xpath: str, text: str) -> None:
        await self._until(lambda: self._act(xpath, "ElementClear", "clear"), f"a field {xpath}")
        await self._act(xpath, "ElementSendKeys", "value", text=text)

    async def text(self, xpath: str) -> str:
        return str(await self._until(lambda: self._read(xpath), f"the text of {xpath}"))

    async def sees(self, words: str) -> None:
        """Wait until the page says so."""
        path = f'//body//*[text()[contains(normalize-space(.), "{words}")]]'
        await self._until(lambda: self._shown(path), f"the words {words}")

    async def count(self, xpath: str) -> int:
        found = await self.command(Command("FindElements", "POST", "/elements"), using="xpath", value=xpath)
        return len(found)

    async def _act(self, xpath: str, name: str, path: str, **given: Any) -> bool:
        element = await self._element(xpath)
        await self.command(Command(name, "POST", f"/element/{element}/{path}"), id=element, **given)
        return True

    async def _shown(self, xpath: str) -> None:
        """Some say it and are hidden: one that is seen will do."""
        find = Command("FindElements", "POST", "/elements")
        for one in await self.command(find, using="xpath", value=xpath):
            if (await self._text(one[ELEMENT])).strip():
                return
        raise NotThere(xpath)

    async def _read(self, xpath: str) -> str:
        found = await self._text(await self._element(xpath))
        if not found.strip():
            raise NotThere(xpath)
        return found

    async def _text(self, element: str) -> str:
        get = Command("GetElementText", "GET", f"/element/{element}/text")
        return str(await self.command(get, id=element))

    async def _element(self, xpath: str) -> str:
        found = await self.command(Command("FindElement", "POST", "/element"), using="xpath", value=xpath)
        return str(found[ELEMENT])

    async def _until(self, act: Any, what: str) -> Any:
        async with asyncio.timeout(PATIENCE):
            while True:
                try:
                    return await act()
                except NotThere as missing:
                    last = missing
                await asyncio.sleep(0.15)
        raise AssertionError(f"never came: {what}: {last}")


class Firefox(Window):
    """Stock Firefox by its own socket: a length, a colon, and a command in JSON."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer, self._number = reader, writer, 0

    async def command(self, what: Command, **given: Any) -> Any:
        self._number += 1
        said = json.dumps([0, self._number, f"WebDriver:{what.name}", given]).encode()
        self._writer.write(str(len(said)).encode() + b":" + said)
        await self._writer.drain()
        error, answer = (await self.read())[2:]
        return _value(error, answer.get("value") if isinstance(answer, dict) else answer)

    async def read(self) -> Any:
        size = await self._reader.readuntil(b":")
        return json.loads(await self._reader.readexactly(int(size[:-1])))


class WebKit(Window):
    """WebKitGTK, the nearest to Safari that Debian has."""

    def __init__(self, http: httpx2.AsyncClient, session: str) -> None:
        self._http, self._session = http, session

    async def command(self, what: Command, **given: Any) -> Any:
        given.pop("id", None)
        body = given if what.method == "POST" else None
        answer = await self._http.request(what.method, f"/session/{self._session}{what.path}", json=body)
        value = answer.json()["value"]
        return _value(value if answer.is_error else None, value)


def _value(error: dict[str, Any] | None, value: Any) -> Any:
    if error is None:
        return value
    if error["error"] in GONE:
        raise NotThere(error["error"])
    raise AssertionError(f"{error['error']}: {error.get('message')}")


@asynccontextmanager
async def firefox(folder: Path, *, scripts: bool) -> AsyncIterator[Window]:
    """A new profile in `folder`."""
    port = free_port()
    settings = {"marionette.port": port, "javascript.enabled": scripts, "intl.accept_languages": "vi, en"}
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in settings.items()]
    (folder / "user.js").write_text("\n".join(lines), encoding="utf-8")
    command = ("firefox-esr", "--marionette", "--headless", "--no-remote", "--profile", str(folder))
    async with _started(*command):
        reader, writer = await _connected(port)
        window = Firefox(reader, writer)
        await window.read()  # it says who it is
        await window.command(Command("NewSession", "POST", "/session"), capabilities={"alwaysMatch": {}})
        try:
            yield window
        finally:
            writer.close()


@asynccontextmanager
async def webkit(_: Path, *, scripts: bool) -> AsyncIterator[Window]:
    """A session of its own, which keeps nothing."""
    port = free_port()
    binary = str(next(LIBRARIES.glob(f"*/{MINI}")))
    arguments = ["--automation", *([] if scripts else ["--enable-javascript=FALSE"])]
    wanted = {"alwaysMatch": {"webkitgtk:browserOptions": {"binary": binary, "args": arguments}}}
    async with (
        _started("xvfb-run", "--auto-servernum", "WebKitWebDriver", f"--port={port}"),
        client(f"http://127.0.0.1:{port}") as http,
    ):
        (await _connected(port))[1].close()
        answer = await http.post("/session", json={"capabilities": wanted})
        assert answer.status_code == 200, answer.text
        session = answer.json()["value"]["sessionId"]
        try:
            yield WebKit(http, session)
        finally:
            await http.delete(f"/session/{session}")


async def _connected(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                return await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.1)


@asynccontextmanager
async def _started(*command: str) -> AsyncIterator[None]:
    """A program and all that it starts, ended together."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        env=os.environ | {"WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1"},  # the tests may run as root
    )
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), 10)
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
