"""What leaked data and a SIM do not get: the directory, a role, an official mailbox, a first password (A02, A06, R30)."""

from __future__ import annotations

import itertools
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from backend.account import Account
from backend.accounts.models import Password
from backend.imports.rows import records
from backend.roles import staff, units
from backend.roles.models import Unit
from tests.attacks.problems import refused
from tests.attacks.ways import bring, sent
from tests.catalogues import certificates_count, of_this_test
from tests.citizen import Citizen
from tests.mobile_api.test_roles import a_province, approve
from tests.phone import Phone
from tests.service import Service
from tests.signer import Token

_mail = (f"chuc{n}@vouched.example" for n in itertools.count(1))
UNIT = {
    "code": "VOUCH",
    "name": "Đơn vị xác thực",
    "parent_code": "",
    "agency_code": "",
    "kind": "department",
}
ASKED: dict[str, Any] = {
    "kind": "register", "subject_type": "cong_chuc", "position": "chuyen_vien", "unit": "VOUCH", "fields": {},
}  # fmt: skip
NEW = "Mật khẩu mới 2026!"


async def listed(service: Service, citizen: Citizen, phone: str = "") -> str:
    """Put somebody into the staff directory; the official address."""
    mail, now, person = next(_mail), service.clock.now(), citizen.person
    line = {
        "national_id": person.national_id, "full_name": person.full_name, "birth_date": person.birth_date,
        "unit_code": "VOUCH", "subject_type": "cong_chuc", "position": "chuyen_vien", "employee_code": "",
        "official_email": mail, "phone": phone,
    }  # fmt: skip
    async with service.db.write() as tx:
        if await tx.scalar(select(Unit.id).where(Unit.code == "VOUCH")) is None:
            await units.bring_in(tx, service.kit, records([UNIT]), by=None, now=now)
        await staff.bring_in(tx, service.kit, records([line]), by=None, now=now)
    return mail


async def by_leaked_data(service: Service) -> tuple[Citizen, Citizen]:
    """An officer who has no account, and a stranger who opened one in their name by social insurance."""
    officer, stranger = Citizen.new(service), Citizen.new(service)
    number = f"0000{officer.person.national_id[-6:]}"
    officer.insure(number)
    stranger.person = officer.person
    await stranger.register(method="social_insurance", social_insurance_number=number)
    return officer, stranger


def wants_vneid(answer: Any) -> None:
    problem = refused(answer, 403, "insufficient_assurance")
    assert problem["required"] == {"method": "vneid", "level": 2}


async def test_a02_leaked_data_read_nothing_in_the_directory_and_ask_for_no_role(service: Service) -> None:
    officer, stranger = await by_leaked_data(service)
    unlisted = refused(await stranger.phone.call("GET", "/v1/role-prefill"), 403, "insufficient_assurance")
    mail = await listed(service, officer)
    answer = await stranger.phone.call("GET", "/v1/role-prefill")
    wants_vneid(answer)
    assert mail not in answer.text and unlisted["required"] == answer.json()["required"]
    wants_vneid(await stranger.phone.call("POST", "/v1/role-requests", ASKED))
    assert (await stranger.phone.call("GET", "/v1/role-requests")).json()["items"] == []


@pytest.mark.parametrize("directory_has_a_phone", [True, False])
async def test_a02_the_code_of_an_official_mail_never_goes_to_a_strangers_phone(
    service: Service, directory_has_a_phone: bool
) -> None:
    officer, stranger = await by_leaked_data(service)
    theirs = service.mobile_number()
    mail = await listed(service, officer, theirs if directory_has_a_phone else "")
    before = len(sent(service, stranger.number))
    assert (await service.phone().open("/v1/recoveries", {"official_email": mail})).status_code == 201
    await service.settled()
    assert len(sent(service, stranger.number)) == before
    assert len(sent(service, theirs)) == int(directory_has_a_phone), "the number that the directory names"


async def test_a02_the_code_of_an_official_mail_goes_to_the_phone_of_a_vouched_person(
    service: Service,
) -> None:
    officer = await Citizen.new(service).register()
    await officer.step_up()
    service.pass_time(seconds=61)
    mail = await listed(service, officer, service.mobile_number())
    before = len(sent(service, officer.number))
    assert (await service.phone().open("/v1/recoveries", {"official_email": mail})).status_code == 201
    await service.settled()
    assert len(sent(service, officer.number)) == before + 1


