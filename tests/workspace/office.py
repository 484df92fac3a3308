"""Units with managers and applicants in a running service, and a browser session for whoever asks."""

from __future__ import annotations

import itertools
import re
from typing import Any
from uuid import UUID

import httpx2
import msgspec

from backend.accounts.identity import people
from backend.imports.rows import records
from backend.outside.eid.eid_claims import Person
from backend.roles import managers, requests, review, staff, units
from backend.roles.wish import Draft
from demo.persona import Persona
from tests.parts.client import client
from tests.service import Service

_round = itertools.count(1)
TOKEN = re.compile(r'name="_csrf" value="([^"]+)"')
SAME_SITE = {"Sec-Fetch-Site": "same-origin"}


class Somebody(msgspec.Struct):
    """A person with an account."""

    persona: Persona
    account_id: UUID


class Desk:
    """A manager at a browser that runs no scripts: plain links and plain forms."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http

    async def page(self, path: str, **query: str) -> str:
        """A page that must be there."""
        answer = await self.http.get(path, params=query or None)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return answer.text

    async def send(self, path: str, form: dict[str, Any], *, token: str | None = None) -> httpx2.Response:
        """Post a form with the session's token, as the browser would."""
        if token is None:
            found = TOKEN.search(await self.page("/workspace"))
            assert found is not None
            token = found.group(1)
        return await self.http.post(path, data={"_csrf": token, **form}, headers=SAME_SITE)


class Office:
    """Two units below a root; Chi manages the first, Dũng the second, Hà the root."""

    def __init__(self, service: Service) -> None:
        self.service, self.number = service, next(_round)
        self.root, self.unit, self.other = (f"{code}-{self.number}" for code in ("TP", "NV", "TC"))

    async def open(self) -> None:
        """Write units and managers through the same doors as the commands."""
        rows = [
            {"code": self.root, "name": f"UBND thành phố {self.number}", "kind": "city"},
            {
                "code": self.unit,
                "name": f"Sở Nội vụ {self.number}",
                "kind": "department",
                "parent_code": self.root,
            },
            {
                "code": self.other,
                "name": f"Sở Tài chính {self.number}",
                "kind": "department",
                "parent_code": self.root,
            },
        ]
        wanted = ("code", "name", "parent_code", "agency_code", "kind")
        now, kit = self.service.clock.now(), self.service.kit
        given = records({name: row.get(name, "") for name in wanted} for row in rows)
        async with self.service.db.write() as tx:
            await units.bring_in(tx, kit, given, by=None, now=now)
        self.chi = await self.person("Lê Thị Chi", manages=self.unit)
        self.dung = await self.person("Hoàng Văn Dũng", manages=self.other)
        self.ha = await self.person("Trần Thu Hà", manages=self.root)

    async def person(self, name: str, *, manages: str | None = None) -> Somebody:
        """Somebody with an account, and perhaps a unit to decide for."""
        persona = self.service.person(name)
        proved = Person(
            issuer=self.service.app.settings.vneid.issuer,
            subject=persona.sub,
            national_id=persona.national_id,
            full_name=name,
            birth_date=persona.birth_date,
            gender=persona.gender,
            level=persona.level,
        )
        kit, now = self.service.kit, self.service.clock.now()
        async with self.service.db.write() as tx:
            account, _ = await people.account_or_new(tx, kit, proved, now=now)
            if manages:
                await managers.add(tx, kit, manages, persona.national_id, by=None, now=now)
        return Somebody(persona, account.id)

    async def approved_by_another(self, request_id: UUID) -> None:
        """Somebody else's word, given where no open page of ours is."""
        async with self.service.db.write() as tx:
            now = self.service.clock.now()
            await review.approve(tx, self.service.kit, request_id, version=1, by=self.chi.account_id, now=now)

    async def asks(self, name: str, *, unit: str | None = None, listed: bool = False, **fields: str) -> UUID:
        """Somebody new asks for a role, whom the staff directory may know there; the request."""
        who = await self.person(name)
        if listed:
            await self.lists(who, unit=unit)
        return await self.asks_as(who, unit=unit, **fields)

    async def lists(self, who: Somebody, *, unit: str | None = None) -> None:
        """The staff directory knows somebody as the e-ID does, as a specialist of a unit."""
        known = ("national_id", "full_name", "birth_date")
        row = {name: getattr(who.persona, name) for name in known}
        row |= {"unit_code": unit or self.unit, "subject_type": "cong_chuc", "position": "chuyen_vien"}
        async with self.service.db.write() as tx:
            now = self.service.clock.now()
            await staff.bring_in(tx, self.service.kit, records([row]), by=None, now=now)

    async def asks_as(self, who: Somebody, *, unit: str | None = None, **fields: str) -> UUID:
        """The same of somebody who has an account."""
        draft = Draft(
            kind="register",
            subject_type="cong_chuc",
            unit=unit or self.unit,
            position="chuyen_vien",
            fields=dict(fields),
        )
        async with self.service.db.write() as tx:
            made = await requests.create(
                tx, self.service.kit, draft, by=who.account_id, now=self.service.clock.now(), level=2
            )
        return made.id

    async def asks_moving(self, name: str, *, to: str) -> UUID:
        """Somebody with a role in the first unit asks to go to another; the request."""
        who = await self.person(name)
        await self.employ(who)
        draft = Draft(kind="transfer", subject_type="cong_chuc", unit=to, position="chuyen_vien", fields={})
        async with self.service.db.write() as tx:
            now = self.service.clock.now()
            made = await requests.create(tx, self.service.kit, draft, by=who.account_id, now=now, level=2)
        return made.id

    async def has_role(self, name: str, *, unit: str | None = None) -> UUID:
        """Somebody whose role has been approved; the request that began it."""
        return await self.employ(await self.person(name), unit=unit)

    async def employ(self, who: Somebody, *, unit: str | None = None) -> UUID:
        """The same of somebody who has an account."""
        request_id = await self.asks_as(who, unit=unit)
        by = self.chi if unit in {None, self.unit} else self.dung
        async with self.service.db.write() as tx:
            await review.approve(
                tx, self.service.kit, request_id, version=1, by=by.account_id, now=self.service.clock.now()
            )
        return request_id

    async def token_of(self, who: Somebody) -> str:
        """The session cookie after a whole sign-in with the e-ID."""
        async with client(self.service.url) as http:
            await signed_in(http, who.persona)
            return http.cookies["ngomon"]

    async def desk(self, who: Somebody) -> Desk:
        """A signed-in browser without scripts; close its `http` at the end."""
        http = client(self.service.url)
        await signed_in(http, who.persona)
        return Desk(http)


async def signed_in(http: httpx2.AsyncClient, persona: Persona) -> httpx2.Response:
    """Go through the sign-in as a browser does; the page after it."""
    start = await http.get("/workspace/login/start")
    assert start.status_code == 303, start.text
    back = await http.get(f"{start.headers['location']}&prompt=none&login_hint={persona.key}")
    assert back.status_code == 303, back.text
    return await http.get(back.headers["location"])
