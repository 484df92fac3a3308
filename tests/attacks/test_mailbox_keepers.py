"""An official mailbox is opened by whoever has it now, not by whoever had it when the code was asked for (A33)."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from backend.imports.rows import records
from backend.roles import mailboxes, managers, staff
from tests.citizen import Citizen
from tests.mobile_api.test_recoveries import NEW, connect, officer, recover
from tests.parts.directory import Directory
from tests.phone import Phone
from tests.service import Service

OLD = "Mật khẩu cũ 1!"
_box = (f"donvi{n}@hue.example" for n in itertools.count(1))


async def manager(service: Service) -> Citizen:
    """Somebody who decides for the unit of the tests, by now the only one."""
    citizen, _mail = await officer(service)
    async with service.db.write() as tx:
        kit, now = service.kit, service.clock.now()
        await managers.add(tx, kit, "THU", citizen.person.national_id, by=None, now=now)
    return citizen


async def dismiss(service: Service, citizen: Citizen) -> None:
    async with service.db.write() as tx:
        kit, now = service.kit, service.clock.now()
        await managers.remove(tx, kit, "THU", citizen.person.national_id, by=None, now=now)


async def given_to_another(service: Service, citizen: Citizen, mail: str) -> None:
    """The personnel office gives the address of one to somebody else."""
    number = citizen.person.national_id
    rows = [
        {"national_id": number, "official_email": ""},
        {"national_id": (await officer(service))[0].person.national_id, "official_email": mail},
    ]
    async with service.db.write() as tx:
        await staff.bring_in(tx, service.kit, records(rows), by=None, now=service.clock.now())


async def refused(service: Service, directory: Directory, phone: Phone, at: str, mail: str) -> None:
    answer = await phone.open(f"{at}/password", {"password": NEW})
    assert (answer.status_code, answer.json()["code"]) in {
        (404, "flow_not_found"),
        (409, "flow_step_mismatch"),
    }
    assert await asyncio.to_thread(directory.imap_sign_in, mail, OLD), "it is as it was"


@pytest.mark.parametrize("late", [False, True])
async def test_a33_whose_address_was_given_to_another_meanwhile_sets_no_password(
    service: Service, directory: Directory, late: bool
) -> None:
    citizen, mail = await officer(service)
    directory.add_mail_user(mail, OLD, name=citizen.person.full_name)
    await connect(service, directory)
    phone = service.phone()
    at = await recover(citizen, phone, official_email=mail)
    code = await citizen.code()
    if late:
        assert (await phone.open(f"{at}/otp", {"code": code})).json()["step"] == "password"
    await given_to_another(service, citizen, mail)
    if not late:
        answer = await phone.open(f"{at}/otp", {"code": code})
        assert (answer.status_code, answer.json()["code"]) == (404, "flow_not_found")
    await refused(service, directory, phone, at, mail)


async def test_a33_who_keeps_an_organisations_mailbox_no_more_sets_no_password(
    service: Service, directory: Directory
) -> None:
    citizen, box = await manager(service), next(_box)
    directory.add_mail_user(box, OLD, name="Đơn vị thử")
    await connect(service, directory)
    async with service.db.write() as tx:
        kit, now = service.kit, service.clock.now()
        await mailboxes.add(tx, kit, box, "THU", "000099000099", by=None, now=now)
    phone = service.phone()
    at = await recover(citizen, phone, official_email=box)
    assert (await phone.open(f"{at}/otp", {"code": await citizen.code()})).json()["step"] == "password"
    await dismiss(service, citizen)
    await refused(service, directory, phone, at, box)
