"""What a desk may not join, and what it has to type (R26)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from backend.account import Account
from backend.accounts.models import Identity
from backend.db import new_id
from backend.journal import Entry
from backend.support.models import JoinProposal
from tests.service import Service
from tests.workspace.counter import Counter
from tests.workspace.office import Office, Somebody
from tests.workspace.support_joins import GROUNDS, HOME, Pair, a_pair, proposed, untouched


@pytest.mark.parametrize("other", [{"name": "Tôn Nữ Khác Hẳn Nữa"}, {"birth_date": "1990-02-04"}])
async def test_r26_a_desk_joins_no_two_of_another_name_or_birth_date(
    office: Office, counter: Counter, other: dict[str, str]
) -> None:
    pair = await a_pair(office.service, **other)
    answer = await counter.post(HOME, **pair.form)
    assert answer.status_code == 409 and "không cùng họ tên, ngày sinh" in answer.text
    assert GROUNDS in answer.text, "what was typed is kept"
    await untouched(office.service, pair)


async def _frozen_goes(service: Service, pair: Pair) -> None:
    await _mark(service, pair.goes, "frozen_at")


async def _frozen_stays(service: Service, pair: Pair) -> None:
    await _mark(service, pair.stays, "frozen_at")


async def _new_phone_of_goes(service: Service, pair: Pair) -> None:
    await _mark(service, pair.goes, "phone_changed_at")


async def _recovered_stays(service: Service, pair: Pair) -> None:
    await _mark(service, pair.stays, "recovered_at")


async def _mark(service: Service, account: UUID, what: str) -> None:
    async with service.db.write() as tx:
        await tx.execute(update(Account).where(Account.id == account).values({what: service.clock.now()}))


async def _two_identities(service: Service, pair: Pair) -> None:
    """VNeID came to the old account too, under another subject: to VNeID they are two people."""
    now, issuer = service.clock.now(), service.app.settings.vneid.issuer
    async with service.db.write() as tx:
        await tx.execute(update(Account).where(Account.id == pair.goes).values(vneid_at=now))
        row = Identity(id=new_id(), account_id=pair.goes, issuer=issuer, subject=str(new_id()), level=2)
        row.created_at = row.last_used_at = now
        tx.add(row)


REFUSED = [
    (_frozen_goes, "tạm khóa"),
    (_frozen_stays, "tạm khóa"),
    (_new_phone_of_goes, "trong vòng một ngày"),
    (_recovered_stays, "trong vòng một ngày"),
    (_two_identities, "hai định danh khác nhau"),
]


@pytest.mark.parametrize(("trouble", "words"), REFUSED)
async def test_r26_what_only_the_owner_can_clear_up_no_desk_overrules(
    office: Office, counter: Counter, trouble: Callable[[Service, Pair], Awaitable[None]], words: str
) -> None:
    service, pair = office.service, await a_pair(office.service)
    await trouble(service, pair)
    answer = await counter.post(HOME, **pair.form)
    assert answer.status_code == 409 and words in answer.text, answer.text
    async with service.db.read() as tx:
        assert await tx.scalar(select(func.count(JoinProposal.id))) == 0
        assert (await tx.get_one(Account, pair.goes)).status == "active"


async def test_r26_the_second_clerk_is_refused_too_what_the_first_one_would_be_now(
    office: Office, counter: Counter, second: Counter
) -> None:
    service, pair = office.service, await a_pair(office.service)
    at = await proposed(counter, pair)
    async with service.db.write() as tx:  # no candidate any more, and nothing else has changed
        await tx.execute(update(Account).where(Account.id == pair.goes).values(person_blind=None))
    answer = await second.post(f"{at}/confirm")
    assert answer.status_code == 409 and "không cùng họ tên, ngày sinh" in answer.text
    await untouched(service, pair)


async def test_r26_numbers_of_nobody_are_said_field_by_field_and_counted(
    office: Office, clerk: Somebody, counter: Counter
) -> None:
    service = office.service
    wrong = await counter.post(HOME, national_id="123", old_id_number="12", grounds=GROUNDS)
    assert wrong.status_code == 422 and "12 chữ số" in wrong.text and "9 chữ số" in wrong.text
    nobody = await counter.post(HOME, national_id="000099999999", old_id_number="000999999", grounds=GROUNDS)
    assert nobody.status_code == 422 and nobody.text.count("Chưa có tài khoản với số này") == 2
    async with service.db.read() as tx:
        looked = select(func.count(Entry.seq)).where(Entry.tag == "support.person_looked_up")
        assert await tx.scalar(looked.where(Entry.by == clerk.account_id)) == 2, "each is written down"


async def test_r26_the_grounds_hold_no_secret(office: Office, counter: Counter) -> None:
    pair = await a_pair(office.service)
    answer = await counter.post(HOME, **(pair.form | {"grounds": "mật khẩu là Abc@12345"}))
    assert answer.status_code == 422
    assert (await counter.post(HOME, **(pair.form | {"grounds": ""}))).status_code == 422
    await untouched(office.service, pair)
