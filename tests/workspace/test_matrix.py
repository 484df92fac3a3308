"""Who opens which page: every address of the workspace that names something, against everybody who might ask (rule 613).

The addresses come from the routes: one with a name that nobody has placed here fails.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import msgspec
import pytest
from sqlalchemy import select, update

from backend.appointment import Appointment
from backend.errors import settle
from backend.imports.rows import records
from backend.openness import Openness
from backend.outside.clock import local_day
from backend.roles import delegations, review, units
from backend.roles.delegations import Wish
from backend.roles.models import Role
from tests.promises.test_openness import application, handlers
from tests.workspace.office import Office, Somebody

PLACE = re.compile(r"\{(\w+):\w+\}")
PERSON, REQUEST, UNIT, NOBODYS = "person", "request", "unit", "nobody's"
KINDS = {  # by the name in the address; what is nobody's here is of one's own or of a clerk
    "account_id": PERSON,
    "role_id": PERSON,
    "request_id": REQUEST,
    "code": UNIT,
    "batch_id": NOBODYS,
    "case_id": NOBODYS,
    "proposal_id": NOBODYS,
    "run_id": NOBODYS,
    "upload_id": NOBODYS,
    "plan_id": NOBODYS,
}
OPENS = re.compile(
    r"/workspace/(requests/\{request_id:uuid\}|people/\{account_id:uuid\}|units/\{code:path\})"
)
OWN = "/workspace/me"
STATES = ("/workspace/systems/{name:str}",)  # how a system does is every manager's to know
SHUT = {403, 404}


class Thing(msgspec.Struct):
    """What is there in one unit: somebody with a role, and somebody's request."""

    code: str
    holder: str
    asker: str
    ids: dict[str, UUID]

    def address(self, path: str) -> str:
        """The path with what it names filled in; what is nobody's is something that is nowhere."""
        filled = {"code": self.code} | {name: str(one) for name, one in self.ids.items()}
        return PLACE.sub(lambda found: filled.get(found[1], str(uuid4())), path)


class Province:
    """Below NV one unit without a manager and one with Mai; Khoa manages another root."""

    def __init__(self, office: Office) -> None:
        self.office, self.service = office, office.service
        self.free, self.kept, self.far = (f"{code}-{office.number}" for code in ("NV-C", "NV-M", "XA"))
        self.readers: dict[str, Somebody] = {"Chi": office.chi, "Dũng": office.dung, "Hà": office.ha}

    async def open(self) -> list[Thing]:
        """Everybody and everything."""
        office, now, kit = self.office, self.service.clock.now(), self.service.kit
        wanted = ((self.free, office.unit), (self.kept, office.unit), (self.far, ""))
        rows = [
            {"code": code, "name": f"Phòng {code}", "parent_code": above, "agency_code": "", "kind": "x"}
            for code, above in wanted
        ]
        async with self.service.db.write() as tx:
            await units.bring_in(tx, kit, records(rows), by=None, now=now)
        self.readers["Mai"] = await office.person("Ngô Thị Mai", manages=self.kept)
        self.readers["Khoa"] = await office.person("Vũ Anh Khoa", manages=self.far)
        for name, days in (("in time", (0, 5)), ("too early", (1, 5)), ("too late", (0, 0))):
            self.readers[name] = await self._delegate(name, *days)
        return [
            await self._thing(code, by)
            for code, by in (
                (office.unit, office.chi),
                (self.free, office.chi),
                (self.kept, self.readers["Mai"]),
            )
        ]

    async def _delegate(self, name: str, first: int, last: int) -> Somebody:
        made, now = await self.office.person(f"Đặng Thị {name}"), self.service.clock.now()
        await self.office.employ(made)
        today = local_day(now)
        days = (today + timedelta(days=first), today + timedelta(days=last))
        wish = Wish(str(made.account_id), list(delegations.KINDS), [self.office.unit], *days)
        async with self.service.db.write() as tx:
            chi = self.office.chi.account_id
            (one,) = settle(await delegations.give(tx, self.service.kit, wish, by=chi, now=now))
            if last == 0:  # yesterday was its last day
                over = update(Appointment).where(Appointment.id == one.id)
                await tx.execute(over.values(until_on=today - timedelta(days=1)))
        return made

    async def _thing(self, code: str, by: Somebody) -> Thing:
        holder, asker = f"Người Giữ {code}", f"Người Xin {code}"
        made = await self.office.person(holder)
        request = await self.office.asks_as(made, unit=code)
        async with self.service.db.write() as tx:
            now = self.service.clock.now()
            said = await review.approve(tx, self.service.kit, request, version=1, by=by.account_id, now=now)
        settle(said)
        async with self.service.db.read() as tx:
            role = (await tx.scalars(select(Role.id).where(Role.account_id == made.account_id))).one()
        asked = await self.office.asks(asker, unit=code)
        ids = {"account_id": made.account_id, "role_id": role, "request_id": asked}
        return Thing(code, holder, asker, ids)

    def may(self, reader: str, kind: str, thing: Thing) -> bool:
        """What the rule says: the nearest manager; of requests the delegate; of units whoever has the root."""
        nearest = "Mai" if thing.code == self.kept else "Chi"
        return (
            (reader == nearest and kind != NOBODYS)
            or (reader == "in time" and kind == REQUEST and nearest == "Chi")
            or (reader == "Hà" and kind == UNIT)
        )


def pages() -> Iterator[tuple[str, Openness]]:
    """Every address under /workspace that is read."""
    for path, handler in handlers(application()):
        if path.startswith("/workspace") and "GET" in handler.http_methods:
            openness = handler.opt["open_to"]
            if openness is not Openness.ANYBODY and path != "/workspace/events":
                yield path, openness


@pytest.mark.parametrize(
    "service", ["sqlite"], indirect=True
)  # the rule itself: tests/backend/roles/test_sight.py
async def test_tw01_every_page_opens_to_whom_the_rule_names_and_to_nobody_else(office: Office) -> None:
    province = Province(office)
    things = await province.open()
    named = [path for path, _ in pages() if PLACE.search(path) and path not in STATES]
    plain = [path for path, _ in pages() if not PLACE.search(path)]
    assert len(named) > 12 and len(plain) > 8
    seen = 0
    for reader, who in province.readers.items():
        desk = await office.desk(who)
        for thing in things:
            for path in named:
                name = PLACE.findall(path)[-1]
                kind = NOBODYS if path.startswith(OWN) else KINDS[name]
                answer = await desk.http.get(thing.address(path))
                told = f"{reader} {answer.status_code} {path} of {thing.code}"
                if province.may(reader, kind, thing):
                    assert answer.status_code == 200 or not OPENS.fullmatch(path), told
                    seen += answer.status_code == 200
                else:
                    assert answer.status_code in SHUT, told
                    assert thing.holder not in answer.text and thing.asker not in answer.text, told
        for path in plain:
            text = (await desk.http.get(path)).text
            for thing in things:
                for kind, shown in ((PERSON, thing.holder), (REQUEST, thing.asker)):
                    assert province.may(reader, kind, thing) or shown not in text, f"{reader} {path} {shown}"
                    if path == "/workspace/people" and kind == PERSON:
                        assert (shown in text) is province.may(reader, kind, thing), reader
        await desk.http.aclose()
    assert seen > 20
