"""SMS as a province has it: Kannel's HTTP interface before an SMPP centre, both real, both on loopback."""

from __future__ import annotations

import contextlib
from typing import Any, Literal, NamedTuple

import httpx2

from tests.parts.processes import ROOT, Part, eventually, free_port, listens, node, scratch

CONFIGURATION = """
group = core
admin-interface = 127.0.0.1
admin-port = {admin}
admin-password = tests
smsbox-interface = 127.0.0.1
smsbox-port = {smsbox}
box-allow-ip = 127.0.0.1
dlr-storage = internal
store-type = spool
store-location = {folder}

group = smsc
smsc = smpp
smsc-id = centre
host = 127.0.0.1
port = {smpp}
transceiver-mode = true
smsc-username = kannel
smsc-password = tests
system-type = VMA
reconnect-delay = 1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-interface = 127.0.0.1
sendsms-port = {sendsms}
global-sender = HUE-S

group = sendsms-user
username = {user}
password = {password}
user-allow-ip = 127.0.0.1
concatenation = true
max-messages = 5
"""


class Sms(NamedTuple):
    """What arrived at the centre; 8 as data coding is UCS-2, 0 is the centre's own alphabet (GSM 7 bit)."""

    sender: str
    to: str
    text: str
    parts: int
    data_coding: int


class Kannel:
    """`url` is for NGOMON_SMS_URL; `messages()` is what the subscribers would read."""

    user = "ngomon"
    password = "tests-only"

    def __init__(self) -> None:
        self._admin, self._smsbox_port, self._smpp, self._http, self.port = (free_port() for _ in range(5))
        folder = scratch("kannel")
        self._file = folder / "kannel.conf"
        text = CONFIGURATION.format(
            admin=self._admin,
            smsbox=self._smsbox_port,
            smpp=self._smpp,
            sendsms=self.port,
            folder=folder,
            user=self.user,
            password=self.password,
        )
        self._file.write_text(text, encoding="utf-8")
        self._client = httpx2.Client(
            timeout=5
        )  # one: each reads the machine's certificates, which takes longer than it all
        ports = (str(self._smpp), str(self._http))
        self._centre = Part("smsc", [node(), ROOT / "tests/parts/smsc.mjs", *ports])
        self._bearerbox = Part("bearerbox", ["bearerbox", self._file])
        self._smsbox = Part("smsbox", ["smsbox", self._file])

    @property
    def url(self) -> str:
        """For NGOMON_SMS_URL."""
        return f"kannel://{self.user}:{self.password}@127.0.0.1:{self.port}/?from=HUE-S"

    def start(self) -> None:
        """All three, in the order in which they need one another, until a message can pass."""
        self._centre.start(lambda: listens(self._http))
        self._bearerbox.start(
            lambda: listens(self._smsbox_port) and self._control("GET", "messages")["bound"] > 0
        )
        self.open_door()

    def stop(self) -> None:
        """All three."""
        for part in (self._smsbox, self._bearerbox, self._centre):
            part.stop()

    def open_door(self) -> None:
        """Kannel takes messages over HTTP (again)."""
        if not self._smsbox.is_running:
            self._smsbox.start(lambda: listens(self.port))

    def shut_door(self) -> None:
        """Kannel's HTTP interface is out of reach; nothing can be handed over."""
        self._smsbox.stop()

    def centre(self, mode: Literal["accept", "reject", "down"]) -> None:
        """What the SMS centre does with what Kannel hands on."""
        self._control("PUT", "mode", mode)

    def messages(self) -> list[Sms]:
        """Everything that arrived since the last `clear`, oldest first."""
        return [
            Sms(item["from"], item["to"], item["text"], item["parts"], item["data_coding"])
            for item in self._control("GET", "messages")["messages"]
        ]

    def clear(self) -> None:
        """Forget what arrived."""
        self._control("DELETE", "messages")

    async def message_to(self, phone: str, *, patience: float = 10) -> Sms:
        """The newest message whose number ends as `phone` does; waits for it."""
        last_digits = phone[-9:]

        def newest() -> Sms | None:
            return next((sms for sms in reversed(self.messages()) if sms.to.endswith(last_digits)), None)

        return await eventually(newest, what=f"an SMS to {phone}", patience=patience)

    def _control(self, method: str, path: str, content: str | None = None) -> dict[str, Any]:
        answer = self._client.request(method, f"http://127.0.0.1:{self._http}/{path}", content=content)
        answer.raise_for_status()
        return dict(answer.json())

    def reset(self) -> None:
        """In order and without messages, whatever the last test did."""
        self.open_door()
        self.centre("accept")
        self.clear()

    def queued(self) -> int:
        """Messages that Kannel holds because the centre did not take them yet."""
        with contextlib.suppress(httpx2.TransportError):
            address = f"http://127.0.0.1:{self._admin}/status.xml?password=tests"
            status = self._client.get(address).text
            return int(status.partition("<storesize>")[2].partition("</storesize>")[0] or 0)
        return 0
