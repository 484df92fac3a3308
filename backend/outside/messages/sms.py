"""Sends one short message; knows how Kannel is asked (its `sendsms` HTTP interface)."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

import httpx2

from backend.counting import count
from backend.errors import Unavailable
from backend.outside.addresses import AddressRefused, HttpTrouble, NotSent
from backend.outside.http import Guarded
from backend.words import mark as _

TAKEN = 202
# said by the one that was asked, who meant it; a 502 or 504 speaks for somebody behind it who may have it
REFUSED = (500, 503, *range(300, 500))


class SmsUnavailable(Unavailable):
    """The SMS centre does not take messages; nothing was sent and nothing counted."""

    code = "sms_unavailable"
    title = "Hiện chưa gửi được tin nhắn, vui lòng thử lại sau ít phút"


class SmsUncertain(SmsUnavailable):
    """The message was handed over and no word came back: it may be on its way.

    Whoever catches it sends nothing again unasked, or the person gets it twice (case TO13).
    """

    def __init__(self) -> None:
        super().__init__(_("Tổng đài tin nhắn chưa xác nhận đã nhận tin"), retry_after=60)


class Sms(Protocol):
    """Whatever carries a short message to a phone."""

    async def send(self, to: str, text: str, *, message_id: str) -> None:
        """Hand `text` over for `to` (E.164), once; raises SmsUnavailable, or SmsUncertain when nobody can say."""


class CountedSms:
    """The same, and how it ended is counted (`ngomon_sms_total`)."""

    def __init__(self, sms: Sms) -> None:
        self._sms = sms

    async def send(self, to: str, text: str, *, message_id: str) -> None:
        """Hand it on."""
        outcome = "unavailable"
        try:
            await self._sms.send(to, text, message_id=message_id)
            outcome = "sent"
        except SmsUncertain:
            outcome = "uncertain"
            raise
        finally:
            count("ngomon_sms", outcome)


class KannelSms:
    """Kannel's smsbox at `kannel://user:pass@host:port/?from=SENDER`; `timeout` in seconds."""

    def __init__(self, url: str, http: Guarded, *, timeout: float) -> None:
        parts = urlsplit(url)
        self._http, self._timeout = http, timeout
        self._address = f"http://{parts.hostname}:{parts.port or 13013}/cgi-bin/sendsms"
        self._login = {"username": unquote(parts.username or ""), "password": unquote(parts.password or "")}
        self._sender = parse_qs(parts.query).get("from", ["NGOMON"])[0]

    async def send(self, to: str, text: str, *, message_id: str) -> None:  # noqa: ARG002 - Kannel takes no such name
        """Ask Kannel to accept the message. GSM-7 text needs no coding; anything else goes as UCS-2.

        Each has a connection of its own: one that was kept may be hung up under the message, and who knows then?
        """
        query = {**self._login, "from": self._sender, "to": to, "text": text, "charset": "UTF-8"}
        query |= {"coding": "0"} if text.isascii() else {"coding": "2"}
        alone = {"Connection": "close"}
        whole = f"{self._address}?{httpx2.QueryParams(query)}"  # taken apart once, where `params` is twice
        try:
            answer = await self._http.request("GET", whole, headers=alone, timeout=self._timeout)
        except (NotSent, AddressRefused) as error:
            raise SmsUnavailable(retry_after=60) from error
        except HttpTrouble as error:
            raise SmsUncertain from error
        if answer.status_code in REFUSED:
            raise SmsUnavailable(retry_after=60)
        if answer.status_code != TAKEN:
            raise SmsUncertain
