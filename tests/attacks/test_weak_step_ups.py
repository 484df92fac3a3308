"""A step-up is as strong as what the e-ID has answered: level 1 makes no old sign-in of level 2 new (A10, A11)."""

from __future__ import annotations

from uuid import UUID

from backend.devices.models import Session
from tests.attacks.problems import refused
from tests.attacks.test_freshness import EXPORT, stronger
from tests.citizen import Citizen
from tests.mobile_api.screens import at, picks
from tests.mobile_api.test_self_methods import METHODS
from tests.service import Service
from tests.signer import facts


async def test_a10_an_answer_of_level_1_makes_no_sign_in_of_level_2_new(service: Service) -> None:
    person = service.person()
    phone = await service.sign_in(person)
    service.pass_time(seconds=601)
    again = await phone.open("/v1/token", {"refresh_token": phone.session["refresh_token"]})
    phone.session = again.json()["session"]
    body = refused(await stronger(service, phone, person, "level_1"), 403, "insufficient_assurance")
    assert body["required"] == {"level": 2, "method": "vneid"}
    refused(await phone.call("GET", EXPORT), 403, "insufficient_assurance")
    assert (await facts(service, "login.refused"))[-1]["reason"] == "insufficient_assurance"
    answer = await stronger(service, phone, person)
    assert answer.status_code == 200, "the session is as it was"
    phone.keep(answer.json())
    assert (await phone.call("GET", EXPORT)).status_code == 200


async def test_a11_a_password_and_vneid_of_level_1_are_no_vneid_of_level_2(service: Service) -> None:
    """Whoever opened an account with somebody's data links an e-ID that only states the number, and steps up by it."""
    citizen = await Citizen.new(service).register()
    phone = citizen.phone
    begun = (await phone.call("POST", METHODS, {"type": "vneid"})).json()
    service.stand.eid.next_fault = "level_1"
    back = await service.consent(begun["authorization_url"], citizen.person)
    linked = await phone.call("POST", f"{METHODS}/{begun['id']}/authorize", back)
    assert linked.status_code == 200, linked.text
    refused(await stronger(service, phone, citizen.person, "level_1"), 403, "insufficient_assurance")
    async with service.db.read() as tx:
        row = await tx.get_one(Session, UUID(phone.session["session_id"]))
        assert (row.method, row.assurance_level) == ("password", 2)
    async with at(service) as screen:
        refused(await phone.call("GET", f"/v1/workspace-logins/{screen.id}"), 403, "insufficient_assurance")
        refused(await picks(phone, screen, screen.number), 403, "insufficient_assurance")
        assert not await screen.is_in()
