"""Two accounts of one person, a desk's proposal to join them, and what stands in the journal of it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncIterator
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import select

from backend.account import Account
from backend.journal import Entry
from backend.support import desks
from tests.citizen import Citizen
from tests.mobile_api.test_joins import account_of, two_accounts
from tests.phone import Phone
from tests.service import Service
from tests.workspace.counter import Counter
from tests.workspace.office import Office, Somebody

HOME = "/workspace/support/joins"
SAID = [f"account.{one}" for one in ("join_proposed", "join_confirmed", "join_dropped", "joined", "absorbed")]
GROUNDS = "Đã xem CCCD gắn chip và giấy xác nhận số CMND"


class Pair(NamedTuple):
    """The old account by CMND, and the phone of the one that VNeID knows by a CCCD."""

    old: Citizen
    phone: Phone
    national_id: str
    stays: UUID
    goes: UUID

    @property
    def form(self) -> dict[str, str]:
        return {
            "national_id": self.national_id,
            "old_id_number": self.old.person.national_id,
            "grounds": GROUNDS,
        }


@contextlib.asynccontextmanager
async def hired(office: Office, who: Somebody) -> AsyncIterator[Counter]:
    service = office.service
    async with service.db.write() as tx:
        await desks.hire(tx, service.kit, "HUE", who.persona.national_id, now=service.clock.now())
    made = Counter((await office.desk(who)).http)
    yield made
    await made.http.aclose()


async def dismissed(office: Office, who: Somebody) -> None:
    service = office.service
    async with service.db.write() as tx:
        await desks.dismiss(tx, service.kit, "HUE", who.persona.national_id, now=service.clock.now())


async def a_pair(service: Service, **other: str) -> Pair:
    old, phone = await two_accounts(service, **other)
    name = (await phone.call("GET", "/v1/me")).json()["full_name"]
    known = service.stand.eid.personas.values()
    number = next(one.national_id for one in known if one.full_name == name and len(one.national_id) == 12)
    return Pair(old, phone, number, await account_of(phone), await account_of(old.phone))


async def proposed(counter: Counter, pair: Pair) -> str:
    """The way to the proposal that this clerk makes."""
    answer = await counter.post(HOME, **pair.form)
    assert answer.status_code == 303, answer.text
    ways: list[str] = re.findall(
        r'action="(/workspace/support/joins/[0-9a-f-]{36})/refuse"', await counter.page(HOME)
    )
    return ways[-1]


async def tags(service: Service, pair: Pair) -> list[tuple[str, UUID | None]]:
    """What the journal says of the two, and who did it."""
    wanted = select(Entry.tag, Entry.by).where(Entry.subject.in_((pair.stays, pair.goes)))
    async with service.db.read() as tx:
        rows = await tx.execute(wanted.where(Entry.tag.in_(SAID)).order_by(Entry.seq))
        return [(row.tag, row.by) for row in rows]


async def reasons(service: Service, pair: Pair) -> list[str]:
    """Why proposals about the account came to nothing."""
    wanted = select(Entry.fact).where(Entry.subject == pair.stays, Entry.tag == "account.join_dropped")
    async with service.db.read() as tx:
        facts = list(await tx.scalars(wanted.order_by(Entry.seq)))
    return [found[1] for fact in facts if (found := re.search(r'"reason":\s?"(\w+)"', fact))]


async def untouched(service: Service, pair: Pair) -> None:
    """Both accounts are as they were: open, and each with its own."""
    async with service.db.read() as tx:
        assert {(await tx.get_one(Account, one)).status for one in (pair.stays, pair.goes)} == {"active"}
    assert (await pair.phone.call("GET", "/v1/me")).status_code == 200


def heard(service: Service, number: str) -> list[str]:
    """The desk's messages to a number, oldest first."""
    to = "+84" + number.removeprefix("0")
    return [
        one.text
        for one in reversed(service.inbox.sms)
        if one.to == to and "gop" in one.text and "ma " not in one.text
    ]
