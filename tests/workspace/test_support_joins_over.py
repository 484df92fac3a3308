"""What a desk proposed about two accounts is over in time, by a no, and when an account has changed (R26)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from backend.account import Account
from backend.db import new_id
from backend.roles import desk_joins, waiting_joins
from backend.support.cases import Clerk
from backend.support.models import JoinProposal
from tests.citizen import PASSWORD
from tests.mobile_api.test_document import compared
from tests.mobile_api.test_joins import items, known_by_vneid, prove
from tests.mobile_api.test_roles import a_province, body
from tests.service import Service
from tests.workspace.counter import Counter
from tests.workspace.office import Office, Somebody
from tests.workspace.support_joins import (
    GROUNDS,
    HOME,
    Pair,
    a_pair,
    dismissed,
    proposed,
    reasons,
    tags,
    untouched,
)


async def test_r26_a_proposal_of_somebody_who_has_left_the_desk_is_over(
    office: Office, clerk: Somebody, counter: Counter, second: Counter
) -> None:
    service, pair = office.service, await a_pair(office.service)
    at = await proposed(counter, pair)
    await dismissed(office, clerk)
    answer = await second.post(f"{at}/confirm")
    assert answer.status_code == 409 and "đã bị hủy" in answer.text
    assert await reasons(service, pair) == ["proposer_left"]
    await untouched(service, pair)


async def test_r26_a_proposal_lives_three_days_and_may_be_made_anew(
    office: Office, clerk: Somebody, counter: Counter, second: Counter
) -> None:
    service, pair = office.service, await a_pair(office.service)
    at = await proposed(counter, pair)
    again = await counter.post(HOME, **pair.form)
    assert again.status_code == 409 and "chờ xác nhận" in again.text
    service.pass_time(seconds=service.kit.limits.desk_join_life)
    who = Clerk(new_id(), service.kit.keys.blinds("national_id", clerk.persona.national_id))
    async with service.db.write() as tx:
        late = await desk_joins.confirm(tx, service.kit, UUID(at[-36:]), clerk=who, now=service.clock.now())
    assert isinstance(late, desk_joins.JoinOver)
    assert await reasons(service, pair) == ["expired"]
    async with service.db.write() as tx:
        who = Clerk(clerk.account_id, who.blinds)
        made = waiting_joins.Pair(pair.stays, pair.goes)
        first = await desk_joins.propose(tx, service.kit, made, GROUNDS, clerk=who, now=service.clock.now())
    assert isinstance(first, UUID)
    service.pass_time(seconds=service.kit.limits.desk_join_life)
    async with service.db.write() as tx:
        anew = await desk_joins.propose(tx, service.kit, made, GROUNDS, clerk=who, now=service.clock.now())
    assert isinstance(anew, UUID), "an old one that nobody has swept stands in nobody's way"
    service.pass_time(seconds=service.kit.limits.desk_join_life)
    await desk_joins.sweep(service.db, service.kit, service.clock.now())
    assert await reasons(service, pair) == ["expired"] * 3
    async with service.db.read() as tx:
        assert await tx.scalar(select(func.count(JoinProposal.id))) == 0
        assert {(await tx.get_one(Account, one)).status for one in (pair.stays, pair.goes)} == {"active"}


async def _new_number(service: Service, pair: Pair) -> None:
    await pair.old.second_number()


async def _new_password(service: Service, pair: Pair) -> None:
    sent = {"current": PASSWORD, "new": "Cầu Trường Tiền 2026!"}
    assert (await pair.old.phone.call("POST", "/v1/me/password", sent)).status_code == 204


async def _asks_for_a_role(service: Service, pair: Pair) -> None:
    await a_province(service)
    assert (await pair.phone.call("POST", "/v1/role-requests", body())).status_code == 201


async def _another_profile(service: Service, pair: Pair) -> None:
    async with service.db.write() as tx:
        mine = update(Account).where(Account.id == pair.stays)
        await tx.execute(mine.values(version=Account.version + 1))


@pytest.mark.parametrize("change", [_new_number, _new_password, _asks_for_a_role, _another_profile])
async def test_r26_whatever_changes_of_either_account_makes_the_proposal_stale(
    office: Office,
    counter: Counter,
    second: Counter,
    change: Callable[[Service, Pair], Awaitable[None]],
) -> None:
    service, pair = office.service, await a_pair(office.service)
    at = await proposed(counter, pair)
    await change(service, pair)
    answer = await second.post(f"{at}/confirm")
    assert answer.status_code == 409 and "đã bị hủy" in answer.text
    assert await reasons(service, pair) == ["changed"]
    assert (await second.post(f"{at}/confirm")).status_code == 404
    await untouched(service, pair)


async def test_r26_that_somebody_signs_in_makes_no_proposal_stale(
    office: Office, counter: Counter, second: Counter
) -> None:
    service, pair = office.service, await a_pair(office.service)
    at = await proposed(counter, pair)
    service.pass_time(seconds=61)
    await pair.old.sign_in(service.phone())
    await service.sign_in(known_by_vneid(service, pair.old), pair.phone)
    assert (await second.post(f"{at}/confirm")).status_code == 303


@pytest.mark.parametrize("who", ["stays", "goes"])
async def test_r26_either_person_ends_it_by_saying_not_me(
    office: Office, counter: Counter, second: Counter, who: str
) -> None:
    service, pair = office.service, await a_pair(office.service)
    at = await proposed(counter, pair)
    phone = pair.phone if who == "stays" else pair.old.phone
    notice = next(one for one in await items(phone, "/v1/notices") if one["kind"] == "join_proposed")
    assert notice["can_deny"]
    stranger = await service.sign_in()
    assert (await stranger.call("POST", f"/v1/notices/{notice['id']}/deny")).status_code == 404
    async with service.db.read() as tx:
        assert await tx.get(JoinProposal, UUID(at[-36:])) is not None, "a stranger's word is none"
    assert (await phone.call("POST", f"/v1/notices/{notice['id']}/deny")).status_code == 201
    assert (await second.post(f"{at}/confirm")).status_code == 404
    assert await reasons(service, pair) == ["denied"]
    await untouched(service, pair)


async def test_r26_a_clerk_refuses_and_the_proposer_withdraws_and_both_people_hear_that_nothing_changed(
    office: Office, clerk: Somebody, counter: Counter, second: Counter
) -> None:
    service, pair = office.service, await a_pair(office.service)
    for hand in (second, counter):
        at = await proposed(counter, pair)
        assert (await hand.post(f"{at}/refuse")).status_code == 303
        assert (await hand.post(f"{at}/refuse")).status_code == 404
    assert await reasons(service, pair) == ["refused", "withdrawn"]
    for phone in (pair.phone, pair.old.phone):
        kinds = [one["kind"] for one in await items(phone, "/v1/notices")]
        assert kinds.count("join_dropped") == 2 and "desk_joined" not in kinds
    by = [by for tag, by in await tags(service, pair) if tag == "account.join_dropped"]
    assert by[0] not in (clerk.account_id, None) and by[1] == clerk.account_id
    await untouched(service, pair)


async def test_r26_the_owners_own_proof_of_both_ends_what_a_desk_proposed(
    office: Office, counter: Counter, second: Counter
) -> None:
    service, pair = office.service, await a_pair(office.service)
    at = await proposed(counter, pair)
    service.pass_time(seconds=61)
    assert (await prove(service, pair.phone, pair.old)).status_code == 200
    assert (await second.post(f"{at}/confirm")).status_code == 404
    async with service.db.read() as tx:
        assert await tx.scalar(select(func.count(JoinProposal.id))) == 0


async def test_r26_a_proposal_is_in_both_copies_and_goes_with_an_erased_account(
    office: Office, counter: Counter
) -> None:
    service, pair = office.service, await a_pair(office.service)
    await proposed(counter, pair)
    async with compared(service) as seen:
        for phone in (pair.phone, pair.old.phone):
            (held,) = (await phone.call("GET", "/v1/me/export")).json()["join_proposals"]
            assert held["grounds"] == GROUNDS
    assert seen == {"exportMyData"}, "as the document says, a proposal in it"
    assert (await pair.old.phone.call("DELETE", "/v1/me")).status_code == 204
    async with service.db.read() as tx:
        assert await tx.scalar(select(func.count(JoinProposal.id))) == 0
    assert (await pair.phone.call("GET", "/v1/me/export")).json()["join_proposals"] == []
