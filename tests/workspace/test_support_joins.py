"""Two accounts of one person who can prove only one: a clerk proposes, another one confirms (R26, over HTTP)."""

from __future__ import annotations

import asyncio
import re
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from backend.account import Account
from backend.accounts.identity import numbers
from backend.accounts.models import Identity, Password
from backend.db import new_id
from backend.devices.models import Session
from backend.journal import Entry
from backend.roles import desk_joins, waiting_joins
from backend.support import desks
from backend.support.cases import Clerk
from backend.support.models import JoinProposal
from tests.mobile_api.test_joins import items, known_by_vneid
from tests.workspace.counter import Counter
from tests.workspace.office import Office, Somebody
from tests.workspace.support_joins import (
    GROUNDS,
    HOME,
    a_pair,
    dismissed,
    heard,
    hired,
    proposed,
    tags,
    untouched,
)


async def test_r26_two_clerks_join_two_accounts_and_nothing_that_nobody_proved_comes_along_open(
    office: Office, clerk: Somebody, counter: Counter, second: Counter
) -> None:
    service, pair = office.service, await a_pair(office.service)
    at = await proposed(counter, pair)
    shown = await second.page(HOME)
    assert pair.old.person.full_name in shown and GROUNDS in shown and "Phan Thị Bàn" in shown
    year, month, day = pair.old.person.birth_date.split("-")
    assert f"<dd>{day}/{month}/{year}</dd>" in shown
    assert pair.national_id not in shown and pair.old.person.national_id not in shown
    for phone in (pair.old.phone, pair.phone):
        assert "join_proposed" in {one["kind"] for one in await items(phone, "/v1/notices")}
    done = await second.post(f"{at}/confirm")
    assert done.status_code == 303, done.text
    gone = await pair.old.phone.call("GET", "/v1/me/export")
    assert (gone.status_code, gone.json()["reason"]) == (401, "account_joined")
    methods = await items(pair.phone, "/v1/me/auth-methods")
    assert {(one["type"], one["state"]) for one in methods} == {
        ("vneid", "active"),
        ("phone", "active"),
        ("phone", "unconfirmed"),
    }, "the password went, the phone waits for the owner's word"
    kinds = {one["type"] for one in (await pair.phone.call("GET", "/v1/me")).json()["identifiers"]}
    assert kinds == {"national_id", "old_id_number"}
    assert "desk_joined" in {one["kind"] for one in await items(pair.phone, "/v1/notices")}
    async with service.db.read() as tx:
        closed = await tx.get_one(Account, pair.goes)
        assert (closed.status, closed.joined_into) == ("closed", pair.stays)
        assert await tx.get(Password, pair.stays) is None and await tx.get(Password, pair.goes) is None
        assert await tx.scalar(select(func.count(JoinProposal.id))) == 0
    said = await tags(service, pair)
    assert [tag for tag, _ in said] == [
        "account.join_proposed",
        "account.join_confirmed",
        "account.joined",
        "account.absorbed",
    ]
    assert said[0][1] == clerk.account_id and len({by for _, by in said[1:]}) == 1
    assert said[1][1] not in (clerk.account_id, pair.stays, pair.goes, None)


async def test_r26_the_phones_of_both_accounts_hear_of_the_proposal_and_of_the_join(
    office: Office, counter: Counter, second: Counter
) -> None:
    service, pair = office.service, await a_pair(office.service)
    shown = (await pair.phone.call("GET", "/v1/me")).json()["phones"][0]
    at = await proposed(counter, pair)
    await service.settled()
    mine = {one.to for one in service.inbox.sms if "de nghi gop" in one.text}
    assert any(to.endswith(shown[-3:]) for to in mine) and "+84" + pair.old.number[1:] in mine
    assert (await second.post(f"{at}/confirm")).status_code == 303
    await service.settled()
    texts = heard(service, pair.old.number)
    assert len(texts) == 2 and "de nghi gop" in texts[0] and "da duoc gop" in texts[1]
    assert all(len(text) <= 160 and text.isascii() for text in texts)


async def test_r26_no_identity_of_the_other_account_opens_the_one_that_stays_when_two_clerks_joined_them(
    office: Office, counter: Counter, second: Counter
) -> None:
    service, pair = office.service, await a_pair(office.service)
    async with service.db.write() as tx:  # another e-ID was as sure, while VNeID knew the account by its CMND
        now = service.clock.now()
        await tx.execute(update(Account).where(Account.id == pair.goes).values(vneid_at=now))
        left = Identity(
            id=new_id(), account_id=pair.goes, issuer="https://khac.example", subject="a", level=2
        )
        left.created_at = left.last_used_at = now
        tx.add(left)
    at = await proposed(counter, pair)
    assert (await second.post(f"{at}/confirm")).status_code == 303
    async with service.db.read() as tx:
        opens = list(await tx.scalars(select(Identity.issuer).where(Identity.account_id == pair.stays)))
        assert opens == [service.app.settings.vneid.issuer]
        assert await tx.get(Identity, left.id) is None


async def test_r26_whoever_proposed_it_does_not_confirm_it(office: Office, counter: Counter) -> None:
    service, pair = office.service, await a_pair(office.service)
    at = await proposed(counter, pair)
    assert f"{at}/confirm" not in await counter.page(HOME)
    own = await counter.post(f"{at}/confirm")
    assert own.status_code == 403 and "cán bộ khác với người đề nghị" in own.text
    await untouched(service, pair)
    async with service.db.read() as tx:
        refused = select(func.count(Entry.seq)).where(
            Entry.tag == "access.refused", Entry.fact.contains("own_join")
        )
        assert await tx.scalar(refused.where(Entry.fact.contains(at[-36:]))) == 1
        assert await tx.get(JoinProposal, UUID(at[-36:])) is not None, "it waits for somebody else"


