"""Remembers used proofs on one machine, as long as each could come again (RFC 9449 §11.1).

A proof goes by one append into the file of its time: into memory too, so that a look costs nothing, and into the
file, so that neither a killed process nor a second one opens the door to replays. Nothing is flushed: after a power
cut the machine needs longer to start than a proof lives.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

KEY = 16  # bytes of the identifier that are kept; nobody finds two proofs that agree in 128 bits
SPAN = 120  # seconds of one file; the same proof always belongs to the same one
CHUNK = 4096 * KEY


class _Span:
    """The proofs that run out within one span of time."""

    def __init__(self, file: Path) -> None:
        self._handle = os.open(file, os.O_CREAT | os.O_RDWR | os.O_APPEND, 0o600)
        os.ftruncate(self._handle, os.fstat(self._handle).st_size // KEY * KEY)  # half a record is none
        self._known: set[bytes] = set()
        self._read = 0
        self._known.update(self._news())

    def add(self, key: bytes) -> bool:
        """Append first and look then: of two processes with the same proof at least one finds the other's."""
        if key in self._known:
            return False
        if (
            os.write(self._handle, key) != KEY
        ):  # the disk is full: half a record would put all later ones askew
            os.ftruncate(self._handle, os.fstat(self._handle).st_size // KEY * KEY)
            raise OSError(errno.ENOSPC, "no room to remember a proof")
        news = self._news()
        is_new = len(news) == 1 or (news.count(key) == 1 and key not in self._known)
        self._known.update(news)
        return is_new

    def _news(self) -> list[bytes]:
        found: list[bytes] = []
        while raw := os.pread(self._handle, CHUNK, self._read):
            self._read += len(raw)
            if len(raw) == KEY:
                return [*found, raw]
            found += [raw[place : place + KEY] for place in range(0, len(raw), KEY)]
        return found

    def close(self) -> None:
        """Give the file back."""
        os.close(self._handle)


class SeenProofs:
    """`life` is the time, in seconds, from the earliest to the latest moment that a proof may name."""

    def __init__(self, file: Path, *, life: int) -> None:
        self._file, self._life = file, life
        self._spans: dict[int, _Span] = {}

    def add(self, seen_id: bytes, until: int) -> bool:
        """Whether the proof is new; it is not from now on."""
        span = self._spans.get(until // SPAN)
        if span is None:
            self._forget(until - self._life - 2)
            span = self._spans[until // SPAN] = _Span(self._name(until // SPAN))
        return span.add(seen_id[:KEY])

    def _name(self, number: int) -> Path:
        return self._file.with_name(f"{self._file.name}-{number}")

    def _forget(self, before: int) -> None:
        """Drop every span in which nothing can be accepted any more."""
        for number in [number for number in self._spans if (number + 1) * SPAN <= before]:
            self._spans.pop(number).close()
        for file in self._file.parent.glob(f"{self._file.name}-*"):
            ending = file.name.rpartition("-")[2]
            if ending.isdecimal() and (int(ending) + 1) * SPAN <= before:
                file.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the files; what they hold is read again at the next start."""
        while self._spans:
            self._spans.popitem()[1].close()
