"""The calls to one provider, and which of its answers mean trouble on its side and which refuse the sign-in."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

import httpx2
import msgspec

from backend.outside.eid_errors import refused, unavailable
from backend.outside.eid_provider import Provider
from backend.outside.http import Guarded, HttpTrouble

BUSY = (408, 425, 429)


class Wire:
    """Asks for objects; raises LoginRefused or ProviderUnavailable."""

    def __init__(self, provider: Provider, http: Guarded) -> None:
        self._provider, self._http = provider, http

    async def ask(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        """The object that the provider answers with.

        Where identity rests on a signed ID token, a senseless answer is the provider's trouble and the person
        may try again; otherwise it is an answer that does not verify (contract-accounts, 5).
        """
        try:
            answer = await self._http.request(method, url, timeout=self._provider.timeout, **options)
        except HttpTrouble as error:
            raise unavailable(type(error).__name__) from error
        signed = self._provider.flavour.signed
        if self._refuses(method, answer.status_code):
            raise refused("answer_" + _word(answer))
        if answer.status_code != 200:
            raise unavailable(f"status_{answer.status_code}")
        try:
            body = msgspec.json.decode(answer.content)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise (unavailable if signed else refused)("not_json") from error
        if not isinstance(body, dict):
            raise (unavailable if signed else refused)("not_an_object")
        return body

    def _refuses(self, method: str, status: int) -> bool:
        if self._provider.flavour.signed:
            return status in (400, 403) and method == "POST"
        return 400 <= status < 500 and status not in BUSY

    def basic(self) -> str:
        """RFC 6749 §2.3.1: name and secret are form-encoded before they are joined."""
        pair = f"{quote(self._provider.client_id, safe='')}:{quote(self._provider.client_secret, safe='')}"
        return "Basic " + base64.b64encode(pair.encode()).decode()


def _word(answer: httpx2.Response) -> str:
    """The provider's error code, if it is one of the registered ones (RFC 6749 §5.2)."""
    known = ("invalid_grant", "invalid_client", "invalid_request", "unauthorized_client")
    return next((code for code in known if code.encode() in answer.content), "refused")