async def test_r30_a_step_up_by_vneid_is_the_remedy(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    await listed(service, citizen)
    wants_vneid(await citizen.phone.call("POST", "/v1/role-requests", ASKED))
    await citizen.step_up()
    assert (await citizen.phone.call("GET", "/v1/role-prefill")).status_code == 200
    made = await citizen.phone.call("POST", "/v1/role-requests", ASKED)
    assert made.status_code == 201, made.text


async def test_r30_a_certificate_counts_where_the_catalogue_says_so(
    service: Service,
) -> None:
    person, phone = Citizen.new(service), service.phone()
    await listed(service, person)
    token = await Token.issued(service, "citizen", person.person.national_id, person.person.full_name)
    await token.register(phone, "citizen")
    assert (await phone.call("GET", "/v1/role-prefill")).status_code == 200
    wants_vneid(await phone.call("POST", "/v1/role-requests", ASKED))
    kinds = (await phone.call("GET", "/v1/subject-types")).json()["items"]
    assert {tuple(kind["vouched_by"]) for kind in kinds} == {("vneid",)}

    async with of_this_test(service.db, certificates_count()):
        made = await phone.call("POST", "/v1/role-requests", ASKED)
    assert made.status_code == 201, made.text


async def password_of(service: Service, phone: Phone) -> Password | None:
    account = UUID((await phone.call("GET", "/v1/me")).json()["id"])
    async with service.db.read() as tx:
        return await tx.get(Password, account)


async def test_a06_sim_and_card_set_no_first_password(service: Service) -> None:
    owner = Citizen.new(service)
    phone = await owner.by_vneid()
    owner.number = "0" + next(
        one.to for one in service.inbox.sms if one.to.startswith("+84550")
    ).removeprefix("+84")
    owner.subscribe(owner.number)
    service.pass_time(seconds=61)
    usual = await Citizen.new(service).register()
    service.pass_time(seconds=61)
    ways = [await bring("recovery", one) for one in (owner, usual)]
    answers = [await way.guess(way.wrong(1)[0]) for way in ways]
    assert answers[0].status_code == answers[1].status_code == 422, "nothing differs before the right code"
    refused(await ways[0].guess(ways[0].code), 409, "use_vneid")
    refused(await ways[0].post("password", {"password": NEW}), 409, "flow_step_mismatch")
    assert (await ways[1].guess(ways[1].code)).status_code == 200
    assert await password_of(service, phone) is None
    assert (await phone.call("GET", "/v1/me")).status_code == 200, "and nobody is signed out by it"


async def a_role(service: Service, citizen: Citizen) -> None:
    """A role in force."""
    boss = await a_province(service)
    made = await citizen.phone.call("POST", "/v1/role-requests", ASKED | {"unit": "R-SNV"})
    assert made.status_code == 201, made.text
    await approve(service, made.json()["id"], boss)


@pytest.mark.parametrize("when", ["before", "after the right code"])
async def test_a06_a_holder_of_a_role_recovers_by_vneid_only(service: Service, when: str) -> None:
    citizen = await Citizen.new(service).register()
    await citizen.step_up()
    if when == "before":
        await a_role(service, citizen)
        way = await bring("recovery", citizen)
        refused(await way.guess(way.code), 409, "use_vneid")
    else:
        way = await bring("recovery", citizen)
        assert (await way.guess(way.code)).status_code == 200
        await a_role(service, citizen)
        refused(await way.post("password", {"password": NEW}), 409, "use_vneid")
    service.pass_time(seconds=61)
    await citizen.sign_in(service.phone())


async def test_a06_for_a_day_after_a_recovery_nothing_goes_without_vneid(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    way = await bring("recovery", citizen)
    assert (await way.guess(way.code)).status_code == 200
    assert (await way.post("password", {"password": NEW})).status_code == 200
    service.pass_time(seconds=61)
    citizen.password = NEW
    phone = citizen.phone = await citizen.sign_in(service.phone())
    rows = (await phone.call("GET", "/v1/me/auth-methods")).json()["items"]
    acts = [
        ("GET", "/v1/me/export"),
        ("DELETE", "/v1/me"),
        ("DELETE", f"/v1/me/auth-methods/{rows[0]['id']}"),
    ]
    for method, path in acts:
        problem = refused(await phone.call(method, path), 403, "insufficient_assurance")
        assert problem["required"]["method"] == "vneid", path
    await citizen.step_up()
    assert (await phone.call("GET", "/v1/me/export")).status_code == 200, "after VNeID"
    other = await Citizen.new(service).register()
    way = await bring("recovery", other)
    assert (await way.guess(way.code)).status_code == 200
    assert (await way.post("password", {"password": NEW})).status_code == 200
    service.pass_time(days=1, seconds=1)
    other.password = NEW
    later = await other.sign_in(service.phone())
    assert (await later.call("GET", "/v1/me/export")).status_code == 200, "after a day"
    async with service.db.read() as tx:
        account = await tx.get_one(Account, UUID(other.done["account"]["id"]))
        assert account.recovered_at is not None
