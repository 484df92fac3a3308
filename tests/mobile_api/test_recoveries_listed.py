"""Where the code of an official mail goes to whose account has no number (source 000, 2; case R29)."""

from __future__ import annotations

from sqlalchemy import update

from backend.accounts.identity import numbers
from backend.accounts.models import Phone as Number
from backend.imports.rows import records
from backend.roles import staff
from tests.mobile_api.test_recoveries import officer, recover
from tests.service import Service


async def test_r29_an_officer_without_a_phone_gets_the_code_at_the_directorys_number_if_vneid_vouches(
    service: Service,
) -> None:
    citizen, mail = await officer(service)
    listed = service.mobile_number()
    async with service.db.write() as tx:
        account_id = await numbers.holder_of(tx, service.kit, citizen.person.national_id)
        row = {"national_id": citizen.person.national_id, "phone": listed}
        await staff.bring_in(tx, service.kit, records([row]), by=None, now=service.clock.now())
        ended = {"ended_at": service.clock.now(), "is_main": False}
        await tx.execute(update(Number).where(Number.account_id == account_id).values(**ended))
    phone = service.phone()
    at = await recover(citizen, phone, official_email=mail)
    coded = await phone.open(f"{at}/otp", {"code": await citizen.code(listed)})
    assert coded.status_code == 200 and coded.json()["step"] == "password", coded.text
