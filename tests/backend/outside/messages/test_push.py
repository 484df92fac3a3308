"""Google's own SDK, unchanged, against a small server that speaks what Firebase speaks (rule 1022)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import firebase_admin
import pytest
import pytest_asyncio
import uvicorn
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from firebase_admin import messaging
from litestar import Litestar, Request, Response, post

from backend.outside.messages.push import PATIENCE, FirebasePush
from tests.parts.processes import free_port

UNREGISTERED = {
    "error": {
        "code": 404,
        "status": "NOT_FOUND",
        "message": "gone",
        "details": [
            {"@type": "type.googleapis.com/google.firebase.fcm.v1.FcmError", "errorCode": "UNREGISTERED"}
        ],
    }
}


class Firebase:
    """What arrived, and which addresses are dead."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.messages: list[dict[str, Any]] = []


@pytest_asyncio.fixture(loop_scope="session")
async def firebase() -> AsyncIterator[Firebase]:
    port = free_port()
    made = Firebase(port)

    @post("/token", status_code=200)
    async def token(request: Request[Any, Any, Any]) -> dict[str, Any]:
        assert b"jwt-bearer" in await request.body()
        return {"access_token": "t-1", "expires_in": 3600, "token_type": "Bearer"}

    @post("/v1/projects/hue-s-test/messages:send", status_code=200)
    async def send(request: Request[Any, Any, Any]) -> Response[dict[str, Any]]:
        assert request.headers["authorization"] == "Bearer t-1"
        message = json.loads(await request.body())["message"]
        if message["token"] == "dead":
            return Response(UNREGISTERED, status_code=404)
        made.messages.append(message)
        return Response({"name": "projects/hue-s-test/messages/1"})

    server = uvicorn.Server(
        uvicorn.Config(
            Litestar([token, send], logging_config=None), host="127.0.0.1", port=port, log_level="warning"
        )
    )
    task = asyncio.create_task(server._serve())
    while not server.started:
        await asyncio.sleep(0.02)
    yield made
    server.should_exit = True
    await task


@pytest.fixture
def credentials(firebase: Firebase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    service = messaging._MessagingService
    monkeypatch.setattr(
        service, "FCM_URL", service.FCM_URL
    )  # changed by the product, put back for the next test
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "project_id": "hue-s-test",
        "private_key_id": "k-1",
        "private_key": pem.decode(),
        "client_email": "push@hue-s-test.example",
        "client_id": "1",
        "token_uri": f"{firebase.url}/token",
    }
    file = tmp_path / "account.json"
    file.write_text(json.dumps(account))
    yield str(file)
    firebase_admin.delete_app(
        firebase_admin.get_app("hue-s-test")
    )  # the SDK keeps one of a name in a process


async def test_a_push_reaches_firebase_and_a_dead_address_is_told(
    firebase: Firebase, credentials: str
) -> None:
    push = FirebasePush(credentials, firebase.url)
    assert await push.send("alive", "Hue-S", "Có thiết bị mới", {"kind": "device_replaced"}, mark="m-1")
    assert firebase.messages[0]["notification"] == {"title": "Hue-S", "body": "Có thiết bị mới"}
    assert firebase.messages[0]["data"] == {"kind": "device_replaced"}
    assert firebase.messages[0]["android"] == {"notification": {"tag": "m-1"}}, (
        "the same one twice is shown once"
    )
    assert firebase.messages[0]["apns"]["headers"] == {"apns-collapse-id": "m-1"}
    assert not await push.send("dead", "Hue-S", "Có thiết bị mới", {}, mark="m-2")


async def test_a_silent_firebase_holds_up_nobody_who_wants_a_thread(
    firebase: Firebase, credentials: str
) -> None:
    """Passwords are hashed in the common threads: a Firebase that says nothing must not close that door."""
    reached, enough = asyncio.Event(), asyncio.Event()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.set()
        await enough.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    push = FirebasePush(credentials, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    sendings = [
        asyncio.create_task(push.send("alive", "Hue-S", "Có thiết bị mới", {}, mark="m-2")) for _ in range(64)
    ]
    try:
        async with asyncio.timeout(4 * PATIENCE):
            await reached.wait()
        async with asyncio.timeout(PATIENCE / 2):
            assert await asyncio.to_thread(len, "another's work") == len("another's work")
    finally:
        for one in sendings:
            one.cancel()
        enough.set()
        server.close()
        await asyncio.gather(*sendings, return_exceptions=True)
