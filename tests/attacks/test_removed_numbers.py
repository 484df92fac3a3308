"""A number that is taken away is told so, and the one that codes go to from then on makes a careful day (TC01, TC04)."""

from __future__ import annotations

from tests.attacks.problems import refused
from tests.attacks.ways import sent
from tests.citizen import Citizen
from tests.mobile_api.test_recoveries import officer, recover
from tests.mobile_api.test_self_methods import METHODS
from tests.service import Service


async def two_numbers(service: Service) -> tuple[Citizen, dict[str, str]]:
    """Somebody with a second number, and the ways in of both by how they end."""
    citizen = await Citizen.new(service).register()
    second = await citizen.second_number()
    items = (await citizen.phone.call("GET", METHODS)).json()["items"]
    return citizen, {row["label"][-3:]: row["id"] for row in items if row["type"] == "phone"} | {"": second}


async def test_tc04_whoever_adds_a_number_and_removes_the_main_one_changes_no_number_in_silence(
    service: Service,
) -> None:
    """No registry names them, so what a change of number is followed by follows all the more."""
    citizen, numbers = await two_numbers(service)
    before = len(sent(service, citizen.number))
    gone = await citizen.phone.call("DELETE", f"{METHODS}/{numbers[citizen.number[-3:]]}")
    assert gone.status_code == 204, gone.text
    await service.settled()
    told = sent(service, citizen.number)[: len(sent(service, citizen.number)) - before]
    assert len(told) == 1 and "go khoi tai khoan" in told[0] and "19001075" in told[0]
    for method, path, body in (
        ("POST", METHODS, {"type": "phone", "phone": service.mobile_number()}),
        ("POST", "/v1/phone-changes", {"phone": service.mobile_number()}),
        ("GET", "/v1/me/export", None),
        ("DELETE", "/v1/me", None),
    ):
        answer = refused(await citizen.phone.call(method, path, body), 403, "insufficient_assurance")
        assert answer["required"]["method"] == "vneid", path


async def test_tc04_another_number_is_told_that_it_goes_and_codes_go_where_they_went(
    service: Service,
) -> None:
    citizen, numbers = await two_numbers(service)
    second = numbers[""]
    gone = await citizen.phone.call("DELETE", f"{METHODS}/{numbers[second[-3:]]}")
    assert gone.status_code == 204, gone.text
    await service.settled()
    assert "go khoi tai khoan" in sent(service, second)[0]
    assert (await citizen.phone.call("GET", "/v1/me/export")).status_code == 200


async def test_a02_a_number_that_took_the_main_ones_place_opens_no_official_mailbox_before_vneid_has_come(
    service: Service,
) -> None:
    """Whoever holds an unlocked phone for five minutes puts a number of their own there, which no registry names."""
    citizen, mail = await officer(service)
    old = (await citizen.phone.call("GET", METHODS)).json()["items"]
    number = await citizen.second_number()
    main = next(row["id"] for row in old if row["type"] == "phone")
    assert (await citizen.phone.call("DELETE", f"{METHODS}/{main}")).status_code == 204
    thief = service.phone()
    at = await recover(citizen, thief, official_email=mail)
    refused(await thief.open(f"{at}/otp", {"code": await citizen.code(number)}), 409, "use_vneid")
    service.pass_time(seconds=301)
    owner = await citizen.by_vneid()
    at = await recover(citizen, owner, official_email=mail)
    answer = await owner.open(f"{at}/otp", {"code": await citizen.code(number)})
    assert answer.json()["step"] == "password", answer.text
