"""What a transaction adds to the journal: entries behind a head, the head that they make, and who remembers that."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import NamedTuple
from uuid import UUID
from weakref import WeakKeyDictionary

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from backend.chain import head_seal, link
from backend.crypto import KeyRing
from backend.db import Database, after_commit, has_waited
from backend.facts import Fact

Told = tuple[Fact, UUID | None, datetime]  # what, by whom, and when


class HeadNow(NamedTuple):
    """The head as it stands, locked or remembered."""

    seq: int
    hash: bytes
    key_id: bytes
    seal: bytes
    retired: bytes | None


class Line(NamedTuple):
    """An entry to be."""

    seq: int
    at: datetime
    tag: str
    subject: UUID | None
    by: UUID | None
    fact: str
    key_id: bytes
    hash: bytes


def linked(
    keys: KeyRing, facts: Iterable[Told], known: HeadNow, previous: bytes
) -> tuple[list[Line], HeadNow]:
    """The entries that come behind a head, and the head that they make."""
    lines = []
    for seq, (fact, by, now) in enumerate(facts, known.seq + 1):
        told = msgspec.json.encode(fact).decode()
        tag = str(fact.__struct_config__.tag)
        line = Line(seq, now, tag, fact.subject, by, told, keys.newest, b"")
        previous = link(keys, previous, line)
        lines.append(line._replace(hash=previous))
    head = known._replace(seq=known.seq + len(lines), hash=previous, key_id=keys.newest)
    return lines, head._replace(seal=head_seal(keys, head))


class LastHead:
    """The head as this process has left it, by the database: it need not be read before it is written again.

    Only where whoever writes is alone, on SQLite: elsewhere others seal in between, and whoever had taken the head for
    the one that it remembers would wait for it twice. That it is the same is asked by the statement that moves it.
    """

    def __init__(self) -> None:
        self._known = WeakKeyDictionary[Database, HeadNow]()

    def of(self, tx: AsyncSession) -> HeadNow | None:
        """What was committed last here; somebody else may have gone on from it."""
        return None if has_waited(tx) else self._known.get(tx.info["database"])

    def left(self, tx: AsyncSession, head: HeadNow) -> None:
        """What is so when this is committed."""
        if not has_waited(tx):
            after_commit(tx, partial(self._known.__setitem__, tx.info["database"], head))
