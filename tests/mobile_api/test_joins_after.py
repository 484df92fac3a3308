"""What was one account's before it was taken over is the person's afterwards, wherever it is asked for (R26)."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from uuid import UUID

import pytest
from sqlalchemy import select, update

from backend.accounts.identity.absorbing import GONE
from backend.accounts.identity.numbers import holder_of
from backend.db import new_id
from backend.facts import Delivered
from backend.imports.rows import records
from backend.journal import Entry
from backend.roles import audit, audit_places, dossier, managers, units
from backend.roles.audit_wanted import Wanted
from backend.roles.models import RequestStep, RoleRequest
from backend.roles.owed import owed
from backend.roles.reorganising import plan as planning
from backend.roles.reorganising import retelling, reversing, running
from backend.support.models import NameProposal
from tests.citizen import Citizen
from tests.mobile_api.test_joins import account_of, items, known_by_vneid, prove
from tests.mobile_api.test_joins_at_work import asks, two_at_work
from tests.mobile_api.test_roles import a_province, approve, body
from tests.phone import Phone
from tests.placed import unplaced
from tests.service import Service

_units = count(1)


def quiet(_done: int, _every: int) -> None:
    """Nobody looks on."""


async def verified(service: Service) -> str | None:
    async with service.db.read() as tx:
        _, trouble = await service.kit.journal.verify(tx, witness=await owed(tx))
    return trouble


async def employed(service: Service) -> tuple[Citizen, Phone, str]:
    """Two accounts of one person, of which the old one has a role; the manager's number."""
    number = await a_province(service)
    old, phone = await two_at_work(service)
    await approve(service, await asks(service, old.phone), number)
    service.pass_time(seconds=61)
    return old, phone, number


