"""A downstream system that nobody here wrote: scim2-server, with a bearer token, on a port of its own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import httpx2

from tests.parts.processes import Part, free_port

PAGE = 100


class ScimServer:
    """`url` and `token` are for `ngomon systems add`; what it holds is lost when it stops."""

    token = "a-token-for-tests-only"

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        program = Path(sys.executable).parent / "scim2-server"
        words = ("--hostname", "127.0.0.1", "--port", str(self.port), "--bearer-token", self.token)
        self._part = Part("scim2-server", [program, *words])
        self._http = httpx2.Client(
            base_url=self.url, headers={"authorization": f"Bearer {self.token}"}, timeout=10
        )

    def start(self) -> None:
        """Bring it up, empty."""
        self._part.start(self._is_ready)

    def stop(self) -> None:
        """Out of reach."""
        self._part.stop()

    def reset(self) -> None:
        """Up and empty, whatever the last test did."""
        if not self._part.is_running:
            self.start()
        self.clear()

    def clear(self) -> None:
        """Delete every user and group."""
        for kind in ("Groups", "Users"):
            for resource in self._all(kind):
                self.request("DELETE", f"/{kind}/{resource['id']}").raise_for_status()

    def users(self) -> list[dict[str, Any]]:
        """Every user, as SCIM's JSON."""
        return self._all("Users")

    def groups(self) -> list[dict[str, Any]]:
        """Every group, with its members."""
        return self._all("Groups")

    def user(self, name: str) -> dict[str, Any] | None:
        """The one with that userName."""
        return next((user for user in self.users() if user["userName"] == name), None)

    def request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """Any call, with the token; for changing what it holds behind the product's back."""
        return self._http.request(method, path, **options)

    def _all(self, kind: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            answer = self.request("GET", f"/{kind}", params={"startIndex": len(found) + 1, "count": PAGE})
            answer.raise_for_status()
            page = answer.json()
            found += page.get("Resources", [])
            if not page.get("Resources") or len(found) >= page["totalResults"]:
                return found

    def _is_ready(self) -> bool:
        try:
            return self.request("GET", "/ServiceProviderConfig").is_success
        except httpx2.TransportError:
            return False
