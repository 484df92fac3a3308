"""A system that cannot be asked in which groups one person is: every group is read once for many, not for each."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest

from backend.outside.connectors import Target
from backend.outside.connectors.learnt import Learnt
from backend.outside.connectors.scim import ScimConnector, connect
from backend.outside.http import Guarded
from tests.backend.outbox.conftest import DOCS, HUE, a_state
from tests.backend.outside.errands import mine
from tests.parts.quirky import QuirkyScim

AT_ONCE, OTHERS, PAGES = 8, 98, 5  # two groups of ours and those of others, twenty on a page


@pytest.fixture
def quirky() -> Iterator[QuirkyScim]:
    part = QuirkyScim()
    yield part
    part.stop()


async def filled(quirky: QuirkyScim) -> tuple[ScimConnector, list[str]]:
    """A system that ignores the filter, with many groups and eight people; who they are."""
    connector = connected(quirky)
    people = [str(uuid4()) for _ in range(AT_ONCE)]
    for account in people:
        await connector.apply(a_state(UUID(account)), None, mine)
    await connector.close()
    groups = quirky.world("ignoremembersfilter").stores["Groups"]
    groups |= {
        f"g-{n}": {"id": f"g-{n}", "displayName": f"Câu lạc bộ {n}", "members": []} for n in range(OTHERS)
    }
    quirky.world("ignoremembersfilter").lists.clear()
    return connected(quirky), people


def connected(quirky: QuirkyScim) -> ScimConnector:
    """One that has read nothing yet."""
    at = Target(quirky.url("ignoremembersfilter"), None, 30.0)
    return connect(at, Guarded(["127.0.0.1"]), Learnt(members_filter=False))


async def test_a_comparison_reads_every_group_once_for_all_who_are_compared_meanwhile(
    quirky: QuirkyScim,
) -> None:
    connector, people = await filled(quirky)
    held = await asyncio.gather(*(connector.read(account, None) for account in people))
    assert [{group.external_id for group in one.groups} for one in held if one] == [
        {HUE.external_id, DOCS.external_id}
    ] * AT_ONCE
    assert quirky.world("ignoremembersfilter").lists.count("Groups") == PAGES
    await connector.close()


async def test_deliveries_at_once_share_a_reading_and_none_trusts_one_from_before_its_last_write(
    quirky: QuirkyScim,
) -> None:
    connector, people = await filled(quirky)
    held = quirky.world("ignoremembersfilter")
    stays, leaves = people[: AT_ONCE // 2], people[AT_ONCE // 2 :]
    states = [a_state(UUID(account)) for account in stays]
    states += [a_state(UUID(account), active=False) for account in leaves]
    await asyncio.gather(*(connector.apply(state, None, mine) for state in states))
    assert [len(held.groups_of(account)) for account in people] == [2] * len(stays) + [0] * len(leaves)
    alone = PAGES * (len(stays) + 2 * len(leaves))  # each by itself: before, and after what it wrote
    assert held.lists.count("Groups") <= alone / 2
    await connector.close()


async def test_who_was_put_into_a_group_by_hand_meanwhile_is_seen_by_the_next_delivery(
    quirky: QuirkyScim,
) -> None:
    connector, (account, *_) = await filled(quirky)
    held = quirky.world("ignoremembersfilter")
    leaver = a_state(UUID(account), active=False)
    await connector.apply(leaver, None, mine)
    docs = next(one for one in held.stores["Groups"].values() if one.get("externalId") == DOCS.external_id)
    docs["members"].append({"value": held.user(account)["id"]})
    assert held.groups_of(account) == {DOCS.external_id}
    await connector.apply(leaver, None, mine)
    assert held.groups_of(account) == set()
    await connector.close()
