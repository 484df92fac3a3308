"""Who may decide what is asked once in a transaction, and of the database each time (rules 613, 616)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, event, update

from backend.accounts.identity import numbers
from backend.accounts.models import Identifier
from backend.roles import authority
from tests.backend.roles.world import World


@contextmanager
def readings(table: str) -> Iterator[list[str]]:
    """The statements that read a table inside the block."""
    found: list[str] = []

    def hear(_: object, __: object, statement: str, *___: object) -> None:
        if f"FROM {table}" in statement:
            found.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    yield found
    event.remove(Engine, "before_cursor_execute", hear)


async def test_a_personal_number_is_read_once_for_each_person_whom_a_page_is_about(world: World) -> None:
    asked = await world.ask("An")
    with readings("identifiers") as found:
        await world.seen_by("Chi", asked.id)
    assert len(found) == 1  # the reader's and the applicant's


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
    assert len(found) == 2, "what is held already: as its units, and as a home role"
    apart = await world.ask("Bình", world.draft(position="ke_toan"))
    with readings("roles") as found:
        await world.seen_by("Chi", apart.id)
    assert found
