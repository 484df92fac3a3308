"""The demo's inbox keeps what would have left the house, and can be out of order."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
from litestar import Litestar

from backend.outside.clock import Clock
from backend.outside.messages.sms import SmsUnavailable, SmsUncertain
from demo.inbox import Inbox, InboxPush, InboxSms, inbox_router


@pytest.fixture
def inbox() -> Inbox:
    return Inbox(Clock())


@pytest.fixture
async def http(inbox: Inbox) -> AsyncIterator[httpx2.AsyncClient]:
    app = Litestar([inbox_router(inbox)], openapi_config=None, logging_config=None)
    transport = httpx2.ASGITransport(app=app)  # type: ignore[arg-type]  # httpx2 wants wider message types
    async with httpx2.AsyncClient(transport=transport, base_url="http://inbox.test") as client:
        yield client


async def test_messages_come_latest_first_and_can_be_asked_for_by_number(
    inbox: Inbox, http: httpx2.AsyncClient
) -> None:
    sms = InboxSms(inbox)
    await sms.send("+84550000001", "mot", message_id="1")
    await sms.send("+84550000002", "hai", message_id="2")
    everything = (await http.get("/demo/inbox.json")).json()["sms"]
    assert [one["text"] for one in everything] == ["hai", "mot"]
    for spelled in ("+84550000001", "84550000001"):
        only = (await http.get("/demo/inbox.json", params={"to": spelled})).json()["sms"]
        assert [one["text"] for one in only] == ["mot"]


async def test_the_same_message_id_is_the_same_message(inbox: Inbox) -> None:
    sms = InboxSms(inbox)
    for _ in range(2):
        await sms.send("+84550000001", "mot", message_id="1")
    assert len(inbox.sms) == 1


async def test_a_centre_that_is_off_takes_nothing_until_it_is_on_again(
    inbox: Inbox, http: httpx2.AsyncClient
) -> None:
    assert (await http.post("/demo/inbox/switch", json={"sms_down": True})).json() == {"sms_down": True}
    with pytest.raises(SmsUnavailable):
        await InboxSms(inbox).send("+84550000001", "mot", message_id="1")
    assert len(inbox.sms) == 0
    await http.post("/demo/inbox/switch", json={"sms_down": False})
    await InboxSms(inbox).send("+84550000001", "mot", message_id="1")
    assert len(inbox.sms) == 1


async def test_a_silent_centre_takes_the_message_and_nobody_knows(
    inbox: Inbox, http: httpx2.AsyncClient
) -> None:
    silent = {"sms_down": False, "sms_silent": True}
    assert (await http.post("/demo/inbox/switch", json=silent)).status_code == 200
    with pytest.raises(SmsUncertain):
        await InboxSms(inbox).send("+84550000001", "mot", message_id="1")
    assert len(inbox.sms) == 1
    shown = (await http.get("/demo/inbox.json")).json()
    assert (shown["sms_down"], shown["sms_silent"]) == (False, True)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"sms_down":"yes"}', b'{"other":true}'])
async def test_a_bad_switch_changes_nothing(inbox: Inbox, http: httpx2.AsyncClient, body: bytes) -> None:
    assert (await http.post("/demo/inbox/switch", content=body)).status_code == 400
    assert inbox.sms_down is False


async def test_push_notices_are_kept_with_their_token(inbox: Inbox, http: httpx2.AsyncClient) -> None:
    assert await InboxPush(inbox).send("token-1", "Hue-S", "Đã đăng nhập ở nơi khác", {"kind": "x"}, mark="1")
    await InboxPush(inbox).send("token-2", "Hue-S", "Khác", {}, mark="2")
    found = (await http.get("/demo/inbox.json", params={"to": "token-1"})).json()["push"]
    assert [one["body"] for one in found] == ["Đã đăng nhập ở nơi khác"]
