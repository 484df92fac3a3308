"""The demo's inbox: every SMS and push that would have left the house, to read on a page.

It lives in memory and is never part of a production profile: it holds one-time codes in the clear.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime

import msgspec
from litestar import Controller, Response, Router, get, post
from litestar.di import NamedDependency, Provide

from backend.outside.clock import Clock
from backend.outside.messages.sms import SmsUnavailable, SmsUncertain
from demo.pages import Visit, json_of, own_page_only, page
from workspace.given_once import GivenOnce

KEPT = 500


class Sms(msgspec.Struct, frozen=True):
    """One text message."""

    id: str
    to: str
    text: str
    at: datetime


class Push(msgspec.Struct, frozen=True):
    """One push notice to a device's token."""

    token: str
    title: str
    body: str
    data: dict[str, str]
    at: datetime


class Inbox:
    """What arrived, latest first, and whether the SMS centre takes messages, and says so."""

    def __init__(self, clock: Clock) -> None:
        self.sms: deque[Sms] = deque(maxlen=KEPT)
        self.push: deque[Push] = deque(maxlen=KEPT)
        self.sms_down = False  # it takes nothing
        self.sms_silent = False  # it takes a message and does not say so
        self._clock = clock

    def add_sms(self, to: str, text: str, *, message_id: str = "") -> None:
        """Keep a message; the same id again is the same message, as at a real centre."""
        if message_id and any(one.id == message_id for one in self.sms):
            return
        self.sms.appendleft(Sms(message_id, to, text, self._clock.now()))

    def add_push(self, token: str, title: str, body: str, data: dict[str, str]) -> None:
        """Keep a push notice."""
        self.push.appendleft(Push(token, title, body, data, self._clock.now()))


class InboxSms:
    """`backend.outside.messages.sms.Sms` that ends in the inbox."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def send(self, to: str, text: str, *, message_id: str) -> None:
        """Deliver at once; raises `SmsUnavailable` while the centre is off, `SmsUncertain` while it is silent."""
        if self._inbox.sms_down:
            raise SmsUnavailable(retry_after=30)
        self._inbox.add_sms(to, text, message_id=message_id)
        if self._inbox.sms_silent:
            raise SmsUncertain


class InboxPush:
    """`backend.outside.messages.push.Push` that ends in the inbox."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def send(self, token: str, title: str, body: str, data: dict[str, str], *, mark: str) -> bool:  # noqa: ARG002 - as Push
        """Deliver at once; every token is known here."""
        self._inbox.add_push(token, title, body, data)
        return True


class _Switch(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    sms_down: bool
    sms_silent: bool = False


class InboxPage(Controller):
    """The inbox on the wire."""

    path = "/demo"

    @get("/inbox")
    async def html(self, request: Visit) -> Response[bytes]:
        """The page, which keeps itself fresh."""
        return page(request, "inbox.html")

    @get("/inbox.json")
    async def listing(self, request: Visit, inbox: NamedDependency[Inbox]) -> Response[bytes]:
        """Everything kept, latest first; `?to=` keeps one number or one push token."""
        to = request.query_params.get("to")
        number = (to or "").strip().lstrip("+")
        return json_of(
            {
                "sms": [one for one in inbox.sms if to is None or one.to.lstrip("+") == number],
                "push": [one for one in inbox.push if to is None or one.token == to],
                "sms_down": inbox.sms_down,
                "sms_silent": inbox.sms_silent,
            }
        )

    @post("/inbox/switch", guards=[own_page_only], status_code=200)
    async def switch(self, request: Visit, inbox: NamedDependency[Inbox]) -> Response[bytes]:
        """Switch the SMS centre off or on, `{"sms_down": true}`; or make it silent, `{…, "sms_silent": true}`."""
        try:
            switch = msgspec.json.decode(await request.body(), type=_Switch)
        except msgspec.DecodeError:
            return json_of({"error": "sms_down must be true or false"}, 400)
        inbox.sms_down, inbox.sms_silent = switch.sms_down, switch.sms_silent
        return json_of(switch)


def inbox_router(inbox: Inbox) -> Router:
    """The routes of one inbox."""
    return GivenOnce(
        "/",
        route_handlers=[InboxPage],
        dependencies={"inbox": Provide(lambda: inbox, sync_to_thread=False)},
        include_in_schema=False,
    )
