"""Case codes `SDyymmdd-xxxxxx` as source 004 has them: the day, and a number that nobody can guess.

The six digits are the day's running number under a keyed permutation of 000000 to 999999, so
no two cases of a day can share one, and knowing yours tells nothing of the next (rule 1103).
"""

from __future__ import annotations

import re
from datetime import date, datetime

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from backend.crypto import KeyRing
from backend.db import insert_into
from backend.errors import Unavailable
from backend.kit import Kit
from backend.outside.clock import local_day
from backend.support.models import Case, CaseDay

CODE = re.compile(r"SD[0-9]{6}-[0-9]{6}")
A_DAY = 1_000_000
HALF, ROUNDS = 10, 10  # twenty bits are the smallest even width that holds a million


class CodesExhausted(Unavailable):
    """A million cases in one day: tomorrow has a million more."""

    code = "case_codes_exhausted"
    title = "Hôm nay đã hết mã yêu cầu hỗ trợ, vui lòng gọi {hotline}"


def permuted(keys: KeyRing, key_id: bytes, day: date, number: int) -> int:
    """Where the day's permutation takes a number below a million: a Feistel network, walked until it lands there."""
    found = number
    while True:
        found = _mixed(keys, key_id, day, found)
        if found < A_DAY:
            return found


async def next_code(tx: AsyncSession, kit: Kit, *, now: datetime) -> str:
    """The next code of today in Việt Nam; the day's row is the queue. Raises CodesExhausted.

    Asking whether the code is taken matters only on a day whose key was given up before it ended.
    """
    day = local_day(now)
    while True:
        last, key_id = await _counted(tx, kit, day)
        if last > A_DAY:
            raise CodesExhausted
        key_id = key_id if key_id in kit.keys.key_ids else kit.keys.newest
        code = f"SD{day:%y%m%d}-{permuted(kit.keys, key_id, day, last - 1):06d}"
        if not await tx.scalar(select(exists().where(Case.code == code).label("taken"))):
            return code


def as_printed(text: str) -> str:
    """A code as somebody reads it out or copies it: blanks, small letters, another dash or none are no fault."""
    bare = re.sub(r"[\s\u2010-\u2015-]", "", text).upper()
    return f"{bare[:8]}-{bare[8:]}"


def is_code(text: str) -> bool:
    """Whether the text has the form of a code, in capitals and nothing around it."""
    return CODE.fullmatch(text) is not None


async def _counted(tx: AsyncSession, kit: Kit, day: date) -> tuple[int, bytes]:
    """Count one more case of the day, in one statement on both engines."""
    first = insert_into(tx, CaseDay).values(day=day, last=1, key_id=kit.keys.newest)
    more = first.on_conflict_do_update(index_elements=[CaseDay.day], set_={"last": CaseDay.last + 1})
    row = (await tx.execute(more.returning(CaseDay.last, CaseDay.key_id))).one()
    return row[0], row[1]


def _mixed(keys: KeyRing, key_id: bytes, day: date, number: int) -> int:
    mask = (1 << HALF) - 1
    left, right = number >> HALF, number & mask
    for turn in range(ROUNDS):
        told = keys.mac(f"case code|{day.isoformat()}", bytes([turn]) + right.to_bytes(2, "big"), key_id)
        left, right = right, left ^ (int.from_bytes(told[:2], "big") & mask)
    return left << HALF | right
