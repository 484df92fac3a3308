"""Passwords: what one must look like, how it is kept, and how one is compared (rules 150, 156, 121).

The rule is the sources' own: eight characters with upper and lower case, digit and special (source 001, 1.1;
000, 2), and none of the common ones. Kept as Argon2id; an unknown person costs the same hash.
"""

from __future__ import annotations

import asyncio
import base64
import unicodedata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cache
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION
from sqlalchemy.ext.asyncio import AsyncSession

from backend.accounts.models import Password
from backend.branding.brand import Brand
from backend.crypto import new_secret_key
from backend.errors import FieldError, FieldsInvalid, Unavailable
from backend.limits import Limits

SHORTEST, LONGEST = 8, 128
GUESSES, JUDGED = (
    3 * 10**7,
    20,
)  # tries that a common one takes at most; letters beyond which it is not judged
LOCAL_WORDS = (
    "abc",
    "admin",
    "hagiang",
    "hanoi",
    "matkhau",
    "pass",
    "thanhhoa",
    "vietnam",
    "vnpt",
)

FAULTS = {
    one.code: one
    for one in (
        FieldError("password", "too_short", "Mật khẩu cần ít nhất 8 ký tự"),
        FieldError("password", "too_long", "Mật khẩu dài quá 128 ký tự"),
        FieldError("password", "needs_upper", "Cần có chữ in hoa"),
        FieldError("password", "needs_lower", "Cần có chữ thường"),
        FieldError("password", "needs_digit", "Cần có chữ số"),
        FieldError("password", "needs_special", "Cần có ký tự đặc biệt, ví dụ @, #, $"),
        FieldError(
            "password",
            "too_common",
            "Mật khẩu này quá phổ biến, dễ bị đoán, vui lòng chọn mật khẩu khác",
        ),
    )
}


class TooBusy(Unavailable):
    """Every place for hashing is taken; nothing was counted."""

    code = "too_busy"
    title = "Hệ thống đang bận, vui lòng thử lại sau ít giây"


HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def decoy() -> str:
    """What is checked where no password is stored: the same work as for one that is; it is no password's hash."""
    chance = (base64.b64decode(new_secret_key())[:length] for length in (HASHER.salt_len, HASHER.hash_len))
    salt, tag = (base64.b64encode(one).decode().rstrip("=") for one in chance)
    costs = f"m={HASHER.memory_cost},t={HASHER.time_cost},p={HASHER.parallelism}"
    return f"$argon2id$v={ARGON2_VERSION}${costs}${salt}${tag}"


class Passwords:
    """Hashes at most so many at once, off the event loop (case TP06)."""

    def __init__(self, limits: Limits) -> None:
        self._places = asyncio.Semaphore(limits.hashes_at_once)
        self._proved = asyncio.Semaphore(limits.hashes_at_once)
        self._patience = limits.hash_wait
        self._decoy = decoy()

    async def hashed(self, text: str) -> str:
        """The stored form; whoever may set a password has proved something."""
        async with self.place(proved=True):
            return await asyncio.to_thread(HASHER.hash, canonical(text))

    async def fits(self, stored: str | None, text: str, *, proved: bool = False) -> bool:
        """Whether `text` is the password; with nothing stored the same work is done, and it is not.

        `proved`: the caller is on a device that the account knows.
        """
        async with self.place(proved=proved):
            good = await asyncio.to_thread(self._verified, stored or self._decoy, canonical(text))
        return good and stored is not None

    def is_old(self, stored: str) -> bool:
        """Whether the stored form should be made anew with today's cost."""
        return HASHER.check_needs_rehash(stored)

    def _verified(self, stored: str, text: str) -> bool:
        try:
            return HASHER.verify(stored, text)
        except (VerificationError, InvalidHashError):
            return False

    @asynccontextmanager
    async def place(self, *, proved: bool = False) -> AsyncIterator[None]:
        """One of the places for hashing, within the patience; raises TooBusy.

        Strangers who try passwords wait for each other, and keep nobody waiting who has `proved` something.
        """
        places = self._proved if proved else self._places
        try:
            async with asyncio.timeout(self._patience):
                await places.acquire()
        except TimeoutError:
            raise TooBusy(retry_after=5) from None
        try:
            yield
        finally:
            places.release()


def canonical(text: str) -> str:
    """NFC: a keyboard that composes marks and one that does not write the same password."""
    return unicodedata.normalize("NFC", text)


def check(text: str, brand: Brand, field: str = "password") -> None:
    """Raise FieldsInvalid naming everything that is missing (rule 150)."""
    text = canonical(text)
    kinds = {
        "needs_upper": any(one.isupper() for one in text),
        "needs_lower": any(one.islower() for one in text),
        "needs_digit": any(one.isdigit() for one in text),
        "needs_special": any(not one.isalnum() for one in text),
    }
    found = [code for code, there in kinds.items() if not there]
    found += ["too_short"] if len(text) < SHORTEST else []
    found = ["too_long"] if len(text) > LONGEST else found
    if not found and (text.casefold() in common(brand) or _is_guessed(text, brand)):
        found = ["too_common"]
    if found:
        raise FieldsInvalid(*[FieldError(field, code, FAULTS[code].message) for code in found])


def _is_guessed(text: str, brand: Brand) -> bool:
    """Whether zxcvbn finds it among its first guesses: `Passw0rd!` has every kind of letter and stops nobody.

    Eight letters by chance are beyond the bound. What is longer than
    a name and a year is not judged, for the work grows with length.
    """
    from zxcvbn import zxcvbn  # its lists of words take longer to load than anything else does

    words = (*LOCAL_WORDS, *brand.password_words)
    return len(text) <= JUDGED and bool(zxcvbn(text, user_inputs=words)["guesses"] < GUESSES)


@cache
def common(brand: Brand) -> frozenset[str]:
    """What everybody tries first, in lower case: a well-known list, and what offices here are handed (A13)."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    words = (*LOCAL_WORDS, *brand.password_words)
    local = {f"{word}@{digits}" for word in words for digits in ("123", "1234", "12345", "123456")}
    return frozenset(FREQUENCY_LISTS["passwords"]) | local


async def current(tx: AsyncSession, account_id: UUID) -> Password | None:
    """The password that signs in at present: none that is kept shut for its owner's word."""
    row = await tx.get(Password, account_id, populate_existing=True)
    return row if row is not None and row.kept_until is None else None


async def put(tx: AsyncSession, account_id: UUID, stored: str, *, now: datetime) -> None:
    """Give the account this password, in place of the one that it had."""
    row = await tx.get(Password, account_id, with_for_update=True)
    if row is None:
        tx.add(Password(account_id=account_id, hash=stored, changed_at=now))
    else:
        row.hash, row.changed_at = stored, now
