"""Joining two accounts of somebody who works for the state: roles, requests, and what systems hear (R26)."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update

from backend.account import Account
from backend.accounts.identity import numbers
from backend.appointment import Appointment
from backend.db import new_id
from backend.outbox.models import Delivery, System
from backend.outbox.queue import REVOCATION
from backend.roles import audit_places, authority, managers, overdue, rights, rows
from backend.roles.models import RequestStep, RoleRequest
from tests.attacks.problems import refused
from tests.citizen import Citizen
from tests.mobile_api.test_joins import account_of, begin, items, prove, two_accounts
from tests.mobile_api.test_roles import a_province, approve, body
from tests.phone import Phone
from tests.placed import unplaced
from tests.service import Service

GIVEN = "000088887777"


async def two_at_work(service: Service) -> tuple[Citizen, Phone]:
    """The old account may ask for a role: VNeID came to it while the CMND was the person's number."""
    old, phone = await two_accounts(service)
    goes, now = await account_of(old.phone), service.clock.now()
    async with service.db.write() as tx:
        await tx.execute(update(Account).where(Account.id == goes).values(vneid_at=now))
    return old, phone


async def asks(service: Service, phone: Phone) -> str:
    answer = await phone.call("POST", "/v1/role-requests", body())
    assert answer.status_code == 201, answer.text
    found: str = answer.json()["id"]
    return found


async def test_r26_two_open_requests_stand_in_the_way_and_nothing_has_changed(service: Service) -> None:
    await a_province(service)
    old, phone = await two_at_work(service)
    await asks(service, old.phone)
    mine = await asks(service, phone)
    told = refused(await begin(service, phone, old), 409, "join_conflict")
    assert told["conflicts"] == ["role_request"]
    assert (await old.phone.call("GET", "/v1/me")).status_code == 200
    shown = await phone.call("GET", f"/v1/role-requests/{mine}")
    await phone.call("POST", f"/v1/role-requests/{mine}/withdraw", {"version": shown.json()["version"]})
    assert (await prove(service, phone, old)).status_code == 200
    listed = await items(phone, "/v1/role-requests")
    assert sorted(one["status"] for one in listed) == ["pending", "withdrawn"]


async def test_r26_a_request_that_comes_along_is_not_decided_by_its_own_subject(service: Service) -> None:
    await a_province(service)
    old, phone = await two_at_work(service)
    stays, now = await account_of(phone), service.clock.now()
    request = UUID(await asks(service, old.phone))
    async with service.db.write() as tx:
        number = (await numbers.personal(tx, service.kit, [stays]))[stays]
        await managers.add(tx, service.kit, "R-SNV", number, by=None, now=now)
    assert (await prove(service, phone, old)).status_code == 200
    async with service.db.write() as tx:
        steps = await rows.steps_of(tx, request)
        found = await tx.get_one(RoleRequest, request)
        who = await authority.of(tx, service.kit, stays, now=service.clock.now())
        assert (await rights.standing(tx, service.kit, found, steps, who)).is_subject, (
            "another manager decides"
        )
        await managers.remove(tx, service.kit, "R-SNV", number, by=None, now=now, leave_undecided=True)


async def test_r26_a_role_comes_along_and_systems_hear_of_one_person(service: Service) -> None:
    number = await a_province(service)
    old, phone = await two_at_work(service)
    stays, goes = await account_of(phone), await account_of(old.phone)
    request = await asks(service, old.phone)
    system = System(id=new_id(), name=f"r26-{new_id()}", kind="scim", url="http://127.0.0.1:9/scim/v2")
    system.created_at, system.unit_codes = service.clock.now(), '["R-SNV"]'
    async with service.db.write() as tx:
        tx.add(system)
    await approve(service, request, number)
    held = refused(await begin(service, phone, old), 409, "join_conflict")
    assert held["conflicts"] == ["undo"], "a decision that may be taken back is not carried away"
    service.pass_time(seconds=61)
    assert (await prove(service, phone, old)).status_code == 200
    (role,) = (await phone.call("GET", "/v1/me")).json()["roles"]
    assert (role["unit_code"], role["state"]) == ("R-SNV", "active")
    async with service.db.read() as tx:
        told = {
            row.account_id: row
            for row in await tx.scalars(
                select(Delivery).where(Delivery.system_id == system.id).order_by(Delivery.version)
            )
        }
        versions = dict((await tx.execute(select(Account.id, Account.role_version))).all())
    assert told[goes].lane == REVOCATION and told[goes].version == versions[goes]
    assert told[stays].version == versions[stays]
    async with service.db.write() as tx:
        await tx.execute(update(System).where(System.id == system.id).values(disabled_at=service.clock.now()))


async def test_r26_two_home_roles_stand_in_the_way(service: Service) -> None:
    number = await a_province(service)
    old, phone = await two_at_work(service)
    for one in (old.phone, phone):
        await approve(service, await asks(service, one), number)
    service.pass_time(seconds=61)
    told = refused(await begin(service, phone, old), 409, "join_conflict")
    assert told["conflicts"] == ["home_role"]


async def test_r26_what_was_asked_before_is_found_in_the_journal_when_it_is_late_after(
    service: Service,
) -> None:
    await a_province(service)
    old, phone = await two_at_work(service)
    request = UUID(await asks(service, old.phone))
    assert (await prove(service, phone, old)).status_code == 200
    await audit_places.fill(service.db)
    service.pass_time(days=1)
    async with service.db.write() as tx:
        late = update(RequestStep).where(RequestStep.request_id == request)
        await tx.execute(late.values(due_on=service.clock.now().date() - timedelta(days=2)))
        await overdue.roll(tx, service.kit, now=service.clock.now())
    await audit_places.fill(service.db)
    async with service.db.read() as tx:
        assert await tx.scalar(select(RequestStep.overdue_at).where(RequestStep.request_id == request))
        assert await unplaced(tx) == []


async def test_r26_what_the_other_account_has_said_is_this_persons_word(service: Service) -> None:
    """Otherwise the same person is the second one whom a request wants, or looks at an own proposal."""
    number = await a_province(service)
    old, phone = await two_at_work(service)
    stays, goes = await account_of(phone), await account_of(old.phone)
    request = await asks(service, await service.sign_in(service.person("Võ Thị Khác")))
    await approve(service, request, number)
    service.pass_time(seconds=61)
    async with service.db.write() as tx:
        said = update(RequestStep).where(RequestStep.request_id == UUID(request))
        await tx.execute(said.values(by=goes))
        await managers.add(tx, service.kit, "R-SNV", GIVEN, by=goes, now=service.clock.now())
    assert (await prove(service, phone, old)).status_code == 200
    await audit_places.fill(service.db)
    async with service.db.read() as tx:
        said_by = select(RequestStep.by).where(RequestStep.request_id == UUID(request))
        assert set(await tx.scalars(said_by)) == {stays}
        assert await tx.scalar(select(Appointment.by).where(Appointment.by == goes)) is None
        assert await unplaced(tx) == []
    async with service.db.write() as tx:
        await managers.remove(
            tx, service.kit, "R-SNV", GIVEN, by=None, now=service.clock.now(), leave_undecided=True
        )
