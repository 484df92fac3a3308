"""Managers hear at once that something waits, on their own phones (case R44)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from backend.db import after_commit
from tests.backend.roles.world import World


class Phones:
    """Keeps what would be pushed, once it is committed."""

    def __init__(self) -> None:
        self.rang: list[tuple[UUID, str, str]] = []

    def tell_after(self, tx: AsyncSession, account_id: UUID, kind: str, title: str, *, now: datetime) -> None:
        assert now.tzinfo is not None
        after_commit(tx, lambda: self.rang.append((account_id, kind, title)))

    async def tell_left(
        self, tx: AsyncSession, account_id: UUID, kind: str, title: str, *, now: datetime
    ) -> None:
        raise NotImplementedError("nobody signs in here")

    async def told(self, account_id: UUID) -> None:
        """Nothing is under way."""


async def test_r44_the_deciding_managers_phone_rings_at_once_and_names_nobody(world: World) -> None:
    phones = Phones()
    world.kit = world.kit._replace(phones=phones)
    await world.appoint("Eve", "NV")
    await world.ask("An", world.draft(unit="NV-P"))
    assert {account for account, *_ in phones.rang} == {world.people["Chi"], world.people["Eve"]}
    assert {(kind, title) for _, kind, title in phones.rang} == {
        ("request_waits", "Có yêu cầu về vai trò chờ bạn quyết định")
    }
    phones.rang.clear()
    await world.ask("Chi", world.draft(unit="NV"))
    assert {account for account, *_ in phones.rang} == {world.people["Giang"]}, "nobody about themselves"


async def test_r44_a_loop_of_asking_and_taking_back_rings_no_more_than_its_budget(world: World) -> None:
    phones = Phones()
    world.kit = world.kit._replace(phones=phones)
    most = world.kit.limits.request_pushes_per_hour
    for _ in range(most + 3):
        await world.withdraw("An", (await world.ask("An")).id)
    assert [account for account, *_ in phones.rang] == [world.people["Chi"]] * most
    await world.ask("Bình")
    assert len(phones.rang) == most + 1, "another's request rings"
    last = await world.ask("An")
    assert (await world.seen_by("Chi", last.id)).status == "pending", "what does not ring has arrived"
    await world.withdraw("An", last.id)
    world.pass_time(hours=1, seconds=1)
    await world.ask("An")
    assert len(phones.rang) == most + 2
