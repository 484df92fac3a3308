"""A clerk learns whether a personal number has an account: as often as the telephone rings, and written down (A15)."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import select

from backend.journal import Entry
from backend.support import desks, lookups
from backend.support.cases import Clerk
from tests.service import Service
from tests.workspace.counter import HOME, Counter
from tests.workspace.office import TOKEN, Office, Somebody

NOBODYS = "000090999999"


def form(number: str, text: str = "Nghe máy") -> dict[str, Any]:
    return {"person": number, "subject": "Gọi điện", "text": text}


async def looked_up(service: Service, clerk: Somebody) -> list[UUID | None]:
    """Whom the clerk asked about, as the journal has it."""
    async with service.db.read() as tx:
        found = list(
            await tx.scalars(select(Entry).where(Entry.tag == "support.person_looked_up").order_by(Entry.seq))
        )
    mine = [msgspec.json.decode(entry.fact) for entry in found if str(clerk.account_id) in str(entry.by)]
    assert not any("0000" in str(fact) for fact in mine)
    return [UUID(fact["subject"]) if "subject" in fact else None for fact in mine]


async def lookups_until_the_end(office: Office, clerk: Somebody, hours: int) -> None:
    """Busy hours at the desk, through the use case."""
    service = office.service
    async with service.db.read() as tx:
        who = Clerk(clerk.account_id, service.kit.keys.blinds("national_id", clerk.persona.national_id))
    for hour in range(hours):
        if hour:
            service.pass_time(seconds=3601)
        async with service.db.write() as tx:
            for _ in range(service.kit.limits.desk_lookups_per_hour):
                await lookups.count(tx, service.kit, who, now=service.clock.now())


async def test_every_number_that_a_clerk_types_is_in_the_journal_whatever_becomes_of_the_case(
    office: Office, clerk: Somebody, counter: Counter
) -> None:
    service, person = office.service, await office.person("Tôn Nữ Gọi Đến")
    number = person.persona.national_id
    assert (await counter.post(f"{HOME}/new", **form(number))).status_code == 303
    assert (await counter.post(f"{HOME}/new", **form(number, "Gửi mật khẩu cho tôi"))).status_code == 422
    unknown = await counter.post(f"{HOME}/new", **form(NOBODYS))
    assert unknown.status_code == 422 and "Chưa có tài khoản" in unknown.text
    assert (await counter.post(f"{HOME}/new", **form(clerk.persona.national_id))).status_code == 403
    for person_ in ("79", "ai@don-vi.example"):
        await counter.post(f"{HOME}/new", **form(person_))
    asked = await looked_up(service, clerk)
    assert asked == [person.account_id, person.account_id, None, clerk.account_id]


async def test_a_clerk_cannot_go_through_a_list_of_numbers(
    office: Office, clerk: Somebody, counter: Counter
) -> None:
    service, person = office.service, await office.person("Tôn Nữ Được Hỏi")
    found = TOKEN.search(await counter.page(HOME))
    assert found is not None
    most = service.kit.limits.desk_lookups_per_hour
    sent = [
        counter.send(f"{HOME}/new", form(f"0000909{one:05d}"), token=found.group(1))
        for one in range(most + 5)
    ]
    statuses = sorted(answer.status_code for answer in await asyncio.gather(*sent))
    assert statuses == [422] * most + [429] * 5
    known, unknown = [
        await counter.post(f"{HOME}/new", **form(number)) for number in (person.persona.national_id, NOBODYS)
    ]
    for answer in (known, unknown):
        assert answer.status_code == 429 and 0 < int(answer.headers["retry-after"]) <= 3600
        assert "tra cứu quá nhiều số định danh" in answer.text and ">Nghe máy</textarea>" in answer.text
    assert len(known.text) == len(unknown.text)
    assert await looked_up(service, clerk) == [None] * most
    by_mail = await counter.post(f"{HOME}/new", **form("ai@don-vi.example"))
    assert by_mail.status_code == 303, "only numbers are counted"


async def test_another_clerk_goes_on_and_so_does_this_one_after_an_hour_but_not_all_day(
    office: Office, clerk: Somebody
) -> None:
    service, other = office.service, await office.person("Phan Thị Kế Bên")
    async with service.db.write() as tx:
        await desks.hire(tx, service.kit, "HUE", other.persona.national_id, now=service.clock.now())
    await lookups_until_the_end(office, clerk, 1)
    for who, status in ((clerk, 429), (other, 422)):
        at = Counter((await office.desk(who)).http)
        assert (await at.post(f"{HOME}/new", **form(NOBODYS))).status_code == status
        await at.http.aclose()
    service.pass_time(seconds=3601)
    await lookups_until_the_end(office, clerk, lookups.HOURS - 1)
    service.pass_time(seconds=3601)
    at = Counter((await office.desk(clerk)).http)
    late = await at.post(f"{HOME}/new", **form(NOBODYS))
    assert late.status_code == 429 and int(late.headers["retry-after"]) > 3600
    service.pass_time(days=1)
    await at.http.aclose()
    at = Counter((await office.desk(clerk)).http)
    assert (await at.post(f"{HOME}/new", **form(NOBODYS))).status_code == 422
    await at.http.aclose()
