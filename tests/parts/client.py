"""Connections to an installation on loopback."""

from __future__ import annotations

import ssl
from typing import Any

import httpx2

PATIENCE = 60.0  # seconds: whoever runs the tests may do other things beside
NO_TLS = ssl.SSLContext(
    ssl.PROTOCOL_TLS_CLIENT
)  # trusts nobody; reading the machine's list takes 30 ms a client


def client(url: str = "", **more: Any) -> httpx2.AsyncClient:
    """A client of its own connections and cookies; the caller closes it."""
    return httpx2.AsyncClient(base_url=url, timeout=PATIENCE, verify=NO_TLS, **more)
