"""Who is called so: accounts are found by the words of their names, or how these begin, without opening any name.

Each beginning of each word, without marks and case, stands as a keyed index beside the account (rule 904), of people
whom managers look for: those who have, had or wanted a role. Whoever gives one or takes a request says so here. What
somebody with a copy of the tables learns from it is in docs/decisions/0027.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    ForeignKey,
    LargeBinary,
    Select,
    and_,
    delete,
    exists,
    func,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, aliased, mapped_column

from backend.account import Account
from backend.accounts.identity import numbers
from backend.crypto import KeyRing
from backend.db import Base, insert_into
from backend.kit import Kit
from backend.names import folded
from backend.retention import Stays
from backend.sealed import Whose
from backend.statements import Act, Question, by_number, given, numbered, rows_of

FIELD = "name_word"
LONGEST = 12  # letters by which two words are told apart
WORDS = 16  # of a name; no name has more that count
AT_ONCE = 16  # in one statement
BYTES = 8  # of the index: two beginnings that share them are not met in any country
FEW = 1000  # people who are looked at one by one
Word = tuple[bytes, ...]  # one beginning, under every live key


class NameWord(Base):
    """One beginning of one word of somebody's name."""

    __tablename__ = "name_words"
    __table_args__ = {"sqlite_with_rowid": False}
    retention = Stays("as long as its account has a name: erasing the one forgets the other")
    whose = Whose("account_id")

    blind: Mapped[bytes] = mapped_column(LargeBinary(BYTES), primary_key=True)
    account_id: Mapped[UUID] = mapped_column(ForeignKey("accounts.id"), primary_key=True, index=True)


class Unfound(NamedTuple):
    """The name of somebody who is not found by it."""

    full_name: bytes


UNFOUND = Question(
    Unfound,
    select(Account.full_name).where(
        Account.id == given("account", Account.id),
        Account.status == "active",
        ~exists().where(NameWord.account_id == Account.id),
    ),
)


FORGET = Act(delete(NameWord).where(NameWord.account_id == given("account", NameWord.account_id)))


@by_number
def new_words(count: int) -> Act:
    """Write so many; one that another has just written stays."""
    rows = rows_of(count, NameWord.blind, NameWord.account_id)
    return Act(lambda insert: insert(NameWord).values(rows).on_conflict_do_nothing())


class Called(NamedTuple):
    """Who was found: all of them while they are few, else by which words each of them is recognised."""

    accounts: frozenset[UUID]
    words: tuple[Word, ...] = ()

    def is_one(self, account: Any) -> ColumnElement[bool]:
        """Whether the account in that column is one of many who are called so."""
        return and_(*(_has(account, word) for word in self.words))


async def write(tx: AsyncSession, keys: KeyRing, names: Mapping[UUID, str]) -> None:
    """From now these people are found by these names, and by no earlier one; also where two say so at once."""
    if len(names) == 1:
        ((one, name),) = names.items()
        await FORGET.touched(tx, account=one)
        words = _beginnings(keys, name)
        for at in range(0, len(words), AT_ONCE):
            part = [{"blind": word, "account_id": one} for word in words[at : at + AT_ONCE]]
            await new_words(len(part)).touched(tx, **numbered(part))
    elif names:
        await tx.execute(delete(NameWord).where(NameWord.account_id.in_(names)))
        rows = [
            {"blind": word, "account_id": account}
            for account, name in names.items()
            for word in _beginnings(keys, name)
        ]
        if rows:
            await tx.execute(insert_into(tx, NameWord).on_conflict_do_nothing(), rows)


async def follow(tx: AsyncSession, keys: KeyRing, names: Mapping[UUID, str]) -> int:
    """Whoever of them is found by name is found by this one from now, under the newest key; how many were not."""
    stands = defaultdict[UUID, set[bytes]](set)
    query = select(NameWord.account_id, NameWord.blind).where(NameWord.account_id.in_(list(names)))
    for row in await tx.execute(query):
        stands[row.account_id].add(row.blind)
    stale = {one: names[one] for one, words in stands.items() if words != indexes_of(keys, names[one])}
    await write(tx, keys, stale)
    return len(stale)


async def found_among(tx: AsyncSession, accounts: Iterable[UUID]) -> set[UUID]:
    """Who of these people is found by name."""
    among = NameWord.account_id.in_(list(accounts))
    return set(await tx.scalars(select(NameWord.account_id).where(among).distinct()))


async def make_findable(tx: AsyncSession, kit: Kit, accounts: Collection[UUID]) -> None:
    """Managers look for these people from now; who is found already costs one look."""
    new = {}
    for one in accounts:
        if (found := await UNFOUND.maybe(tx, account=one)) is not None:
            new[one] = kit.keys.open("accounts.full_name", one, found.full_name)
    await write(tx, kit.keys, new)


async def move(tx: AsyncSession, kit: Kit, goes: UUID, stays: UUID) -> None:
    """An account takes over from another of the same person: whoever was found by the one is found by the other."""
    if await tx.scalar(select(exists().where(NameWord.account_id == goes))):
        await tx.execute(delete(NameWord).where(NameWord.account_id == goes))
        await make_findable(tx, kit, [stays])


async def those(tx: AsyncSession, kit: Kit, typed: str) -> Called:
    """The people whose names have a word that begins like each of these, and who has the number, if it is one."""
    digits = "".join(letter for letter in typed if letter.isdigit())
    number = digits if digits == "".join(typed.split()) else ""
    holder = await numbers.holder_of(tx, kit, number) if number else None
    alone = frozenset() if holder is None else frozenset([holder])
    words = words_of(typed)
    if not words or len(words) > WORDS:
        return Called(alone)
    spelt = [tuple(one[:BYTES] for one in kit.keys.blinds(FIELD, word)) for word in words]
    counts = (await tx.execute(select(*map(count_of, spelt)))).one()
    rarest = min(range(len(spelt)), key=counts.__getitem__)
    found = set(await tx.scalars(named(spelt[rarest], [*spelt[:rarest], *spelt[rarest + 1 :]])))
    return Called(alone | found) if len(found) <= FEW else Called(alone, tuple(spelt))


def words_of(text: str) -> list[str]:
    """Its words as they are compared, each once."""
    return list(dict.fromkeys(word[:LONGEST] for word in re.findall(r"\w+", folded(text))))


def indexes_of(keys: KeyRing, name: str) -> set[bytes]:
    """By what somebody of that name is found."""
    ends = {word[:end] for word in words_of(name)[:WORDS] for end in range(1, len(word) + 1)}
    return {keys.blind(FIELD, end)[:BYTES] for end in ends}


def _beginnings(keys: KeyRing, name: str) -> Sequence[bytes]:
    return sorted(indexes_of(keys, name))


def named(rarest: Word, others: Sequence[Word]) -> Select[UUID]:
    """Whose names have all of these, found by the rarest."""
    query = select(NameWord.account_id).where(NameWord.blind.in_(rarest))
    return query.where(*(_has(NameWord.account_id, word) for word in others)).limit(FEW + 1)


def _has(account: Any, word: Word) -> ColumnElement[bool]:
    other = aliased(NameWord)
    return exists().where(other.blind.in_(word), other.account_id == account)


def count_of(word: Word) -> Any:
    """How many have it, as far as it matters."""
    some = select(NameWord.account_id).where(NameWord.blind.in_(word)).limit(FEW + 1).subquery()
    return select(func.count()).select_from(some).scalar_subquery()
