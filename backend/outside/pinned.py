"""The client library's way to the network, which connects to the address that was looked at (rule 705; case TI08)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import httpcore2

from backend.outside.addresses import AddressRefused, Allowed, resolve


class PinnedNetwork(httpcore2.AsyncNetworkBackend):
    """Resolves a name once, refuses what is not permitted, and connects to the address it looked at."""

    def __init__(self, allowed: Allowed, *, encrypted: bool) -> None:
        self._allowed, self._encrypted = allowed, encrypted
        self._inner = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first permitted address that answers; one refused address refuses the name."""
        addresses = await resolve(host, port)
        for address in addresses:
            if not self._allowed.permits(host, address, port, encrypted=self._encrypted):
                raise AddressRefused
        trouble: Exception = httpcore2.ConnectError()
        for address in addresses:
            try:
                return await self._inner.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                trouble = error
        raise trouble

    async def sleep(self, seconds: float) -> None:
        """Wait, for the pool's own retries."""
        await asyncio.sleep(seconds)
