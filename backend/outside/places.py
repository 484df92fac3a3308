"""Which province a network address belongs to, as coarse as a person's access history may be (source 001, III).

The table is the installation's own file (`NGOMON_PLACES`): carriers' networks move, and no
public list of them names provinces.
"""

from __future__ import annotations

import csv
import ipaddress
from pathlib import Path

from backend.names import clean_name

HEADER = ["network", "province"]
LONGEST = 60


class PlacesError(ValueError):
    """The file cannot be used; the text names the line and what is wrong with it."""


class Places:
    """Networks and their provinces; of two that hold an address, the narrower one says where it is."""

    def __init__(self, file: str = "") -> None:
        self._by_size: dict[tuple[int, int], dict[int, str]] = {}
        if file:
            self._load(Path(file))
        self._sizes = sorted(self._by_size, reverse=True)

    def of(self, address: str) -> str | None:
        """The province, or nothing for an address that no line covers or that is none."""
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return None
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        for version, size in self._sizes:
            if version == found.version:
                province = self._by_size[version, size].get(int(found) >> (found.max_prefixlen - size))
                if province is not None:
                    return province
        return None

    def _load(self, file: Path) -> None:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = csv.reader(opened, strict=True)
            try:
                if next(rows, None) != HEADER:
                    raise PlacesError(f"NGOMON_PLACES: the first line must be {','.join(HEADER)}")
                for row in rows:
                    if row:
                        self._add(row, rows.line_num)
            except csv.Error as error:
                raise PlacesError(f"NGOMON_PLACES: line {rows.line_num} is no CSV ({error})") from error

    def _add(self, row: list[str], line: int) -> None:
        if len(row) != len(HEADER):
            raise PlacesError(f"NGOMON_PLACES: line {line} must have two values")
        province = clean_name(row[1])
        if not 0 < len(province) <= LONGEST or not province.isprintable():
            raise PlacesError(f"NGOMON_PLACES: line {line} names no province")
        try:
            network = ipaddress.ip_network(row[0].strip())
        except ValueError as error:
            raise PlacesError(f"NGOMON_PLACES: line {line} is not a network") from error
        size = network.prefixlen
        key = int(network.network_address) >> (network.max_prefixlen - size)
        if self._by_size.setdefault((network.version, size), {}).setdefault(key, province) != province:
            raise PlacesError(f"NGOMON_PLACES: line {line} names another province for a network that has one")
