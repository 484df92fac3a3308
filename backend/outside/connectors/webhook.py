"""Tells one system of every change by a signed POST (Standard Webhooks; rule 713).

Nothing can be read back: its own 2xx says that it holds the state. Whoever is told twice sees it by the identifier,
and by the version, which never falls.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import time
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, ClassVar

import httpx2
import msgspec

from backend.outside.addresses import AddressRefused, HttpTrouble, Unreachable
from backend.outside.connectors import (
    DeliveryError,
    Desired,
    Errand,
    LostTurn,
    Receipt,
    Right,
    Rights,
    Target,
    without_options,
)
from backend.outside.connectors.learnt import Learnt
from backend.outside.connectors.scim import user as scim
from backend.outside.connectors.scim.words import MOVED, OF_THE_MOMENT, SERVER_ERROR, retry_after
from backend.outside.http import Guarded

PREFIX = "whsec_"
FEWEST, MOST = 24, 64  # bytes of a secret, by the specification
GONE, REFUSED, SHUT = 410, {400: "rejected", 413: "rejected_size", 422: "rejected_content"}, {401, 403}


class Secrets(msgspec.Struct, frozen=True):
    """What a system's messages are signed with: by both while one is being changed."""

    newest: str
    before: str | None = None
    until: datetime | None = None  # so long the one before signs too

    @classmethod
    def read(cls, token: str) -> Secrets:
        """As it is kept, sealed, in the place of a token."""
        return msgspec.json.decode(token, type=cls)

    def written(self) -> str:
        """As it is kept."""
        return msgspec.json.encode(self).decode()

    def followed_by(self, newest: str, until: datetime) -> Secrets:
        """The same with a new one in front."""
        return Secrets(newest, self.newest, until)

    def at(self, now: datetime) -> list[bytes]:
        """The keys that sign now."""
        overlaps = self.before is not None and self.until is not None and now < self.until
        both = [self.newest, self.before] if overlaps and self.before else [self.newest]
        return [key_of(one) for one in both]


def new_secret() -> str:
    """A secret that nobody has had."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def key_of(secret: str) -> bytes:
    """The bytes of `whsec_…`; ValueError when it is not one."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("a secret is whsec_ and base64") from error
    if not secret.startswith(PREFIX) or not FEWEST <= len(key) <= MOST:
        raise ValueError(f"a secret is whsec_ and {FEWEST} to {MOST} bytes in base64")
    return key


async def check(url: str, options: str, http: Guarded) -> None:
    """Refuse an address that we do not call, and options, of which there are none."""
    without_options("webhook", options)
    await http.check(url)


def connect(target: Target, http: Guarded, learnt: Learnt) -> WebhookConnector:
    """The connector for one system."""
    return WebhookConnector(target, http, learnt)


class WebhookConnector:
    """See backend.outside.connectors.Connector."""

    holds: ClassVar[tuple[str, ...]] = ()

    def __init__(self, target: Target, http: Guarded, learnt: Learnt) -> None:
        self.learnt = learnt
        self._url, self._secrets = target.url, Secrets.read(target.token or "")
        self._http = http.client(headers={"Content-Type": "application/json"}, timeout=target.reply_timeout)

    async def apply(self, desired: Desired, remote_id: str | None, errand: Errand) -> Receipt:
        """One POST; what its answer means is in `judged`."""
        now = datetime.now(UTC)
        body = msgspec.json.encode(
            {"type": "person.changed", "timestamp": now, "data": data_of(desired, errand.version)}
        )
        headers = signed(f"{errand.id}.{errand.version}", int(time.time()), body, self._secrets.at(now))
        if not await errand.still_mine():
            raise LostTurn
        try:
            said = await self._http.post(self._url, content=body, headers=headers)
        except HttpTrouble as error:
            of_system = isinstance(error, Unreachable | AddressRefused)
            raise DeliveryError(error.code, permanent=False, of_system=of_system) from error
        if trouble := judged(said):
            raise trouble
        return Receipt(remote_id, changed=True)

    async def read(self, external_id: str, remote_id: str | None) -> Desired | None:  # noqa: ARG002
        """It cannot be asked, as its kind says."""
        raise DeliveryError("cannot_be_read", permanent=True)

    async def rights(self) -> Rights:
        """It cannot be asked."""
        return Rights([], 0)

    async def whose(self, members: Collection[str]) -> dict[str, str | None]:  # noqa: ARG002
        """It cannot be asked."""
        return {}

    async def take_right(self, right: Right) -> bool:  # noqa: ARG002
        """It tells of none."""
        return False

    def kept(self, wanted: Desired, held: Desired) -> Desired:  # noqa: ARG002
        """Whatever it was told."""
        return wanted

    async def close(self) -> None:
        """Give connections back."""
        await self._http.aclose()


def data_of(desired: Desired, version: int) -> dict[str, Any]:
    """What SCIM would be told, and the version of the person's roles."""
    told = scim.new_user(desired, desired.user_name, Learnt())
    groups = [{"value": group.external_id, "display": group.display_name} for group in desired.groups]
    return told | {"active": desired.active, "groups": groups, "version": version}


def signed(name: str, at: int, body: bytes, keys: list[bytes]) -> dict[str, str]:
    """The three headers, with one signature by each key."""
    message = b".".join((name.encode(), str(at).encode(), body))
    signatures = (base64.b64encode(hmac.digest(key, message, "sha256")).decode() for key in keys)
    return {
        "webhook-id": name,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(f"v1,{one}" for one in signatures),
    }


def judged(said: httpx2.Response) -> DeliveryError | None:
    """A 2xx is a yes, 410 wants no more, 400, 413 and 422 refuse this one; all else is the system's trouble."""
    status = said.status_code
    if said.is_success:
        return None
    if status == GONE:
        return DeliveryError("gone", permanent=False, of_system=True, for_good=True)
    if status in REFUSED:
        return DeliveryError(REFUSED[status], permanent=True)
    code = f"status_{status}" if status in OF_THE_MOMENT or status >= SERVER_ERROR else "refused"
    code = "credentials_refused" if status in SHUT else "redirected" if status in MOVED else code
    return DeliveryError(code, permanent=False, of_system=True, retry_after=retry_after(said.headers))