async def test_r26_the_journal_is_whole_when_a_reorganisation_is_taken_back_after_a_join(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The entry that ended the role is of the closed account, the one that revived it of the other."""
    for module in (running, reversing, retelling):
        monkeypatch.setattr(module, "PAUSE", 0)
    number = await a_province(service)
    kit, now, nth = service.kit, service.clock.now(), next(_units)
    mine = [
        {
            "code": f"X{nth}-{end}",
            "name": f"Phòng {nth} {end}",
            "parent_code": "R-HUE",
            "agency_code": "",
            "kind": "so",
        }
        for end in "AB"
    ]
    async with service.db.write() as tx:
        await units.bring_in(tx, kit, records(mine), by=None, now=now)
        await managers.add(tx, kit, f"X{nth}-A", number, by=None, now=now)
    old, phone = await two_at_work(service)
    asked = await old.phone.call("POST", "/v1/role-requests", body(unit=f"X{nth}-A"))
    await approve(service, asked.json()["id"], number)
    service.pass_time(seconds=61)
    now, run = service.clock.now(), new_id()
    acts = [{"action": "merge", "unit_code": f"X{nth}-A", "target_code": f"X{nth}-B"}]
    async with service.db.read() as tx:
        made = await planning.make(tx, kit, records(acts), records([]), now=now)
    async with service.db.write() as tx:
        await running.begin(tx, kit, made, run, decision="12/QĐ-UBND", by=None, now=now)
    await running.go_on(service.db, kit, run, by=None, now=now, progress=quiet)
    assert (await prove(service, phone, old)).status_code == 200
    async with service.db.write() as tx:
        await reversing.begin(tx, kit, run, leave_changed=False, now=now)
    await reversing.go_on(service.db, kit, run, by=None, now=now, progress=quiet)
    held = (await phone.call("GET", "/v1/me")).json()["roles"]
    assert [one["unit_code"] for one in held if one["state"] == "active"] == [f"X{nth}-A"]
    assert await verified(service) is None
    async with service.db.write() as tx:
        await managers.remove(tx, kit, f"X{nth}-A", number, by=None, now=now, leave_undecided=True)


async def test_r26_the_journal_names_the_person_where_the_closed_account_stands(service: Service) -> None:
    old, phone, number = await employed(service)
    stays, goes, now = await account_of(phone), await account_of(old.phone), service.clock.now()
    async with service.db.write() as tx:
        boss = await holder_of(tx, service.kit, number)
        assert boss is not None
    assert (await prove(service, phone, old)).status_code == 200
    for person in (None, stays):
        async with service.db.read() as tx:
            lines, _ = await audit.of_units(tx, service.kit, boss, Wanted(person=person), now=now)
        theirs = [one for one in lines if one.subject_id == goes]
        assert {str(one.fact.__struct_config__.tag) for one in theirs} >= {"role.requested", "role.begun"}
        assert {one.subject for one in theirs} == {old.person.full_name}
        assert all(one.digits for one in theirs)
        assert GONE not in {one.by for one in lines}
    async with service.db.read() as tx:
        lines, _ = await audit.of_units(tx, service.kit, boss, Wanted(actor=stays), now=now)
    assert "role.requested" in {str(one.fact.__struct_config__.tag) for one in lines if one.by_id == goes}


async def test_r26_what_systems_were_told_of_the_closed_account_is_in_the_journal_of_its_person(
    service: Service,
) -> None:
    """That it left comes after the join, and is told to whoever decides for the person now."""
    old, phone, number = await employed(service)
    goes, now = await account_of(old.phone), service.clock.now()
    assert (await prove(service, phone, old)).status_code == 200
    async with service.db.write() as tx:
        boss = await holder_of(tx, service.kit, number)
        assert boss is not None
        fact = Delivered(subject=goes, system=new_id(), version=9)
        service.kit.journal.record(tx, fact, by=None, now=now)
    for _ in range(2):
        async with service.db.read() as tx:
            lines, _ = await audit.of_units(tx, service.kit, boss, Wanted("sync"), now=now)
        assert goes in {one.subject_id for one in lines}
        await audit_places.fill(service.db)
    async with service.db.read() as tx:
        assert await unplaced(tx) == []


async def test_r26_a_copy_tells_what_the_journal_says_of_both_accounts(service: Service) -> None:
    old, phone, _ = await employed(service)
    assert (await prove(service, phone, old)).status_code == 200
    copied = (await phone.call("GET", "/v1/me/export")).json()
    assert [one["fact"] for one in copied["journal"]].count("role.requested") == 1


async def test_r26_not_me_to_a_sign_in_of_the_closed_account_takes_back_what_that_asked_for(
    service: Service,
) -> None:
    await a_province(service)
    old, phone = await two_at_work(service)
    stranger = await old.sign_in(service.phone("Máy lạ"))
    request = await asks(service, stranger)
    service.pass_time(days=1, hours=1)
    await service.sign_in(known_by_vneid(service, old), phone)
    assert (await prove(service, phone, old)).status_code == 200
    told = await items(phone, "/v1/notices")
    notice = next(one for one in reversed(told) if one["kind"] == "device_replaced")
    answer = await phone.call("POST", f"/v1/notices/{notice['id']}/deny")
    assert answer.status_code in {201, 503}, answer.text
    async with service.db.read() as tx:
        found = await tx.get_one(RoleRequest, UUID(request))
        assert (found.status, found.denied_at is not None) == ("withdrawn", True)


async def test_r26_a_word_that_was_just_said_is_still_taken_back_after_a_join(service: Service) -> None:
    """And the page of the request names the person who said it, not the closed account."""
    number = await a_province(service)
    old, phone = await two_at_work(service)
    stays, goes = await account_of(phone), await account_of(old.phone)
    request = UUID(await asks(service, await service.sign_in(service.person("Võ Thị Khác"))))
    await approve(service, str(request), number)
    async with service.db.write() as tx:
        said = update(RequestStep).where(RequestStep.request_id == request)
        await tx.execute(said.values(by=goes))
        decided = update(RoleRequest).where(RoleRequest.id == request)
        await tx.execute(decided.values(decided_by=goes, kept_by=goes))
        boss = await holder_of(tx, service.kit, number)
        assert boss is not None
    assert (await prove(service, phone, old)).status_code == 200
    async with service.db.read() as tx:
        shown = await dossier.view(tx, service.kit, request, boss, now=service.clock.now())
        found = await tx.get_one(RoleRequest, request)
    assert (shown.decided_by, shown.kept_by) == (old.person.full_name, old.person.full_name)
    assert (found.decided_by, found.kept_by) == (stays, stays)


async def test_r26_a_correction_of_the_closed_accounts_name_is_over_and_its_person_hears_so(
    service: Service,
) -> None:
    old, phone = await two_at_work(service)
    goes, stays, now = await account_of(old.phone), await account_of(phone), service.clock.now()
    async with service.db.write() as tx:
        row = NameProposal(id=new_id(), account_id=goes, version=1, proposed_by=new_id(), proposed_at=now)
        row.expires_at = now + timedelta(days=3)
        for name, text in (
            ("full_name", "Tôn Nữ Mới"),
            ("document", "civil_status 1"),
            ("grounds", "Đã xem"),
        ):
            setattr(row, name, service.kit.keys.seal(f"support_names.{name}", row.id, text))
        tx.add(row)
    assert (await prove(service, phone, old)).status_code == 200
    async with service.db.read() as tx:
        assert await tx.get(NameProposal, row.id) is None, "a document's number stays with nobody"
        kept = select(Entry.by).where(Entry.subject == goes, Entry.tag == "account.name_kept")
        assert await tx.scalar(kept) == stays
    assert "name_kept" in {one["kind"] for one in await items(phone, "/v1/notices")}
