"""Where outgoing calls may go: public addresses, and whatever private ones the operator listed.

What counts is the address that is connected to, not the name that was checked before
(rule 705; case TI08): a name may answer differently the second time it is asked.
"""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import ClassVar
from urllib.parse import urlsplit

Address = IPv4Address | IPv6Address

PUBLIC_PORTS = (443, 8443)  # rule 705; any other port wants to be listed
NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052 §2.1: the last 32 bits are an IPv4 address
ENTRY = re.compile(r"^(?:\[(?P<v6>[^\]]+)\]|(?P<host>[^:]+))(?::(?P<port>\d{1,5}))?$")


class HttpTrouble(Exception):
    """A call to somebody else did not come to an answer; `code` is stable and tells nothing of the inside."""

    code: ClassVar[str] = "call_failed"

    def __init__(self) -> None:
        super().__init__(self.code)


class AddressRefused(HttpTrouble):
    """The address is not one that we call; the text does not tell open ports from closed ones."""

    code = "address_refused"


class Unreachable(HttpTrouble):
    """No connection, or none that lasted until the whole answer was here in time."""

    code = "unreachable"


class NotSent(Unreachable):
    """The same, and certain that nothing of the request has left: no such name, no connection, no TLS."""


class Allowed:
    """The operator's list: `host`, `host:port`, an address, `[v6]:port` or a network like `10.1.0.0/16`."""

    def __init__(self, entries: Iterable[str] = ()) -> None:
        self._hosts: set[tuple[str, int | None]] = set()
        self._networks: list[IPv4Network | IPv6Network] = []
        for entry in (text.strip().lower() for text in entries):
            if network := _network(entry):
                self._networks.append(network)
            elif _address(entry):
                self._hosts.add((_canonical(entry), None))
            elif found := ENTRY.match(entry):
                port = int(found["port"]) if found["port"] else None
                self._hosts.add((_canonical(found["v6"] or found["host"]), port))
            else:
                raise ValueError(f"not a host, host:port or network: {entry!r}")

    def lists(self, host: str, address: Address, port: int) -> bool:
        """Whether the name, the address or a network around it is listed for this port."""
        names = {_canonical(host), str(address)}
        if any((name, wanted) in self._hosts for name in names for wanted in (None, port)):
            return True
        return any(address in network for network in self._networks)

    def permits(self, host: str, address: Address, port: int, *, encrypted: bool) -> bool:
        """Listed, or public, encrypted and at a usual port."""
        if self.lists(host, address, port):
            return True
        return encrypted and port in PUBLIC_PORTS and is_public(address)


def is_public(address: Address) -> bool:
    """Whether an address, and any IPv4 address wrapped in it, belongs to the open Internet."""
    if isinstance(address, IPv6Address):
        wrapped = address.ipv4_mapped or address.sixtofour
        if address in NAT64:
            wrapped = IPv4Address(int(address) & 0xFFFFFFFF)
        if wrapped is not None:
            return is_public(wrapped)
        if address.teredo is not None or address.is_site_local:
            return False
    inside = address.is_private or address.is_loopback or address.is_link_local or address.is_unspecified
    return address.is_global and not (inside or address.is_multicast or address.is_reserved)


async def resolve(host: str, port: int) -> list[Address]:
    """The addresses of a host as the system's resolver sees them, whatever their spelling."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise NotSent from error
    return list(dict.fromkeys(_unwrapped(ip_address(place[4][0])) for place in found))


async def check(url: str, allowed: Allowed) -> None:
    """Refuse an address when it is saved; connecting checks again."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        raise AddressRefused from error
    if parts.scheme not in {"https", "http"} or not parts.hostname or "@" in parts.netloc or parts.fragment:
        raise AddressRefused
    if parts.hostname.endswith("."):
        raise AddressRefused
    for address in await resolve(parts.hostname, port):
        if not allowed.permits(parts.hostname, address, port, encrypted=parts.scheme == "https"):
            raise AddressRefused


def _canonical(host: str) -> str:
    bare = _address(host)
    return str(_unwrapped(bare)) if bare else host.lower()


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text) if "/" in text else None
    except ValueError:
        return None


def _address(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _unwrapped(address: Address) -> Address:
    """`::ffff:10.0.0.1` is 10.0.0.1."""
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
