"""Tells a phone that something happened; never with personal data in the message (rule 304)."""

from __future__ import annotations

import asyncio
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import msgspec

PATIENCE = 5  # seconds with Firebase; its SDK would wait two minutes, and once more
AT_ONCE = (
    4  # in threads of their own: passwords are hashed in the common ones, and must not wait for Firebase
)


@runtime_checkable  # a dependency of handlers is checked when it is handed in
class Push(Protocol):
    """Whatever reaches an app that is not open."""

    async def send(self, token: str, title: str, body: str, data: dict[str, str], *, mark: str) -> bool:
        """Deliver; False means that the token is dead and must be forgotten. Raises what the service says.

        A phone shows what comes with the same `mark` once.
        """


class NoPush:
    """A province without Google: nobody is pushed anything, and everything is read in the app."""

    async def send(self, token: str, title: str, body: str, data: dict[str, str], *, mark: str) -> bool:  # noqa: ARG002 - as Push
        """The token is kept for the day when push is configured."""
        return True


class FirebasePush:
    """Google's own SDK (`pip install ngomon[push]`); loads only where push is configured."""

    def __init__(self, credentials: str, endpoint: str = "") -> None:
        import firebase_admin
        from firebase_admin import credentials as google
        from firebase_admin import messaging

        project = msgspec.json.decode(Path(credentials).read_bytes())["project_id"]
        self._app = firebase_admin.initialize_app(
            google.Certificate(credentials), {"projectId": project, "httpTimeout": PATIENCE}, name=project
        )
        self._threads, self._room = ThreadPoolExecutor(AT_ONCE, "push"), asyncio.Semaphore(AT_ONCE)
        self._messaging = messaging
        if endpoint:
            _point_to(messaging, endpoint)

    async def send(self, token: str, title: str, body: str, data: dict[str, str], *, mark: str) -> bool:
        """Hand one message to Firebase in one of a few threads."""
        with warnings.catch_warnings():
            # apps still register by token; the SDK would rather have installation identifiers
            warnings.simplefilter("ignore", DeprecationWarning)
            notification = self._messaging.Notification(title=title, body=body)
            message = self._messaging.Message(
                token=token, notification=notification, data=data, **self._once(mark)
            )
        loop = asyncio.get_running_loop()
        try:
            async with self._room:
                await loop.run_in_executor(self._threads, self._messaging.send, message, False, self._app)
        except (self._messaging.UnregisteredError, self._messaging.SenderIdMismatchError):
            return False
        return True

    def _once(self, mark: str) -> dict[str, Any]:
        """Android and iOS put a notice of the same name in the place of the earlier one."""
        named = self._messaging.AndroidNotification(tag=mark)
        return {
            "android": self._messaging.AndroidConfig(notification=named),
            "apns": self._messaging.APNSConfig(headers={"apns-collapse-id": mark}),
        }


def _point_to(messaging: Any, endpoint: str) -> None:
    """`NGOMON_FCM_ENDPOINT`: the SDK has no setting for its host, so its one constant is changed."""
    service = messaging._MessagingService
    service.FCM_URL = service.FCM_URL.replace("https://fcm.googleapis.com", endpoint.rstrip("/"))
