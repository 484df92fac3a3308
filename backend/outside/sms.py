"""Sends one short message; knows how Kannel is asked (its `sendsms` HTTP interface)."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from backend.errors import Unavailable
from backend.outside.http import Guarded, HttpTrouble


class SmsUnavailable(Unavailable):
    """The SMS centre does not take messages; nothing was sent and nothing counted."""

    code = "sms_unavailable"
    title = "Hiện chưa gửi được tin nhắn, vui lòng thử lại sau ít phút"


class Sms(Protocol):
    """Whatever carries a short message to a phone."""

    async def send(self, to: str, text: str, *, message_id: str) -> None:
        """Hand `text` over for `to` (E.164); raises SmsUnavailable."""


class KannelSms:
    """Kannel's smsbox at `kannel://user:pass@host:port/?from=SENDER`."""

    def __init__(self, url: str, http: Guarded) -> None:
        parts = urlsplit(url)
        self._http = http
        self._address = f"http://{parts.hostname}:{parts.port or 13013}/cgi-bin/sendsms"
        self._login = {"username": unquote(parts.username or ""), "password": unquote(parts.password or "")}
        self._sender = parse_qs(parts.query).get("from", ["NGOMON"])[0]

    async def send(self, to: str, text: str, *, message_id: str) -> None:  # noqa: ARG002 - Kannel takes no such name
        """Ask Kannel to accept the message. GSM-7 text needs no coding; anything else goes as UCS-2."""
        query = {**self._login, "from": self._sender, "to": to, "text": text, "charset": "UTF-8"}
        query |= {"coding": "0"} if text.isascii() else {"coding": "2"}
        try:
            answer = await self._http.request("GET", self._address, params=query, timeout=10)
        except HttpTrouble as error:
            raise SmsUnavailable(retry_after=60) from error
        if answer.status_code != 202:
            raise SmsUnavailable(retry_after=60)
