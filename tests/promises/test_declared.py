"""What is said once beside a sealed column is what rotation, erasure, the copy and the checker touch (house rule 7).

One row of every table is made from the metadata, so a column that is declared tomorrow is asked about tomorrow.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

import ngomon.tables  # noqa: F401
from backend import sealed
from backend.account import Account
from backend.accounts.models import Phone
from backend.accounts.self import personal_data
from backend.crypto import KeyRing, new_secret_key
from backend.db import Base, Database
from backend.kit import Kit
from backend.roles import leaving
from backend.roles.models import RequestStep
from ngomon.rekey import rotate
from tests.filled import fill, word
from tests.sealing import encryption

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[2]


def complaints(base: type[DeclarativeBase]) -> list[str]:
    """Every sealed column of which nobody has said whose it is, or what an erasure does to it."""
    found = []
    for one in sealed.columns(base):
        whose = getattr(one.model, "whose", None)
        if one.note.agency:
            continue
        if whose is None:
            found.append(f"{one.field}: the table does not say whose it is")
        elif whose.emptied is not None and one.column not in whose.emptied:
            found.append(f"{one.field}: the row stays, and an erasure leaves this as it is")
        if one.note.copied and one.note.withheld:
            found.append(f"{one.field}: copied and withheld")
    return found


@contextmanager
def unsaid(model: type[Any], column: str) -> Iterator[None]:
    """The product without what is said of one column."""
    info = model.__table__.c[column].info
    kept = dict(info)
    info.clear()
    try:
        yield
    finally:
        info.update(kept)


async def a_filled(db: Database, kit: Kit) -> UUID:
    async with db.write() as tx:
        return await fill(tx, kit, now=NOW)


async def wrong(db: Database, kit: Kit) -> str:
    async with db.read() as tx:
        return "\n".join(await encryption(tx, kit))


async def copied(db: Database, kit: Kit, account: UUID) -> str:
    async with db.read() as tx:
        mine = await personal_data.copy_of(tx, kit, account, post_office="", now=NOW)
        at_work = await leaving._copy_of(tx, kit, account, NOW)
    return json.dumps(mine | at_work, default=str, ensure_ascii=False)


async def test_every_sealed_column_says_whose_it_is_and_what_an_erasure_leaves() -> None:
    assert complaints(Base) == []


def test_a_table_that_does_not_say_it_is_complained_about() -> None:
    class Apart(DeclarativeBase):
        pass

    class Nobodys(Apart):
        __tablename__ = "nobodys"
        id: Mapped[int] = mapped_column(primary_key=True)
        words: Mapped[bytes] = sealed.sealed()

    class Stays(Apart):
        __tablename__ = "stays"
        whose = sealed.Whose("account_id", emptied={"other": None})
        id: Mapped[int] = mapped_column(primary_key=True)
        account_id: Mapped[int]
        words: Mapped[bytes] = sealed.sealed()

    assert complaints(Apart) == [
        "nobodys.words: the table does not say whose it is",
        "stays.words: the row stays, and an erasure leaves this as it is",
    ]


def test_every_file_with_a_table_is_imported_where_all_are() -> None:
    wanted = {
        str(path.relative_to(ROOT).with_suffix("")).replace("/", ".")
        for path in (ROOT / "backend").rglob("*.py")
        if re.search(r"^    __tablename__ = ", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    listed = set(
        re.findall(
            r"^import (backend\S+)", (ROOT / "ngomon/tables.py").read_text(encoding="utf-8"), re.MULTILINE
        )
    )
    assert wanted == listed


async def test_the_checker_opens_every_sealed_column_and_compares_every_index(
    database: Database, kit: Kit
) -> None:
    account = await a_filled(database, kit)
    assert await wrong(database, kit) == ""
    for one in sealed.columns():
        async with database.write() as tx:
            moved = kit.keys.seal(one.field, account if one.model is not Account else "another", "moved here")
            before = (await tx.execute(select(getattr(one.model, one.column)))).scalar_one()
            await tx.execute(update(one.model).values({one.column: moved}))
        assert one.field in await wrong(database, kit)
        async with database.write() as tx:
            await tx.execute(update(one.model).values({one.column: before}))
    for model in sealed.models():
        for column in sealed.indexes_in(model):
            async with database.write() as tx:
                before = (await tx.execute(select(getattr(model, column)))).scalar_one()
                await tx.execute(update(model).values({column: b"of something else"}))
            assert f"{model.__tablename__}.{column}" in await wrong(database, kit)
            async with database.write() as tx:
                await tx.execute(update(model).values({column: before}))


async def test_the_checker_finds_a_ciphertext_where_none_is_declared(database: Database, kit: Kit) -> None:
    await a_filled(database, kit)
    with unsaid(Phone, "number"):
        assert await wrong(database, kit) == "phones.number holds ciphertexts and does not say so"


async def test_the_rotation_seals_every_column_anew(database: Database, kit: Kit) -> None:
    await a_filled(database, kit)
    newest = new_secret_key()
    both = Kit.of(
        KeyRing([*KeyRing.parse(newest)._masters.values(), *kit.keys._masters.values()]), kit.limits
    )
    told: dict[str, int] = {}
    with unsaid(RequestStep, "reason"):  # planted: a column that the rotation cannot know
        await rotate(database, both, told.__setitem__, now=NOW)
        assert "request_steps.reason" in await wrong(database, both)
    assert told.pop("name_words") == 1  # by what somebody is found, beside the columns
    await rotate(database, both, told.__setitem__, now=NOW)
    assert told == {
        one.field: int(one.field == "request_steps.reason")
        for one in sealed.columns()
        if not one.note.passing
    }
    assert await wrong(database, Kit.of(KeyRing.parse(newest), kit.limits)) == ""


async def test_the_copy_shows_every_sealed_word_of_the_person(database: Database, kit: Kit) -> None:
    account = await a_filled(database, kit)
    shown = await copied(database, kit, account)
    for one in sealed.columns():
        kept_back = one.note.withheld or (one.note.agency and not one.note.copied)
        assert (word(one.field) in shown) is not bool(kept_back), one.field


async def test_the_erasure_leaves_no_sealed_word_of_the_person(database: Database, kit: Kit) -> None:
    account = await a_filled(database, kit)
    async with database.write() as tx:
        await personal_data.erase(tx, kit, await tx.get_one(Account, account), now=NOW)
    left = []
    async with database.read() as tx:
        for model in sealed.models():
            for row in await tx.scalars(select(model)) if sealed.sealed_in(model) else ():
                texts = sealed.opened(kit.keys, row)
                left += [
                    one.field
                    for one in sealed.sealed_in(model)
                    if word(one.field) in texts.get(one.column, "") and not one.note.agency
                ]
    assert left == []
    assert await wrong(database, kit) == ""
