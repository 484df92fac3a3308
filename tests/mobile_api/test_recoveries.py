"""Getting a password back: the account's by number, the official mail's by address (sources 001, 2.1 and 000, 2)."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from sqlalchemy import func, select

from backend.account import Account
from backend.accounts.identity import numbers
from backend.devices import takeover
from backend.imports.rows import records
from backend.outbox import systems
from backend.outbox.models import System
from backend.roles import desired, staff, units
from backend.roles.models import Unit
from demo.registries import Mood
from tests.citizen import Citizen, bare, fields
from tests.parts.directory import Directory
from tests.phone import Phone
from tests.service import Service

_mail = (f"can.bo{n}@hue.example" for n in itertools.count(1))
NEW = "Vỹ Dạ thôn 1932!"


async def recover(citizen: Citizen, phone: Phone, **body: str) -> str:
    """Begin; the address of the flow."""
    asked = body or {"national_id": citizen.person.national_id}
    answer = await phone.open("/v1/recoveries", asked)
    assert answer.status_code == 201, answer.text
    return f"/v1/recoveries/{answer.json()['id']}"


async def test_a_forgotten_password_is_replaced_and_everybody_is_out(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    phone = service.phone()
    at = await recover(citizen, phone)
    early = await phone.open(f"{at}/password", {"password": NEW})
    assert early.status_code == 409 and early.json()["step"] == "otp"
    coded = await phone.open(f"{at}/otp", {"code": await citizen.code()})
    assert coded.status_code == 200 and coded.json()["step"] == "password"
    done = await phone.open(f"{at}/password", {"password": NEW})
    assert done.status_code == 200 and done.json() == {"id": at.rsplit("/", 1)[1], "step": "done"}
    old = await citizen.phone.call("GET", "/v1/me")
    assert old.status_code == 401 and old.json()["code"] == "session_revoked"
    service.pass_time(seconds=61)
    assert (await citizen.knock(service.phone())).status_code == 401, "the old password is no more"
    citizen.password = NEW
    await citizen.sign_in(phone)
    kinds = [one["kind"] for one in (await phone.call("GET", "/v1/notices")).json()["items"]]
    assert "recovery_done" in kinds


async def test_a_code_that_could_not_leave_at_once_leaves_a_little_later(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    phone, before = service.phone(), len(service.inbox.sms)
    service.inbox.sms_down = True
    try:
        at = await recover(citizen, phone)
        await service.settled()
    finally:
        service.inbox.sms_down = False
    async with asyncio.timeout(15):
        while len(service.inbox.sms) == before:
            await asyncio.sleep(0.1)
    assert (await phone.open(f"{at}/otp", {"code": await citizen.code()})).status_code == 200


async def test_tp01_a_recovery_is_done_once_also_many_times_at_once(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    phone = service.phone()
    at = await recover(citizen, phone)
    await phone.open(f"{at}/otp", {"code": await citizen.code()})
    answers = await asyncio.gather(
        *(phone.open(f"{at}/password", {"password": f"{NEW}{n}"}) for n in range(8))
    )
    assert sorted(one.status_code for one in answers) == [200] + [409] * 7


async def test_tp03_flows_that_were_half_way_are_over_with_it(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    attacker = service.phone()
    waiting = (await citizen.knock(attacker)).json()
    code = await citizen.code()
    service.pass_time(seconds=61)
    phone = service.phone()
    at = await recover(citizen, phone)
    await phone.open(f"{at}/otp", {"code": await citizen.code()})
    assert (await phone.open(f"{at}/password", {"password": NEW})).status_code == 200
    late = await attacker.open(f"/v1/logins/{waiting['id']}/otp", {"code": code})
    assert late.status_code == 404 and late.json()["code"] == "flow_not_found"


async def test_to14_nobody_learns_who_has_an_account(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    phone, unknown = service.phone(), service.phone()
    known = await phone.open("/v1/recoveries", {"national_id": citizen.person.national_id})
    nobody = await unknown.open("/v1/recoveries", {"national_id": "000098765499"})
    assert known.status_code == 201 and bare(known) == bare(nobody)
    assert "sent_to" not in known.json()
    for kind in ("otp", "otp/resend"):
        body = {"code": "123456"} if kind == "otp" else {}
        one = await phone.open(f"/v1/recoveries/{known.json()['id']}/{kind}", body)
        other = await unknown.open(f"/v1/recoveries/{nobody.json()['id']}/{kind}", body)
        assert bare(one) == bare(other), kind
    again = [
        bare(await one.open("/v1/recoveries", {"national_id": number}))
        for one, number in ((phone, citizen.person.national_id), (unknown, "000098765499"))
    ]
    assert again[0] == again[1] and again[0][0] == 429


async def test_three_guesses_are_all(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    phone = service.phone()
    at = await recover(citizen, phone)
    right = await citizen.code()
    wrong = "000000" if right != "000000" else "111111"
    left = [(await phone.open(f"{at}/otp", {"code": wrong})).json()["attempts_left"] for _ in range(3)]
    assert left == [2, 1, 0]
    assert (await phone.open(f"{at}/otp", {"code": right})).json()["code"] == "otp_exhausted"


async def test_tc06_a_recycled_number_recovers_nothing(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    citizen.subscribe(citizen.number, national_id="000077777777", full_name="Chủ Mới")
    phone = service.phone()
    at = await recover(citizen, phone)
    answer = await phone.open(f"{at}/otp", {"code": await citizen.code()})
    assert answer.status_code == 403 and answer.json()["code"] == "recovery_refused"
    assert (await phone.open(f"{at}/password", {"password": NEW})).status_code == 409
    service.pass_time(seconds=61)
    before = len(service.inbox.sms)
    await recover(citizen, phone)
    await service.settled()
    assert len(service.inbox.sms) == before, "frozen until a person has looked"
    async with service.db.write() as tx:
        holder = await numbers.holder_of(tx, service.kit, citizen.person.national_id)
        account = await tx.scalar(select(Account).where(Account.id == holder))
        assert account is not None and account.recovery_frozen_at is not None
        await takeover.thaw(tx, service.kit, account.id, now=service.clock.now())
        with pytest.raises(takeover.NotFrozen):
            await takeover.thaw(tx, service.kit, account.id, now=service.clock.now())
    citizen.subscribe(citizen.number)
    service.pass_time(seconds=61)
    again = await recover(citizen, phone)
    await service.settled()
    await phone.open(f"{again}/otp", {"code": await citizen.code()})
    assert (await phone.open(f"{again}/password", {"password": NEW})).json()["step"] == "done"


async def test_while_the_registry_cannot_say_the_right_code_stays_right(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    phone = service.phone()
    at = await recover(citizen, phone)
    code = await citizen.code()
    service.stand.registries.moods["subscribers"] = Mood.DOWN
    try:
        answers = [await phone.open(f"{at}/otp", {"code": code}) for _ in range(4)]
    finally:
        service.stand.registries.moods["subscribers"] = Mood.WELL
    assert {one.json()["code"] for one in answers} == {"registry_unavailable"}
    assert (await phone.open(f"{at}/otp", {"code": code})).json()["step"] == "password"


async def test_tp04_the_flow_of_one_person_opens_nothing_of_another(service: Service) -> None:
    one, other = await Citizen.new(service).register(), await Citizen.new(service).register()
    phone = service.phone()
    mine = await recover(one, phone)
    theirs = await recover(other, service.phone())
    code = await one.code()
    crossed = await phone.open(f"{theirs}/otp", {"code": code})
    assert crossed.status_code == 404
    assert (await phone.open(f"{mine}/otp", {"code": code})).status_code == 200


async def test_bad_bodies_are_named(service: Service) -> None:
    phone = service.phone()
    assert fields(await phone.open("/v1/recoveries", {})) == {("national_id", "missing")}
    both = {"national_id": "000098765432", "official_email": "a@hue.example"}
    assert fields(await phone.open("/v1/recoveries", both)) == {("national_id", "missing")}
    assert fields(await phone.open("/v1/recoveries", {"national_id": "x!"})) == {("national_id", "invalid")}
    odd = await phone.open("/v1/recoveries", {"official_email": "khong phai thu"})
    assert fields(odd) == {("official_email", "bad_email")}


async def officer(service: Service) -> tuple[Citizen, str]:
    """Somebody of the staff directory with an official address and an account."""
    citizen = Citizen.new(service)
    await citizen.by_vneid()
    service.pass_time(seconds=61)
    citizen.number = "0" + next(
        one.to for one in service.inbox.sms if one.to.startswith("+84550")
    ).removeprefix("+84")
    mail = next(_mail)
    async with service.db.write() as tx:
        if not await tx.scalar(select(func.count(Unit.id)).where(Unit.code == "THU")):
            row = {
                "code": "THU",
                "name": "Đơn vị thử",
                "parent_code": "",
                "agency_code": "",
                "kind": "department",
            }
            await units.bring_in(tx, service.kit, records([row]), by=None, now=service.clock.now())
        line = {
            "national_id": citizen.person.national_id,
            "full_name": citizen.person.full_name,
            "birth_date": citizen.person.birth_date,
            "unit_code": "THU",
            "subject_type": "cong_chuc",
            "position": "chuyen_vien",
            "employee_code": "",
            "official_email": mail,
            "phone": "",
        }
        await staff.bring_in(tx, service.kit, records([line]), by=None, now=service.clock.now())
    return citizen, mail


async def disconnect(service: Service) -> None:
    """No directory keeps the mail passwords: one that an earlier test connected no longer does."""
    async with service.db.write() as tx:
        for row in await tx.scalars(select(System).where(System.keeps_mail)):
            row.keeps_mail, row.disabled_at = False, service.clock.now()


async def connect(service: Service, directory: Directory) -> None:
    """The one directory that keeps the mail passwords."""
    await disconnect(service)
    async with service.db.write() as tx:
        await systems.add(
            tx,
            service.kit,
            name=f"Thư công vụ {directory.url.rpartition('/')[2]}",
            kind="ldap",
            url=directory.url,
            token=directory.password,
            unit_codes=[],
            people=desired.people_in_scope,
            by=None,
            now=service.clock.now(),
            options=directory.options,
            keeps_mail=True,
        )


async def test_the_official_mail_password_is_set_in_the_directory_and_signs_in_by_imap(
    service: Service, directory: Directory
) -> None:
    citizen, mail = await officer(service)
    directory.add_mail_user(mail, "Mật khẩu cũ 1!", name=citizen.person.full_name)
    await connect(service, directory)
    phone = service.phone()
    at = await recover(citizen, phone, official_email=mail.upper())
    coded = await phone.open(f"{at}/otp", {"code": await citizen.code()})
    assert coded.json()["step"] == "password", coded.text
    assert await asyncio.to_thread(directory.imap_sign_in, mail, "Mật khẩu cũ 1!")
    done = await phone.open(f"{at}/password", {"password": NEW})
    assert done.json()["step"] == "done", done.text
    assert await asyncio.to_thread(directory.imap_sign_in, mail, NEW)
    assert not await asyncio.to_thread(directory.imap_sign_in, mail, "Mật khẩu cũ 1!")
    mine = await citizen.phone.call("GET", "/v1/me")
    assert mine.status_code == 200, "the account itself has changed in nothing"


async def test_a_directory_out_of_reach_keeps_the_step_due(service: Service, directory: Directory) -> None:
    citizen, mail = await officer(service)
    directory.add_mail_user(mail, "Mật khẩu cũ 1!", name=citizen.person.full_name)
    await connect(service, directory)
    phone = service.phone()
    at = await recover(citizen, phone, official_email=mail)
    await phone.open(f"{at}/otp", {"code": await citizen.code()})
    directory.ldap_down()
    try:
        down = await phone.open(f"{at}/password", {"password": NEW})
    finally:
        directory.ldap_up()
    assert down.status_code == 503 and down.json()["code"] == "mail_directory_unavailable"
    assert (await phone.open(f"{at}/password", {"password": NEW})).json()["step"] == "done"
    assert await asyncio.to_thread(directory.imap_sign_in, mail, NEW)


async def test_to08_mail_codes_are_five_minutes_apart_and_two_in_any_day(service: Service) -> None:
    _, mail = await officer(service)
    for address in (mail, "khong.co@hue.example"):
        seen = []
        for wait in (0, 200, 120, 400, 86_400):
            service.pass_time(seconds=wait)
            answer = await service.phone().open("/v1/recoveries", {"official_email": address})
            seen.append((answer.status_code, "retry-after" in answer.headers))
        assert seen == [(201, False), (429, True), (201, False), (429, True), (201, False)], address
