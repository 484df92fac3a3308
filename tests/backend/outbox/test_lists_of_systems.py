"""Lists that are cut, repeated or begun elsewhere: who is not on the list that came may be there (rules 701, 703)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from backend.outside.connectors import DeliveryError, Target
from backend.outside.connectors.learnt import Learnt
from backend.outside.connectors.scim import ScimConnector, connect
from backend.outside.connectors.scim.lists import Reading
from backend.outside.connectors.scim.user import held_of
from backend.outside.connectors.scim.wire import PAGE, USERS
from backend.outside.http import Guarded
from tests.backend.outbox.conftest import a_state
from tests.backend.outside.errands import mine
from tests.parts.quirky import QuirkyScim

FILTERS = "blindmembersfilter"  # so that groups have to be read through


@pytest.fixture
def quirky() -> Iterator[QuirkyScim]:
    part = QuirkyScim()
    yield part
    part.stop()


@pytest_asyncio.fixture
async def connector(quirky: QuirkyScim) -> AsyncIterator[ScimConnector]:
    one = connect(Target(quirky.url(FILTERS), None, 5.0), Guarded(["127.0.0.1"]), Learnt())
    yield one
    await one.close()


async def in_the_last(quirky: QuirkyScim, connector: ScimConnector, account: UUID, groups: int) -> str:
    """Somebody who is in the last one of so many groups, by the system's own number."""
    remote_id = (await connector.apply(a_state(account, groups=[]), None, mine)).remote_id
    assert remote_id is not None
    held = quirky.world(FILTERS).stores["Groups"]
    for number in range(groups):
        inside = [{"value": remote_id}] if number == groups - 1 else [{"value": "somebody"}]
        name = str(uuid4())
        held[name] = {"id": name, "externalId": f"H57.{number:02}", "displayName": name, "members": inside}
    return remote_id


@pytest.mark.parametrize("paging", ["", "one", "none", "refused"])
@pytest.mark.parametrize("groups", [PAGE, PAGE + 3, 2 * PAGE, 2 * PAGE + 1])
async def test_rule_701_a_leaver_leaves_the_last_group_however_lists_are_counted(
    quirky: QuirkyScim, connector: ScimConnector, paging: str, groups: int
) -> None:
    account = uuid4()
    remote_id = await in_the_last(quirky, connector, account, groups)
    quirky.world(FILTERS).paging = paging
    found = {right.member_id for right in (await connector.rights()).ours}
    assert found == {"somebody", remote_id}
    await connector.apply(a_state(account, active=False), remote_id, mine)
    assert quirky.world(FILTERS).groups_of(account) == set()


@pytest.mark.parametrize("paging", ["same", "zero", "object"])
async def test_rule_703_a_list_that_is_less_than_it_says_is_no_list(
    quirky: QuirkyScim, connector: ScimConnector, paging: str
) -> None:
    account = uuid4()
    remote_id = await in_the_last(quirky, connector, account, PAGE + 3)
    quirky.world(FILTERS).paging = paging
    with pytest.raises(DeliveryError, match="unreadable_reply"):
        await connector.rights()
    with pytest.raises(DeliveryError, match="unreadable_reply"):
        await connector.apply(a_state(account, active=False), remote_id, mine)


def test_rule_703_everybody_in_another_order_each_time_is_asked_for_no_more() -> None:
    """A system that pages nothing, names no total, and keeps no order."""
    reading, everybody = Reading(), [{"id": str(number)} for number in range(PAGE + 3)]
    assert reading.new_of(everybody) == everybody
    assert not reading.is_over(everybody, None, PAGE)
    turned = [*everybody[1:], everybody[0]]
    assert reading.new_of(turned) == []
    assert reading.is_over(turned, None, PAGE)


async def test_rule_706_an_answer_about_somebody_else_is_nobodys(
    quirky: QuirkyScim, connector: ScimConnector
) -> None:
    account, held = uuid4(), quirky.world(FILTERS)
    remote_id = (await connector.apply(a_state(account), None, mine)).remote_id
    director = {"id": "1", "userName": "giamdoc@so.hue.example", "active": True, "meta": {}}
    held.stores[USERS[1:]][str(remote_id)] = dict(director)  # as a cache in between would mix them up
    with pytest.raises(DeliveryError, match="unreadable_user"):
        await connector.apply(a_state(account, active=False), remote_id, mine)
    assert held.stores[USERS[1:]][str(remote_id)] == director


async def test_rule_703_rights_are_found_where_lists_leave_out_who_is_in_a_group(quirky: QuirkyScim) -> None:
    one = connect(Target(quirky.url("unlistedmembers"), None, 5.0), Guarded(["127.0.0.1"]), Learnt())
    remote_id = (await one.apply(a_state(uuid4()), None, mine)).remote_id
    assert {right.member_id for right in (await one.rights()).ours} == {remote_id}
    await one.close()


@pytest.mark.parametrize("said", [None, [], {}, "", "unknown"])
def test_rule_601_what_says_nothing_of_being_off_is_not_off(said: object) -> None:
    assert held_of({"id": "1", "active": said}).values["active"] is True
    assert held_of({"id": "1", "active": "False"}).values["active"] is False
