"""The SMS centre by itself, without Kannel before it: SMPP 3.4 by npm smpp, on loopback."""

from __future__ import annotations

from typing import Any, Literal

import httpx2

from tests.parts.kannel import Sms
from tests.parts.processes import ROOT, Part, free_port, listens, node


class Centre:
    """`url` is for NGOMON_SMS_URL; `messages()` is what the subscribers would read."""

    def __init__(self) -> None:
        self.port, self._http = free_port(), free_port()
        self._part = Part("centre", [node(), ROOT / "tests/parts/smsc.mjs", str(self.port), str(self._http)])
        self._client = httpx2.Client(timeout=5)

    @property
    def url(self) -> str:
        """For NGOMON_SMS_URL."""
        return f"smpp://ngomon:tests@127.0.0.1:{self.port}/?from=HUE-S"

    def start(self) -> None:
        """Until it takes connections."""
        self._part.start(lambda: listens(self._http) and listens(self.port))

    def stop(self) -> None:
        """For good."""
        self._part.stop()

    def mode(self, mode: Literal["accept", "reject", "down"]) -> None:
        """What it does with whoever comes."""
        self._control("PUT", mode)

    def bound(self) -> int:
        """Sessions that are there."""
        return int(self._control("GET")["bound"])

    def messages(self) -> list[Sms]:
        """Everything that arrived since the last `clear`, oldest first."""
        named = ("from", "to", "text", "parts", "data_coding")
        return [Sms(*(item[name] for name in named)) for item in self._control("GET")["messages"]]

    def reset(self) -> None:
        """In order and without messages, whatever the last test did."""
        self.mode("accept")
        self._control("DELETE")

    def _control(self, method: str, content: str | None = None) -> dict[str, Any]:
        answer = self._client.request(method, f"http://127.0.0.1:{self._http}/", content=content)
        return dict(answer.raise_for_status().json())
