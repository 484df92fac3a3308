"""Secrets that somebody made by hand, and doors that are as wide as the wall: what production refuses by name."""

from __future__ import annotations

import base64
import binascii
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import pairwise

KEY_BYTES = 32
FEWEST_BYTES = 20  # different ones in a key of 32: chance gives about thirty, and fewer than this never
SHORTEST_TOKEN, FEWEST_LETTERS = 16, 8
WIDEST = {4: 8, 6: 32}  # bits of a network's name: 10.0.0.0/8 is the widest that a house of offices has
METADATA = ("169.254.0.0/16", "fe80::/10")  # where clouds hand out their own keys


def is_weak_key(key: str) -> bool:
    """A key of zeros, of a few bytes over and over, counted up, or typed: whoever tries those first is in."""
    try:
        raw = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES:
        return False  # that it is no key at all is said elsewhere
    steps = {(after - before) % 256 for before, after in pairwise(raw)}
    typed = all(32 <= byte < 127 for byte in raw)
    return len(set(raw)) < FEWEST_BYTES or len(steps) < FEWEST_BYTES or typed


def is_weak_token(token: str) -> bool:
    """Too short, or too few letters, to be out of reach of guessing."""
    return len(token) < SHORTEST_TOKEN or len(set(token)) < FEWEST_LETTERS


def open_doors(hosts: list[str]) -> list[str]:
    """Of the private places that may be called: the networks that are no list any more."""
    return [host for host in hosts if "/" in host and (network := _network(host)) and _is_too_wide(network)]


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _is_too_wide(network: IPv4Network | IPv6Network) -> bool:
    inside = any(
        network.version == other.version and network.overlaps(other) for other in map(ip_network, METADATA)
    )
    return network.prefixlen < WIDEST[network.version] or inside
