"""Whose a join is, and to whom VNeID has not vouched enough for one (R26)."""

from __future__ import annotations

from backend.account import Account
from tests.attacks.problems import refused
from tests.citizen import Citizen
from tests.mobile_api.test_joins import a_name, account_of, an_old_number, begin, items, two_accounts
from tests.service import Service


async def test_r26_a_join_that_one_account_began_is_not_another_ones_on_the_same_device(
    service: Service,
) -> None:
    """Whoever signs in next on this phone has the same key, and here the same name and birth date too."""
    old, phone = await two_accounts(service)
    begun = await begin(service, phone, old)
    at, code = f"/v1/me/joins/{begun.json()['id']}/otp", await old.code()
    await service.sign_in(service.person(old.person.full_name), phone)
    assert len(await items(phone, "/v1/me/joins")) == 1, "a candidate of the next one as well"
    refused(await phone.call("POST", at, {"code": code}), 404, "flow_not_found")
    refused(await phone.call("POST", f"{at}/resend", {}), 404, "flow_not_found")
    assert (await old.phone.call("GET", "/v1/me")).status_code == 200


async def test_r26_whom_vneid_knows_at_level_1_only_has_no_candidate(service: Service) -> None:
    """VNeID states number, name and birth date of whoever has level 1, and has seen no paper of theirs."""
    old = await Citizen.new(service, full_name=a_name(), national_id=an_old_number()).register()
    phone = await service.sign_in(service.person(old.person.full_name, level=1))
    async with service.db.read() as tx:
        found = await tx.get_one(Account, await account_of(phone))
        assert (found.vouched_by, found.vneid_at) == ("vneid", None)
    assert await items(phone, "/v1/me/joins") == []
    assert "same_person" not in {one["kind"] for one in await items(phone, "/v1/notices")}
