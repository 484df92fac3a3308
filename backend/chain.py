"""How entries hang together, and the walk that proves it (rule 901).

Open entries are linked under the installation's keys. A closed range needs none of the keys that it was
linked under: the digest over its entries is sealed by the newest key, and every rotation seals it anew. A head
that left the house is a mark: whatever the database says later, the entry of that number must still be this one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from backend.crypto import KeyMissing, KeyRing, base64url

PURPOSE = "journal"
GENESIS = bytes(32)
KEY_ID = 4  # bytes


class Witness(Protocol):
    """Whoever knows what the journal must say of the rest of the database."""

    tags: frozenset[str]

    def hear(self, entry: Any) -> None:
        """An entry of one of the tags, in order."""

    def trouble(self) -> str | None:
        """What no entry has spoken for, when all were heard."""


class Mark(NamedTuple):
    """A head as it left the house: the newest entry of that moment."""

    seq: int
    hash: bytes
    key_id: bytes
    seal: bytes

    def __str__(self) -> str:
        return f"{self.seq}.{base64url(self.hash)}.{self.key_id.hex()}.{base64url(self.seal)}"

    @classmethod
    def parse(cls, text: str) -> Mark:
        """Read what `str` wrote; raises ValueError."""
        try:
            seq, link, key_id, seal = text.strip().split(".")
            made = cls(int(seq), _bytes(link), bytes.fromhex(key_id), _bytes(seal))
        except (ValueError, binascii.Error) as error:
            raise ValueError("not a head of a journal") from error
        if str(made) != text.strip() or {len(made.hash), len(made.seal)} != {len(GENESIS)}:
            raise ValueError("not a head of a journal")
        return made


def link(keys: KeyRing, previous: bytes, entry: Any) -> bytes:
    """The keyed hash that ties an entry to the one before."""
    told = _told(entry.seq, entry.at.isoformat(), entry.tag, entry.subject, entry.by, entry.fact)
    return keys.mac(PURPOSE, previous + told, entry.key_id)


def head_seal(keys: KeyRing, head: Any) -> bytes:
    """The seal of the newest link."""
    return keys.mac(f"{PURPOSE} head", b"%d|" % head.seq + head.hash, head.key_id)


def range_seal(keys: KeyRing, first: int, closed: Any) -> bytes:
    """The seal of a closed range: where it begins and ends, its digest, and the keys that end with it."""
    told = b"%d|%d|" % (first, closed.last_seq) + closed.digest + closed.retired
    return keys.mac(f"{PURPOSE} range", told, closed.key_id)


def each_key(joined: bytes) -> list[bytes]:
    """The key identifiers that a column holds one behind the other."""
    return [joined[at : at + KEY_ID] for at in range(0, len(joined), KEY_ID)]


class Walk:
    """Takes the entries one by one, in order; says what is wrong with the one that it was given.

    `known` are all keys that the database has ever had. An entry under one of them that is not listed cannot be
    checked, which is not the same as altered: KeyMissing.
    """

    def __init__(
        self,
        keys: KeyRing,
        known: Iterable[bytes],
        closed: Sequence[Any] = (),
        marks: Iterable[Mark] = (),
        *,
        closing: bool = False,
    ) -> None:
        self._keys, self._known, self._closing = keys, frozenset(known), closing
        self._listed = {key_id: keys.derive(PURPOSE, key_id) for key_id in keys.key_ids}
        self._closed = list(closed)
        self._marks = deque(sorted(marks))  # one a minute of some years: each is taken from the front
        self._next_mark = self._marks[0].seq if self._marks else 0
        self._ended: dict[bytes, int] = {}
        self._first, self._digest = 1, hashlib.sha256()
        self.count, self.previous = 0, GENESIS

    @property
    def digest(self) -> bytes:
        """Over the entries since the last closed range, of a walk that is `closing` them."""
        return self._digest.digest()

    @property
    def first(self) -> int:
        """Where the range that is open now begins."""
        return self._first

    def step(self, entry: Sequence[Any]) -> str | None:
        """Go on by one entry, the columns of its row in their order, time and persons as `link` writes them; this is
        done a million times.
        """
        seq, at, tag, subject, by, fact, key_id, found = entry
        if seq != self.count + 1:
            return f"entry {self.count + 1} is missing"
        told = _told(seq, at, tag, subject, by, fact)
        if self._closed or self._closing:
            self._digest.update(b"%d|%d|" % (len(told), len(key_id)) + told + key_id + found)
        if trouble := self._within(seq) if self._closed else self._linked(seq, told, key_id, found):
            return trouble
        if seq == self._next_mark and (trouble := self._marked(seq, found)):
            return trouble
        self.count, self.previous = seq, found
        return None

    def end(self) -> str | None:
        """What only the end shows: a range or a mark that lies behind it."""
        if self._closed:
            return f"the tail was cut after entry {self.count}, a closed range goes on to {self._closed[0].last_seq}"
        if self._marks:
            return f"the tail was cut after entry {self.count}, entry {self._marks[-1].seq} had been a head"
        return None

    def _within(self, seq: int) -> str | None:
        """In a closed range only its end is compared: what lies inside is in the digest."""
        closed = self._closed[0]
        if seq != closed.last_seq:
            return None
        if closed.key_id not in self._listed:
            raise KeyMissing(closed.key_id)
        right = range_seal(self._keys, self._first, closed)
        same = hmac.compare_digest(self._digest.digest(), closed.digest)
        if not same or not hmac.compare_digest(right, closed.seal):
            self.count = self._first - 1
            return f"an entry of {self._first} to {seq} was altered"
        self._ended |= dict.fromkeys(each_key(closed.retired), seq)
        self._closed.pop(0)
        self._first, self._digest = seq + 1, hashlib.sha256()
        return None

    def _linked(self, seq: int, told: bytes, key_id: bytes, found: bytes) -> str | None:
        if key_id in self._ended:
            return f"entry {seq} is under a key that was given up after entry {self._ended[key_id]}"
        key = self._listed.get(key_id)
        if key is None:
            self._ensure_unknown(key_id)
        elif hmac.digest(key, self.previous + told, "sha256") == found:
            return None
        return f"entry {seq} was altered"

    def _ensure_unknown(self, key_id: bytes) -> None:
        if key_id in self._known or (not self._known and len(key_id) == KEY_ID):
            raise KeyMissing(key_id)

    def head(self, head: Any) -> str | None:
        """Whether the head is the one of this walk, under the newest key."""
        if head.key_id not in self._listed:
            self._ensure_unknown(head.key_id)
            return "the head was altered"
        if head_seal(self._keys, head) != head.seal:
            return "the head was altered"
        if head.key_id != self._keys.newest:
            return "the head is not under the newest key: another process has an older list of keys, or it was put back"
        return None

    def _marked(self, seq: int, found: bytes) -> str | None:
        while self._marks and self._marks[0].seq == seq:
            if self._marks[0].hash != found:
                return (
                    f"entry {seq} is not the one that had been a head: entries up to it went or were altered"
                )
            self._marks.popleft()
        self._next_mark = self._marks[0].seq if self._marks else 0
        return None


def _told(seq: int, at: str, tag: str, subject: object, by: object, fact: str) -> bytes:
    return f"{seq}|{at}|{tag}|{subject}|{by}|{fact}".encode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
