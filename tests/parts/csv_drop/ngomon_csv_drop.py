"""Keeps a folder in step: one signed CSV file for each person, `<account>.csv`, for a program that has no network.

The folder holds a file MARK, laid down by whoever runs that program: a share that is not mounted is no empty folder.
What is not signed with our key counts as not there.
"""

from __future__ import annotations

import asyncio
import csv
import hmac
import io
import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import ClassVar, TypeVar
from urllib.parse import unquote, urlsplit
from uuid import UUID, uuid4

import msgspec

from backend.outside.connectors import (
    DeliveryError,
    Desired,
    Errand,
    GroupRef,
    LostTurn,
    Receipt,
    Right,
    Rights,
    Target,
    without_options,
)
from backend.outside.connectors.kinds import Kind
from backend.outside.connectors.learnt import Learnt
from backend.outside.http import Guarded

KIND = Kind("file:///folder, on this machine, with a file `ngomon-drop` in it")
MARK = "ngomon-drop"
SHORTEST_KEY = 16
TEXTS = (
    "external_id", "user_name", "full_name", "title", "employee_number", "email", "organization", "department",
    "unit_code",
)  # fmt: skip
COLUMNS = (*TEXTS, "active", "groups", "version", "signature")
Result = TypeVar("Result")
Row = dict[str, str]


async def check(url: str, options: str, http: Guarded) -> None:
    """Refuse what is no folder, or one that nobody has marked."""
    without_options("csv-drop", options)
    parts = urlsplit(url)
    if parts.scheme != "file" or parts.netloc or not parts.path.startswith("/"):
        raise ValueError("the address is file:///folder")
    if not await asyncio.to_thread((folder_of(url) / MARK).is_file):
        raise ValueError(f"there is no file {MARK} in that folder: whoever reads it makes it first")


def connect(target: Target, http: Guarded, learnt: Learnt) -> CsvDrop:
    """The connector for one folder."""
    if not target.token or len(target.token) < SHORTEST_KEY:
        raise DeliveryError("credentials_refused", permanent=False, of_system=True)
    return CsvDrop(folder_of(target.url), target.token.encode(), learnt)


def folder_of(url: str) -> Path:
    """Where files are dropped."""
    return Path(unquote(urlsplit(url).path))


class CsvDrop:
    """See backend.outside.connectors.Connector."""

    holds: ClassVar[tuple[str, ...]] = (*TEXTS, "active", "groups")

    def __init__(self, folder: Path, key: bytes, learnt: Learnt) -> None:
        self._folder, self._key, self.learnt = folder, key, learnt

    async def apply(self, desired: Desired, remote_id: str | None, errand: Errand) -> Receipt:  # noqa: ARG002
        """One file, replaced whole; over when it reads as it should."""
        wanted = row_of(desired)
        there = await self._reached(lambda: self._row(desired.external_id))
        if _bare(there) == wanted or (there is None and not desired.active):
            return Receipt(desired.external_id, changed=False)
        if not await errand.still_mine():
            raise LostTurn
        await self._reached(lambda: self._write(wanted, errand.version))
        if _bare(await self._reached(lambda: self._row(desired.external_id))) != wanted:
            raise DeliveryError("changed_meanwhile", permanent=False)
        return Receipt(desired.external_id, changed=True)

    async def read(self, external_id: str, remote_id: str | None) -> Desired | None:  # noqa: ARG002
        """What the file says, where it is signed."""
        row = await self._reached(lambda: self._row(external_id))
        return state_of(row) if row is not None else None

    async def rights(self) -> Rights:
        """Of every signed file."""
        rows = await self._reached(self._rows)
        pairs = [(group, row["external_id"]) for row in rows for group in row["groups"].split()]
        return Rights([Right(group, group, member) for group, member in sorted(pairs)], 0)

    async def whose(self, members: Collection[str]) -> dict[str, str | None]:
        """A member is named by the account."""
        return {member: member for member in members}

    async def take_right(self, right: Right) -> bool:
        """The file again without the group."""
        row = await self._reached(lambda: self._row(right.member_id))
        if row is not None:
            left = [group for group in row["groups"].split() if group != right.group]
            bare = _bare(row) or {}
            await self._reached(lambda: self._write(bare | {"groups": " ".join(left)}, int(row["version"])))
        again = await self._reached(lambda: self._row(right.member_id))
        return again is None or right.group not in again["groups"].split()

    def kept(self, wanted: Desired, held: Desired) -> Desired:  # noqa: ARG002
        """Everything."""
        return wanted

    async def close(self) -> None:
        """Nothing is kept open."""

    async def _reached(self, what: Callable[[], Result]) -> Result:
        """Files beside the loop; without its mark the folder is away."""
        try:
            if not await asyncio.to_thread((self._folder / MARK).is_file):
                raise FileNotFoundError
            return await asyncio.to_thread(what)
        except OSError as error:
            raise DeliveryError("folder_away", permanent=False, of_system=True) from error

    def _place(self, external_id: str) -> Path:
        return self._folder / f"{UUID(external_id)}.csv"

    def _row(self, external_id: str) -> Row | None:
        place = self._place(external_id)
        return self._signed(place) if place.exists() else None

    def _rows(self) -> list[Row]:
        found = map(self._signed, sorted(self._folder.glob("*.csv")))
        return [row for row in found if row is not None]

    def _signed(self, place: Path) -> Row | None:
        """The one row of a file, where our signature is under it and it is whose the file's name says."""
        text = place.read_text(encoding="utf-8", errors="replace")
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        if len(rows) != 1 or set(rows[0]) != set(COLUMNS) or None in rows[0].values():
            return None
        is_ours = hmac.compare_digest(self._signature(rows[0]).encode(), rows[0]["signature"].encode())
        return rows[0] if is_ours and rows[0]["external_id"] == place.stem else None

    def _signature(self, row: Row) -> str:
        told = msgspec.json.encode([row[name] for name in COLUMNS if name != "signature"])
        return hmac.digest(self._key, told, "sha256").hex()

    def _write(self, bare: Row, version: int) -> None:
        """Beside it first: whoever reads meanwhile sees the old file or the new one."""
        row = bare | {"version": str(version)}
        row["signature"] = self._signature(row)
        place = self._place(row["external_id"])
        fresh = place.with_name(f".{place.name}.{uuid4().hex}")
        with fresh.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerow(row)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(place)


def row_of(desired: Desired) -> Row:
    """A state as a row; nothing is an empty cell."""
    row = {name: getattr(desired, name) or "" for name in TEXTS}
    groups = sorted(group.external_id for group in desired.groups)
    return row | {"active": "yes" if desired.active else "no", "groups": " ".join(groups)}


def state_of(row: Row) -> Desired:
    """A row as a state."""
    texts = {name: row[name] or None for name in TEXTS}
    groups = [GroupRef(code, code) for code in row["groups"].split()]
    return msgspec.convert(texts | {"active": row["active"] == "yes", "groups": groups}, Desired)


def _bare(row: Row | None) -> Row | None:
    return {name: row[name] for name in (*TEXTS, "active", "groups")} if row is not None else None
