"""Who may decide what is asked once in a transaction, and of the database each time (rules 613, 616)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import update

from backend.accounts.identity import numbers
from backend.accounts.models import Identifier
from backend.roles import authority, managers
from tests.backend.roles.world import World
from tests.parts.asked import heard


@contextmanager
def readings(table: str) -> Iterator[list[str]]:
    """The statements that read a table inside the block."""
    found: list[str] = []
    with heard() as everything:
        yield found
    found += [statement for statement, _ in everything if re.search(rf"FROM {table}\b", statement)]


async def test_a_personal_number_is_read_once_for_each_person_whom_a_page_is_about(world: World) -> None:
    asked = await world.ask("An")
    with readings("identifiers") as found:
        await world.seen_by("Chi", asked.id)
    assert len(found) == 2, "the reader's, with the rights that hang on it, and the applicant's"


async def test_rights_are_asked_once_where_somebody_only_reads_and_each_time_where_they_may_change(
    world: World,
) -> None:
    chi = world.people["Chi"]
    with readings("appointments") as found:
        async with world.db.read() as tx:
            seen = [await authority.of(tx, world.kit, chi, now=world.now) for _ in range(2)]
    assert len(found) == 1
    assert [one.decides(world.units["NV"]) for one in seen] == [True, True]
    async with world.db.read() as tx:
        await authority.of(tx, world.kit, chi, now=world.now)
        assert not (await authority.of(tx, world.kit, world.people["An"], now=world.now)).posts, "of another"
    async with world.db.write() as tx:
        assert (await authority.of(tx, world.kit, chi, now=world.now)).posts
        await managers.remove(
            tx, world.kit, "NV", world.numbers["Chi"], by=None, now=world.now, leave_undecided=True
        )
        assert not (await authority.of(tx, world.kit, chi, now=world.now)).posts


async def test_a_number_that_changes_is_read_again_in_the_same_transaction(world: World) -> None:
    async with world.db.write() as tx:
        chi = world.people["Chi"]
        assert (await authority.of(tx, world.kit, chi, now=world.now)).posts
        ended = update(Identifier).where(Identifier.account_id == chi).values(ended_at=world.now)
        await tx.execute(ended)
        numbers.forget(tx)
        who = await authority.of(tx, world.kit, chi, now=world.now)
        assert (who.posts, who.blinds) == ({}, frozenset())


async def test_what_the_person_holds_is_read_once_for_a_page_and_for_a_word_as_often_as_a_rule_asks(
    world: World,
) -> None:
    asked = await world.ask("An")
    with readings("roles") as found:
        await world.seen_by("Chi", asked.id)
    assert len(found) == 1, "it stands beside the wish"
    with readings("roles") as found:
        await world.approve("Chi", asked.id)
    assert len(found) == 1, "what is held already: its units, and whether a home role is among it"
    apart = await world.ask("Bình", world.draft(position="ke_toan"))
    with readings("roles") as found:
        await world.seen_by("Chi", apart.id)
    assert found
