"""The calls to one provider: which answers refuse the sign-in, and which mean that it is out of reach."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

import httpx2
import msgspec

from backend.outside.addresses import HttpTrouble
from backend.outside.eid.eid_errors import log, refused, unavailable
from backend.outside.eid.eid_provider import Provider
from backend.outside.http import Guarded

OK = 200
BUSY = (408, 425, 429)  # "come again", which is no answer either
OUR_FAULT = ("invalid_client", "unauthorized_client")


class Wire:
    """Asks for objects; raises LoginRefused or ProviderUnavailable."""

    def __init__(self, provider: Provider, http: Guarded) -> None:
        self._provider, self._http = provider, http

    async def page(self, url: str) -> dict[str, Any]:
        """What the provider publishes: discovery, keys. It is about nobody's sign-in, so it refuses nobody."""
        answer = await self._answered("GET", url)
        found = _json(answer) if answer.status_code == OK else None
        if not isinstance(found, dict):
            raise unavailable(f"page_{answer.status_code}")
        return found

    async def ask(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        """The object that the provider answers about one sign-in.

        What is no JSON (a proxy's page, half a file) is no answer of the provider, and may be asked for again. Any
        other that is not what was asked for does not verify, and the sign-in is over (rule
        406). That goes for `invalid_client` too, though it is our own settings that are wrong: trying the
        same again cannot help the person, who is told the same as always, and the log calls the operator.
        """
        answer = await self._answered(method, url, **options)
        body = _json(answer)
        if body is msgspec.UNSET and not (answer.is_client_error and "www-authenticate" in answer.headers):
            raise unavailable(
                f"no_json_{answer.status_code}"
            )  # RFC 6750 §3: a no about a token needs no body
        if answer.status_code != OK:
            if (word := _word(answer)) in OUR_FAULT:
                log.error("provider_refuses_us", reason=word)
            raise refused("answer_" + word)
        if not isinstance(body, dict):
            raise refused("answer_no_object")
        return body

    async def _answered(self, method: str, url: str, **options: Any) -> httpx2.Response:
        """An answer of the provider itself; redirects are not followed, so what stands behind one is out of reach."""
        try:
            answer = await self._http.request(method, url, timeout=self._provider.timeout, **options)
        except HttpTrouble as error:
            raise unavailable(type(error).__name__) from error
        if answer.status_code >= 500 or answer.is_redirect or answer.status_code in BUSY:
            raise unavailable(f"status_{answer.status_code}")
        return answer

    def basic(self) -> str:
        """RFC 6749 §2.3.1: name and secret are form-encoded before they are joined."""
        pair = f"{quote(self._provider.client_id, safe='')}:{quote(self._provider.client_secret, safe='')}"
        return "Basic " + base64.b64encode(pair.encode()).decode()


def _json(answer: httpx2.Response) -> Any:
    """What an answer says in JSON; UNSET when it is none."""
    try:
        return msgspec.json.decode(answer.content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return msgspec.UNSET


def _word(answer: httpx2.Response) -> str:
    """The provider's error code, if it is one of the registered ones (RFC 6749 §5.2)."""
    known = ("invalid_grant", "invalid_client", "invalid_request", "unauthorized_client")
    return next((code for code in known if code.encode() in answer.content), "refused")