@pytest.mark.parametrize("whose", ["stays", "perhaps_goes"])
async def test_r26_nobody_has_a_say_about_an_account_that_may_be_their_own(
    office: Office, counter: Counter, whose: str
) -> None:
    service, pair = office.service, await a_pair(office.service)
    if whose == "stays":
        own = Somebody(known_by_vneid(service, pair.old), pair.stays)
    else:  # of the same name and birth date: the old account may be this person's as well
        own = await office.person(pair.old.person.full_name)
    at = await proposed(counter, pair)
    async with hired(office, own) as interested:
        if whose == "stays":
            assert GROUNDS not in await interested.page(HOME)
            async with (
                service.db.write() as tx
            ):  # an account is one's own also where it is no candidate any more
                forgotten = update(Account).where(Account.id == pair.goes).values(person_blind=None)
                await tx.execute(forgotten)
        for act in ("confirm", "refuse"):
            answer = await interested.post(f"{at}/{act}")
            assert answer.status_code == 403, (act, answer.text)
        assert (await counter.post(f"{at}/refuse")).status_code == 303
        answer = await interested.post(HOME, **pair.form)
        assert answer.status_code == 403 and pair.national_id in answer.text, "the form is kept"
        async with service.db.read() as tx:
            assert await tx.scalar(select(func.count(JoinProposal.id))) == 0
    await dismissed(office, own)


async def test_r26_the_second_clerks_right_is_read_in_the_transaction_that_decides(
    office: Office, counter: Counter
) -> None:
    service, pair = office.service, await a_pair(office.service)
    at = UUID((await proposed(counter, pair))[-36:])
    late = await office.person("Đặng Thị Thôi Việc")
    async with service.db.write() as tx:
        blinds = await numbers.blinds_of(tx, service.kit, late.account_id)
        who = Clerk(late.account_id, blinds)
        now = service.clock.now()
        with pytest.raises(desks.NotAtADesk):
            await desk_joins.confirm(tx, service.kit, at, clerk=who, now=now)
        with pytest.raises(desks.NotAtADesk):
            await desk_joins.refuse(tx, service.kit, at, clerk=who, now=now)
        with pytest.raises(desks.NotAtADesk):
            pair_ = waiting_joins.Pair(pair.stays, pair.goes)
            await desk_joins.propose(tx, service.kit, pair_, GROUNDS, clerk=who, now=now)
    await untouched(service, pair)


async def test_r26_of_many_confirmations_at_once_by_two_clerks_one_joins(
    office: Office, counter: Counter, second: Counter
) -> None:
    service, pair = office.service, await a_pair(office.service)
    at = await proposed(counter, pair)
    third = await office.person("Hồ Thị Cùng Lúc")
    async with hired(office, third) as other:
        answers = await asyncio.gather(
            *(one.post(f"{at}/confirm") for _ in range(8) for one in (second, other)),
        )
    await dismissed(office, third)
    counted = sorted(one.status_code for one in answers)
    assert counted == [303] + [404] * 15, counted
    assert [tag for tag, _ in await tags(service, pair)].count("account.joined") == 1
    kinds = [one["kind"] for one in await items(pair.phone, "/v1/notices")]
    assert kinds.count("desk_joined") == 1


async def test_r26_of_a_yes_a_no_and_the_persons_own_word_at_once_one_counts(
    office: Office, counter: Counter, second: Counter
) -> None:
    service, pair = office.service, await a_pair(office.service)
    at = await proposed(counter, pair)
    notice = next(one for one in await items(pair.phone, "/v1/notices") if one["kind"] == "join_proposed")
    yes, no, never = await asyncio.gather(
        second.post(f"{at}/confirm"),
        counter.post(f"{at}/refuse"),
        pair.phone.call("POST", f"/v1/notices/{notice['id']}/deny"),
    )
    assert all(one.status_code < 500 for one in (yes, no, never)), (yes.text, no.text, never.text)
    said = [tag for tag, _ in await tags(service, pair)]
    assert said.count("account.joined") + said.count("account.join_dropped") == 1
    assert (yes.status_code == 303) == ("account.joined" in said)


async def test_r26_proposing_and_confirming_want_a_sign_in_of_the_day_and_nothing_typed_is_lost(
    office: Office, counter: Counter, second: Counter
) -> None:
    service, pair = office.service, await a_pair(office.service)
    at = await proposed(counter, pair)
    async with service.db.write() as tx:
        old = service.clock.now().replace(year=2026, month=11, day=1)
        await tx.execute(update(Session).where(Session.kind == "workspace").values(authenticated_at=old))
    for answer in (await second.post(f"{at}/confirm"), await counter.post(HOME, **pair.form)):
        assert answer.status_code == 403 and "/workspace/login/start?fresh=1" in answer.text
    kept = re.search(r"kept%3D([0-9a-f-]{36})", answer.text)
    assert kept is not None
    assert GROUNDS in await counter.page(HOME, kept=kept[1])
    await untouched(service, pair)


async def test_r26_the_page_speaks_english_and_is_for_the_desk_only(
    office: Office, counter: Counter, second: Counter
) -> None:
    pair = await a_pair(office.service)
    await proposed(counter, pair)
    english = await second.page(HOME, lang="en")
    assert '<html lang="en"' in english and "Confirm the join" in english and "Gộp" not in english
    await second.page(HOME, lang="vi")
    stranger = await office.desk(await office.person("Nguyễn Văn Ngoài"))
    assert (await stranger.http.get(HOME)).status_code == 403
    await stranger.http.aclose()
    assert HOME in await counter.page("/workspace/support")
