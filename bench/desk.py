"""A manager at a browser without scripts: signs in with the e-ID, opens a request, presses a button."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

from bench.wire import Answer, Wire
from demo.persona import Persona

TOKEN = re.compile(rb'name="_csrf" value="([^"]+)"')
VERSION = re.compile(rb'name="version" value="(\d+)"')
Outcome = Literal["acknowledged", "found decided", "refused"]


class Desk:
    """One browser window."""

    def __init__(self, port: int, eid_port: int, cookies: dict[str, str] | None = None) -> None:
        self.wire, self._eid_port = Wire(port), eid_port
        self.cookies = {} if cookies is None else cookies

    def another(self) -> Desk:
        """A second window of the same browser."""
        return Desk(self.wire.port, self._eid_port, self.cookies)

    async def sign_in(self, person: Persona) -> None:
        """Through the e-ID and back."""
        started = await self.open("/workspace/login/start")
        there = urlsplit(started.headers["location"])
        async with Wire(self._eid_port) as eid:
            agreed = await eid.ask("GET", f"{there.path}?{there.query}&prompt=none&login_hint={person.key}")
        back = urlsplit(agreed.headers["location"])
        entered = await self.open(f"{back.path}?{back.query}")
        assert entered.status == 200, (entered.status, entered.body[-600:])

    async def approve(self, request_id: str) -> Outcome:
        """Open the request and say yes, if it can still be said. Raises Lost when no answer came."""
        path = f"/workspace/requests/{request_id}"
        shown = await self.open(path)
        assert shown.status == 200, (shown.status, shown.body[-600:])
        token, version = TOKEN.search(shown.body), VERSION.search(shown.body)
        if token is None or version is None:
            return "found decided"
        form = f"_csrf={token[1].decode()}&version={version[1].decode()}&decision=approved&reason="
        said = await self.wire.ask(
            "POST", f"{path}/decision", form, sec_fetch_site="same-origin", cookie=self.cookie
        )
        assert said.status in {303, 409}, (said.status, said.body[-600:])
        return "acknowledged" if said.status == 303 else "refused"

    async def open(self, path: str) -> Answer:
        """A page, and whatever cookies come with it."""
        answer = await self.wire.ask("GET", path, cookie=self.cookie)
        for line in answer.headers.get("set-cookie", "").split("\n"):
            name, _, value = line.partition(";")[0].partition("=")
            if name:
                self.cookies[name] = value
        return answer

    @property
    def cookie(self) -> str:
        """What the browser sends along."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items() if value)
