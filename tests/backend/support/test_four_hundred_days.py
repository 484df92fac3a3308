"""A small province lives for four hundred days: every table levels off, and what is needed is never forgotten."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select, update

from backend import sealed, tallies
from backend.accounts.begun import Begun
from backend.accounts.codes import codes
from backend.accounts.models import Slip
from backend.accounts.self import history
from backend.caller import Caller
from backend.db import insert_into, new_id
from backend.devices import rotation, sessions
from backend.devices.known import knows_key
from backend.devices.models import SeenProof
from backend.flows import Kind
from backend.kit import Kit
from backend.limits import Limits
from backend.outbox import outcome, queue, states, turns
from backend.outbox.models import Delivery, System
from backend.owed import queue as message_queue
from backend.retention import Stays, sweep
from backend.roles import opened, uploads
from backend.roles.models import RoleRequest, Unit
from backend.support import cases, mails, notices
from backend.support.models import CaseMail, Notice, ReadMail
from backend.throttle import Window
from tests.backend.support.conftest import World

DAYS, LEVEL = 400, 250
EVERY, SWEPT, SIGN_IN = (
    3,
    9,
    81,
)  # days: the phone is used, the worker has its turn, the session nears its end
PHONE = sessions.Device(platform="android", name="Máy thử", model="thử")
OWN, OTHER = "khoa-cua-may", "khoa-khac"
UNREAD = "owner_came"


class Nothing(msgspec.Struct):
    """What a flow of this test knows."""


FLOW = Kind("login", Nothing)


class Province:
    """One person with a phone and a browser, a desk that is written to, and a system that is told."""

    def __init__(self, world: World, limits: Limits) -> None:
        self.kit = Kit.of(world.kit.keys, limits)
        self.world, self.db, self.person = world, world.db, world.person
        self.system, self.request = new_id(), new_id()
        self.tokens: list[str] = []
        self.version = 0

    async def begin(self, now: datetime) -> None:
        """What is there from the first day, and must be on the last."""
        async with self.db.write() as tx:
            made: dict[str, Any] = {"kind": "scim", "url": "https://he-thong.example", "created_at": now}
            tx.add_all([System(id=self.system, name="một", **made), System(name="hai", **made)])
            await tx.flush()
            two = await tx.scalar(select(System.id).where(System.name == "hai"))
            await queue.enqueue(  # the second system is away all the time
                tx, account_id=self.person, version=1, systems=[two or new_id()], lane=1, now=now
            )
            notices.tell(tx, self.kit, self.person, UNREAD, now=now)
            unit = Unit(
                id=new_id(), code="NV", name="Sở Nội vụ", folded="so noi vu", kind="department", path="/"
            )
            words = {"kind": "register", "subject_type": "cong_chuc", "position": "chuyen_vien"}
            whose = {"account_id": self.person, "created_by": self.person, "unit_id": unit.id}
            asked = RoleRequest(id=self.request, status="rejected", created_at=now, **words, **whose)
            asked.fields = self.kit.keys.seal("role_requests.fields", asked.id, "{}")
            tx.add(unit)
            await tx.flush()
            tx.add(asked)

    async def day(self, day: int, now: datetime) -> None:
        """What happens on such a day, in one transaction."""
        async with self.db.write() as tx:
            await self._at_the_phone(tx, day, now)
            await self._at_the_desk(tx, now)
            await self._at_the_system(tx, now)

    async def _at_the_phone(self, tx: Any, day: int, now: datetime) -> None:
        if day % SIGN_IN == 0:
            words: dict[str, Any] = {
                "device": PHONE,
                "jkt": OWN,
                "method": "vneid",
                "level": 2,
                "shown": now,
                "now": now,
            }
            fresh, _ = await sessions.open_mobile(tx, self.kit, self.person, **words)
            self.tokens = [fresh.refresh_token]
        else:
            done = await rotation.rotate(tx, self.kit, self.tokens[-1], jkt=OWN, now=now)
            assert isinstance(done, sessions.Tokens), done
            self.tokens.append(done.refresh_token)
        history.remember(tx, self.person, method="vneid", good=True, device=None, place=None, now=now)
        flow = await FLOW.start(tx, self.kit, Caller(now, OWN), "otp", Nothing())
        await codes.issue(
            tx, self.kit, flow.row, phone="+84550900001", purpose="login", account_id=self.person, now=now
        )
        await self.kit.throttle.spend(tx, [("ngày", str(day), [Window(5, 3600)])], now=now)
        await tallies.add(tx, [tallies.Want(b"all", [Window(9, 3600)])], now=now)
        await tx.execute(
            insert_into(tx, SeenProof).values(id=new_id().bytes, until=int(now.timestamp()) + 60)
        )
        owed: dict[str, Any] = {"account_id": self.person, "now": now, "leaves": False}
        message_queue.owe(tx, self.kit.keys, message_queue.SMS, "code", **owed)
        slip = Slip(id=new_id(), code=f"DT-{day}", account_id=self.person, made_at=now, valid_until=now)
        slip.phone = self.kit.keys.seal("phone_change_slips.phone", slip.id, "+84550900001")
        tx.add(slip)
        begun = Begun(id=new_id(), key=slip.id.bytes, account_id=self.person, at=now)
        begun.said = self.kit.keys.seal("begun_calls.said", begun.id, "{}")
        tx.add(begun)
        notices.tell(tx, self.kit, self.person, "codes_locked", now=now)
        said = notices.publish(tx, self.kit, title="Bảo trì", body="Tối nay.", until=_tomorrow(now), now=now)
        await tx.flush()
        await notices.read(tx, said.id, by=self.person, now=now)
        theirs = update(Notice).where(Notice.account_id == self.person, Notice.kind != UNREAD)
        await tx.execute(theirs.where(Notice.read_at.is_(None)).values(read_at=now))

    async def _at_the_desk(self, tx: Any, now: datetime) -> None:
        asked: dict[str, Any] = {
            "subject": "Xin giúp",
            "text": "Không vào được.",
            "origin": "app",
            "by": self.person,
        }
        desk = self.world.desk
        case = await cases.add(tx, self.kit, desk, account_id=self.person, now=now, **asked)
        assert await cases.close(tx, self.kit, case.id, clerk=self.world.clerk, now=now) is case
        mails.owe(tx, self.kit, desk, to="an@truong.example", subject="Đã xong", text="Đã xong.", now=now)
        await tx.flush()
        await tx.execute(update(CaseMail).where(CaseMail.sent_at.is_(None)).values(sent_at=now))
        tx.add(ReadMail(uid_validity="1", uid=str(case.id)[:20], at=now))
        uploads.lay(tx, self.kit, uploads.REORGANISE, "{}", by=self.world.clerk.account_id, now=now)

        await opened.note(tx, self.request, by=self.world.clerk.account_id, now=now)

    async def _at_the_system(self, tx: Any, now: datetime) -> None:
        self.version += 1
        wanted: dict[str, Any] = {"version": self.version, "systems": [self.system], "lane": 1}
        await queue.enqueue(tx, account_id=self.person, now=now, **wanted)
        (turn,) = await turns.take(tx, self.system, now=now, lease=30, most=1)
        done = outcome.Acknowledged(turn, self.version, "1")
        assert await outcome.delivered(tx, self.kit, self.system, [done], now=now) == []

    async def counts(self) -> dict[str, int]:
        """The rows of every table that something ends."""
        async with self.db.read() as tx:
            return {
                model.__tablename__: await tx.scalar(select(func.count()).select_from(model)) or 0
                for model in sealed.models()
                if not isinstance(model.retention, Stays)
            }


def _tomorrow(now: datetime) -> date:
    return (now + timedelta(days=1)).date()


async def _still_there(province: Province, begun: datetime, now: datetime) -> None:
    kit, person = province.kit, province.person
    async with province.db.read() as tx:
        assert await knows_key(tx, person, OWN), "the device that is in use"
        waiting = await tx.scalar(select(Delivery.created_at).where(Delivery.state == "pending"))
        assert waiting == begun, "what a system has not been told yet"
        unread = await tx.scalars(
            select(Notice.at).where(Notice.read_at.is_(None), Notice.account_id == person)
        )
        assert begun in list(unread), "what the person has not read yet"
        told = {one.system: one.state for one in await states.states_for_account(tx, person, now)}
        assert told == {"một": "synced", "hai": "pending"}
    async with province.db.write() as tx:
        refusal = await rotation.rotate(tx, kit, province.tokens[-5], jkt=OTHER, now=now)
        assert isinstance(refusal, sessions.SessionRevoked), (
            "a token that was used weeks ago is told from a wrong one"
        )
        assert refusal.facts["reason"] == "refresh_reused"


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_four_hundred_days(world: World) -> None:
    limits = msgspec.structs.replace(
        Limits(), history_days=100, session_days=60, case_days=90, notice_days=120, delivery_days=80
    )
    province, begun = Province(world, limits), world.now
    await province.begin(begun)
    seen: dict[int, dict[str, int]] = {}
    for day in range(0, DAYS, EVERY):
        now = begun + timedelta(days=day)
        await province.day(day, now)
        if day % SWEPT == 0:
            await sweep(province.db, limits, now)
            seen[day] = await province.counts()
    level = {table: max(counts[table] for day, counts in seen.items() if day < LEVEL) for table in seen[0]}
    later = {table: max(counts[table] for day, counts in seen.items() if day >= LEVEL) for table in seen[0]}
    assert not {table for table in level if later[table] > level[table]}, "tables that still grow"
    assert {table for table in level if not level[table]} == {"passwords"}, "tables that nobody filled"
    await _still_there(province, begun, begun + timedelta(days=DAYS - 1))
