"""A small province for the rules of roles: units, invented people and their managers, rows only."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from backend.account import Account
from backend.accounts.models import Identifier
from backend.db import Database, new_id
from backend.devices.sessions import Device, open_mobile
from backend.errors import Refusal, settle
from backend.kit import Kit
from backend.names import folded
from backend.outbox.models import System
from backend.roles import acts, authority, corrections, managers, requests, review, starting, timeline
from backend.roles.carried import How
from backend.roles.corrections import By
from backend.roles.models import Role, RoleRequest, Unit
from backend.roles.movements import END
from backend.roles.wish import Draft
from tests.backend.roles.readings import Readings

PLAINLY = How()
MANY = How(many=True)
START = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)  # Monday, 10:00 in Huế


class World(Readings):
    """One database with a clock that the test moves."""

    def __init__(self, db: Database, kit: Kit) -> None:
        self.db, self.kit, self.now = db, kit, START
        self.units: dict[str, UUID] = {}
        self.people: dict[str, UUID] = {}
        self.numbers: dict[str, str] = {}

    def pass_time(self, **span: float) -> None:
        """Move the clock."""
        self.now += timedelta(**span)

    @property
    def today(self) -> date:
        """Today in Huế."""
        return (self.now + timedelta(hours=7)).date()

    async def populate(self) -> None:
        """NV and TC below HUE, NV-P below NV; Chi manages NV, Dũng TC, Giang HUE; others nothing."""
        async with self.db.write() as tx:
            units: dict[str | None, Unit] = {}
            for code, parent in (("HUE", None), ("NV", "HUE"), ("NV-P", "NV"), ("TC", "HUE")):
                units[code] = self._unit_of(code, units.get(parent), None)
            people = [self._person_of(name) for name in ("An", "Bình", "Eve", "Chi", "Dũng", "Giang")]
            tx.add_all([*units.values(), *(account for account, _ in people)])
            await tx.flush()
            tx.add_all(number for _, number in people)
            await tx.flush()
            for name, code in (("Chi", "NV"), ("Dũng", "TC"), ("Giang", "HUE")):
                await managers.add(tx, self.kit, code, self.numbers[name], by=None, now=self.now)

    async def unit(self, code: str, parent: str | None = None, *, ended_on: date | None = None) -> UUID:
        """A unit below `parent`."""
        async with self.db.write() as tx:
            return await self._unit(tx, code, parent, ended_on)

    async def person(self, name: str, *, manages: str | None = None) -> UUID:
        """An invented citizen with an account; `manages` is a unit code."""
        async with self.db.write() as tx:
            account_id = await self._person(tx, name)
        if manages:
            await self.appoint(name, manages)
        return account_id

    async def appoint(self, name: str, unit: str) -> None:
        """Let somebody decide for a unit."""
        async with self.db.write() as tx:
            await managers.add(tx, self.kit, unit, self.numbers[name], by=None, now=self.now)

    async def _unit(self, tx: AsyncSession, code: str, parent: str | None, ended_on: date | None) -> UUID:
        above = await tx.get(Unit, self.units[parent]) if parent else None
        unit = self._unit_of(code, above, ended_on)
        tx.add(unit)
        await tx.flush()
        return unit.id

    def _unit_of(self, code: str, above: Unit | None, ended_on: date | None) -> Unit:
        unit = Unit(id=new_id(), code=code, name=f"Đơn vị {code}", folded=folded(f"Đơn vị {code}"), kind="")
        unit.parent_id = above.id if above else None
        unit.path = f"{above.path if above else '/'}{unit.id}/"
        unit.ended_on = ended_on
        self.units[code] = unit.id
        return unit

    async def _person(self, tx: AsyncSession, name: str) -> UUID:
        account, number = self._person_of(name)
        for row in (account, number):
            tx.add(row)
            await tx.flush()
        return account.id

    def _person_of(self, name: str) -> tuple[Account, Identifier]:
        account_id, identifier_id, number = new_id(), new_id(), f"000{len(self.people):09d}"
        account = Account(id=account_id, assurance_level=2, created_at=self.now, vneid_at=self.now)
        account.full_name = self.kit.keys.seal("accounts.full_name", account_id, name)
        account.birth_date = self.kit.keys.seal("accounts.birth_date", account_id, "1990-01-02")
        number_row = Identifier(id=identifier_id, account_id=account_id, kind="national_id", source="test")
        number_row.value = self.kit.keys.seal("identifiers.value", identifier_id, number)
        number_row.blind = self.kit.keys.blind("national_id", number)
        number_row.created_at = self.now
        self.people[name], self.numbers[name] = account_id, number
        return account, number_row

    async def dismiss(self, name: str) -> None:
        """Take every unit from somebody."""
        async with self.db.write() as tx:
            for post in (await authority.of(tx, self.kit, self.people[name], now=self.now)).units:
                await managers.remove(
                    tx, self.kit, post.code, self.numbers[name], by=None, now=self.now, leave_undecided=True
                )

    async def system(self, name: str, *units: str) -> UUID:
        """A downstream system for those unit codes, or for all."""
        system = System(
            id=new_id(), name=name, kind="scim", url="http://127.0.0.1:9/scim/v2", created_at=self.now
        )
        system.unit_codes = msgspec.json.encode(list(units)).decode()
        async with self.db.write() as tx:
            tx.add(system)
        return system.id

    def draft(self, kind: str = "register", unit: str | None = None, **more: Any) -> Draft:
        """A body as the phone would send it."""
        body: dict[str, Any] = {"kind": kind}
        if kind in {"register", "transfer", "concurrent"}:
            body |= {"unit": "NV", "subject_type": "cong_chuc", "position": "chuyen_vien", "fields": {}}
        if kind == "amend" and not more:  # what changes nothing is refused
            body["position"] = "van_thu"
        if unit is not None:
            body["unit"] = unit
        return msgspec.convert(body | more, Draft, strict=False)

    async def ask(
        self,
        name: str,
        draft: Draft | None = None,
        *,
        level: int = 2,
        key: str | None = None,
        session: UUID | None = None,
    ) -> RoleRequest:
        """`name` makes a request."""
        async with self.db.write() as tx:
            return await requests.create(
                tx,
                self.kit,
                draft or self.draft(),
                by=self.people[name],
                now=self.now,
                level=level,
                key=key,
                session=session,
            )

    async def approve(
        self, name: str, request_id: UUID, *, version: int | None = None, how: How = PLAINLY
    ) -> RoleRequest:
        """`name` says yes."""
        async with self.db.write() as tx:
            said = await review.approve(
                tx, self.kit, request_id, version=version, by=self.people[name], now=self.now, how=how
            )
        return settle(said)

    async def reject(self, name: str, request_id: UUID, reason: str = "Chưa đúng đơn vị") -> RoleRequest:
        """`name` says no."""
        async with self.db.write() as tx:
            said = await review.reject(
                tx, self.kit, request_id, reason, version=None, by=self.people[name], now=self.now
            )
        return settle(said)

    async def send_back(
        self, name: str, request_id: UUID, reason: str = "Bổ sung số quyết định"
    ) -> RoleRequest:
        """`name` returns it."""
        async with self.db.write() as tx:
            said = await review.send_back(
                tx, self.kit, request_id, reason, version=None, by=self.people[name], now=self.now
            )
        return settle(said)

    async def undo(self, name: str, request_id: UUID) -> RoleRequest:
        """`name` takes the word back."""
        async with self.db.write() as tx:
            said = await review.undo(tx, self.kit, request_id, by=self.people[name], now=self.now)
        return settle(said)

    async def withdraw(
        self, name: str, request_id: UUID, *, level: int = 2, since: datetime | None = None
    ) -> RoleRequest:
        """`name`, who signed in at that moment, takes the request back."""
        async with self.db.write() as tx:
            said = await requests.withdraw(
                tx,
                self.kit,
                request_id,
                by=self.people[name],
                level=level,
                authenticated_at=since or self.now,
                now=self.now,
            )
        return settle(said)

    async def resubmit(
        self,
        name: str,
        request_id: UUID,
        draft: Draft | None = None,
        *,
        note: str | None = None,
        session: UUID | None = None,
    ) -> RoleRequest:
        """`name` corrects the request."""
        async with self.db.write() as tx:
            said = await corrections.resubmit(
                tx,
                self.kit,
                request_id,
                draft or self.draft(),
                by=By(self.people[name], 2, self.now, session),
                now=self.now,
                note=note,
            )
        return settle(said)

    async def move(self, name: str, role_id: UUID, to_unit: str | None, **more: Any) -> RoleRequest:
        """`name`, a manager, moves somebody."""
        async with self.db.write() as tx:
            note, how = more.pop("note", None), more.pop("how", PLAINLY)
            draft = Draft(kind="transfer", unit=to_unit, **more)
            said = await starting.start(
                tx, self.kit, role_id, draft, by=self.people[name], now=self.now, note=note, how=how
            )
        return settle(said)

    async def end(
        self, name: str, role_id: UUID, reason: str = "Nghỉ hưu", *, how: How = PLAINLY
    ) -> RoleRequest:
        """`name`, a manager, ends a role."""
        async with self.db.write() as tx:
            said = await acts.act(
                tx, self.kit, role_id, END, reason=reason, by=self.people[name], now=self.now, how=how
            )
        return settle(said)

    async def roll(self) -> int:
        """What the worker does every few seconds."""
        async with self.db.write() as tx:
            return await timeline.roll(tx, self.kit, now=self.now)

    async def employ(self, name: str, unit: str, manager: str, **more: Any) -> Role:
        """A person with a role in force, asked for and approved."""
        asked = await self.ask(name, self.draft(unit=unit, **more))
        await self.approve(manager, asked.id)
        return (await self.roles(name))[-1]

    async def signed_in(self, name: str) -> UUID:
        """A mobile session of a person."""
        device = Device(platform="android", name="Điện thoại thử", model="Pixel", push_token=None)
        async with self.db.write() as tx:
            tokens, _ = await open_mobile(
                tx,
                self.kit,
                self.people[name],
                device=device,
                jkt="thumb",
                method="vneid",
                level=2,
                shown=self.now,
                now=self.now,
            )
        return tokens.session_id


def code_of(refusal: Refusal) -> str:
    """The stable code of a refusal."""
    assert re.fullmatch(r"[a-z_]+", refusal.code)
    return refusal.code
