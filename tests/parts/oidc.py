"""The e-ID of the tests: npm oidc-provider, a certified implementation that nobody here wrote."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx2
from joserfc.jwk import ECKey, RSAKey

from tests.parts.client import client
from tests.parts.processes import ROOT, Part, free_port, node, scratch

SCOPES = "openid profile phone eid"
MOST_STEPS = 12


class OidcProvider:
    """Two clients, one with a secret and one with a key; accounts and return addresses are added at will."""

    basic = "ngomon-basic"
    pkj = "ngomon-pkj"
    client_secret = "a-secret-for-tests-only-0123456789abcdef"

    def __init__(self) -> None:
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.key = ECKey.generate_key("P-256", {"kid": "client-1", "use": "sig", "alg": "ES256"})
        self._signing = RSAKey.generate_key(2048, {"kid": "eid-1", "use": "sig", "alg": "RS256"})
        self._accounts: dict[str, dict[str, object]] = {}
        self.logins_asked = 0
        self._redirect_uris = [f"{self.issuer}/nobody"]
        self._file = scratch("oidc") / "config.json"
        program = ROOT / "tests/parts/oidc_provider.mjs"
        self._part = Part(
            "oidc-provider", [node(), program, self._file], environment={"NODE_NO_WARNINGS": "1"}
        )

    @property
    def private_jwk(self) -> dict[str, Any]:
        """The key of the client `pkj`, as NGOMON_VNEID_CLIENT_KEY's file holds it."""
        return dict(self.key.as_dict(private=True))

    def start(self) -> None:
        """Bring it up; also again after `stop`, with the same keys, accounts and clients."""
        settings = {
            "port": self.port,
            "clients": self._clients(),
            "jwks": {"keys": [self._signing.as_dict(private=True)]},
            "accounts": self._accounts,
        }
        self._file.write_text(json.dumps(settings), encoding="utf-8")
        self._part.start(self._is_ready)

    def reset(self) -> None:
        """Within reach and without faults, whatever the last test did; accounts stay."""
        if not self._part.is_running:
            self.start()
        self.answer_with({})

    def stop(self) -> None:
        """Out of reach."""
        self._part.stop()

    def add_account(self, account: str, **claims: object) -> None:
        """Who can sign in: national_id, full_name, birth_date, gender, phone_number, assurance_level."""
        self._accounts[account] = claims
        self._administer("accounts", {account: claims})

    def allow_redirect(self, *uris: str) -> None:
        """Both clients may return there from now on."""
        self._redirect_uris.extend(uri for uri in uris if uri not in self._redirect_uris)
        self._administer("clients", self._clients())

    def answer_with(self, faults: Mapping[str, int]) -> None:
        """These paths answer with that status from now on; an empty mapping heals it all."""
        self._administer("faults", dict(faults))

    async def sign_in(
        self, authorization_url: str, account: str, browser: httpx2.AsyncClient | None = None
    ) -> dict[str, str]:
        """What a person does in the e-ID's pages; answers what came back to the redirect address.

        A `browser` that has been there keeps the e-ID's own session; `logins_asked` tells whether that answered.
        """
        form = {"account": account, "answer": "yes"}
        if browser is not None:
            return await self._through(browser, authorization_url, form)
        return await self._walk(authorization_url, form)

    async def cancel(self, authorization_url: str) -> dict[str, str]:
        """The person presses Huỷ."""
        return await self._walk(authorization_url, {"answer": "cancel"})

    async def _walk(self, url: str, form: dict[str, str]) -> dict[str, str]:
        async with client() as browser:
            return await self._through(browser, url, form)

    async def _through(self, browser: httpx2.AsyncClient, url: str, form: dict[str, str]) -> dict[str, str]:
        self.logins_asked = 0
        answer = await browser.get(url)
        for _ in range(MOST_STEPS):
            if answer.is_redirect:
                url = urljoin(url, answer.headers["location"])
                if not url.startswith(f"{self.issuer}/"):
                    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
                answer = await browser.get(url)
            else:
                assert answer.status_code == httpx2.codes.OK, f"{url}: {answer.status_code} {answer.text}"
                self.logins_asked += 'name="account"' in answer.text
                url = urljoin(url, form_action(answer.text))
                answer = await browser.post(url, data=form)
        raise AssertionError(f"the e-ID goes round in circles at {url}")

    def _clients(self) -> dict[str, dict[str, object]]:
        common = {"redirect_uris": self._redirect_uris, "scope": SCOPES, "response_types": ["code"]}
        basic = {"token_endpoint_auth_method": "client_secret_basic", "client_secret": self.client_secret}
        pkj = {
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": "ES256",
            "jwks": {"keys": [self.key.as_dict(private=False)]},
        }
        return {
            self.basic: {"client_id": self.basic, **common, **basic},
            self.pkj: {"client_id": self.pkj, **common, **pkj},
        }

    def _administer(self, what: str, content: object) -> None:
        httpx2.put(f"{self.issuer}/admin/{what}", json=content, timeout=10).raise_for_status()

    def _is_ready(self) -> bool:
        try:
            return httpx2.get(f"{self.issuer}/.well-known/openid-configuration", timeout=5).is_success
        except httpx2.TransportError:
            return False


def form_action(html: str) -> str:
    """Where the page's one form goes."""
    found: list[str] = []

    class Finder(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag == "form":
                found.append(dict(attrs).get("action") or "")

    Finder().feed(html)
    assert found, f"no form in {html!r}"
    return found[0]
