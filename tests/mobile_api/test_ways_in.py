"""One person, one account, whichever way they come in: VNeID beside a registration, the post office, step-up."""

from __future__ import annotations

from typing import Any

import httpx2
import msgspec

from tests.citizen import ABOUT, Citizen, fields
from tests.phone import Phone, returned
from tests.service import Service
from tests.signer import Token


async def by_post_office(citizen: Citizen, phone: Phone) -> tuple[str, httpx2.Response]:
    """A sign-in through the second provider, as far as its answer."""
    service = citizen.service
    begun = await phone.open("/v1/logins", {"method": "post_office", "device": ABOUT})
    assert begun.status_code == 201, begun.text
    url = begun.json()["authorization_url"]
    assert url.startswith(f"{service.url}/demo/post-office/")
    service.stand.other_eids.post_office.personas[citizen.person.key] = citizen.person
    answer = await service.http.get(f"{url}&prompt=none&login_hint={citizen.person.key}")
    login = str(begun.json()["id"])
    return login, await phone.bring(login, returned(answer.headers["location"]))


async def test_vneid_finds_the_account_that_was_registered_and_vouches_for_it_from_then_on(
    service: Service,
) -> None:
    citizen = await Citizen.new(service).register()
    assert citizen.done["account"]["assurance_scheme"] == "ial"
    phone = await citizen.by_vneid(service.phone())
    me = (await phone.call("GET", "/v1/me")).json()
    assert me["id"] == citizen.done["account"]["id"]
    assert (me["assurance_level"], me["assurance_scheme"]) == (2, "vneid")


async def test_what_vneid_states_otherwise_is_named_with_the_two_hotlines(service: Service) -> None:
    citizen = await Citizen.new(service, full_name="Lê Văn Hương").register()
    other = service.person("Lê Văn Hường", birth_date="1990-02-04")
    twin = msgspec.structs.replace(other, national_id=citizen.person.national_id)
    service.stand.eid.personas[twin.key] = twin
    phone = await service.sign_in(twin, service.phone())
    page = (await phone.call("GET", "/v1/me/identity")).json()
    assert page["standardization"]["state"] == "failed"
    assert page["standardization"]["fields"] == ["birth_date", "full_name"]
    assert [one["phone"] for one in page["standardization"]["hotlines"]] == ["19000368", "19001075"]
    shown = {one["name"]: (one["value"], one["state"]) for one in _rows(page)}
    assert shown["full_name"] == ("Lê Văn Hương", "unverified")
    assert (await phone.call("GET", "/v1/me")).json()["assurance_scheme"] == "ial"


def _rows(page: dict[str, Any]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = page.get("attributes") or page["items"]
    return rows


async def test_a_new_person_comes_in_by_the_post_office_and_may_ask_for_no_staff_role(
    service: Service,
) -> None:
    citizen = Citizen.new(service)
    phone = service.phone()
    login, answer = await by_post_office(citizen, phone)
    assert answer.json()["step"] == "phone", answer.text
    await phone.open(f"/v1/logins/{login}/phone", {"phone": citizen.number})
    done = await phone.open(f"/v1/logins/{login}/otp", {"code": await citizen.code()})
    phone.keep(done.json())
    assert done.json()["account"]["assurance_level"] == 2
    assert done.json()["account"]["assurance_scheme"] == "ial"
    unit = (await phone.call("GET", "/v1/units")).json()["items"]
    body: dict[str, Any] = {
        "kind": "register",
        "subject_type": "cong_chuc",
        "unit": unit[0]["code"] if unit else "X",
        "position": "chuyen_vien",
        "fields": {},
    }
    refused = await phone.call("POST", "/v1/role-requests", body)
    assert refused.status_code == 403 and refused.json()["code"] == "post_office_not_for_staff"


async def test_an_organisations_account_registers_no_role(service: Service) -> None:
    phone = service.phone()
    token = await Token.issued(
        service, "agency", f"000.00.18.G{service.person().national_id[-5:]}", "Sở Thử nghiệm"
    )
    _, done = await token.register(phone, "agency")
    assert done is not None and done.status_code == 200, done
    body: dict[str, Any] = {
        "kind": "register",
        "subject_type": "cong_chuc",
        "unit": "X",
        "position": "chuyen_vien",
        "fields": {},
    }
    refused = await phone.call("POST", "/v1/role-requests", body)
    assert (refused.status_code, refused.json()["code"]) == (403, "people_only")


async def test_the_post_office_is_never_linked_by_number(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    _, answer = await by_post_office(citizen, service.phone())
    assert answer.status_code == 409 and answer.json()["code"] == "link_required"


async def test_step_up_needs_the_same_person_and_a_session(service: Service) -> None:
    citizen, stranger = await Citizen.new(service).register(), service.person("Kẻ Lạ")
    alone = await service.phone().open("/v1/logins", {"method": "vneid", "step_up": True})
    assert alone.status_code == 401
    begun = await citizen.phone.call("POST", "/v1/logins", {"method": "vneid", "step_up": True})
    back = await service.consent(begun.json()["authorization_url"], stranger)
    refused = await citizen.phone.open(f"/v1/logins/{begun.json()['id']}/authorize", back)
    assert refused.status_code == 403 and refused.json()["code"] == "login_refused"
    assert (await citizen.phone.call("GET", "/v1/me")).status_code == 200, "the session is what it was"
    odd = await citizen.phone.call("POST", "/v1/logins", {"method": "post_office", "step_up": True})
    assert fields(odd) == {("method", "invalid")}


async def test_the_whole_address_that_the_provider_called_is_taken_too(service: Service) -> None:
    person, phone = service.person(), service.phone()
    begun = await phone.begin()
    answer = await service.http.get(f"{begun['authorization_url']}&prompt=none&login_hint={person.key}")
    at = f"/v1/logins/{begun['id']}/authorize"
    both = await phone.open(at, {"callback_url": answer.headers["location"], "state": "x"})
    assert fields(both) == {("state", "unknown")}
    taken = await phone.open(at, {"callback_url": answer.headers["location"]})
    assert taken.json()["step"] == "phone", taken.text


async def test_a25_a_step_up_whose_answer_was_lost_has_the_grace_of_a_lost_refresh(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    old = dict(citizen.phone.session)
    await citizen.step_up()
    answered = dict(citizen.phone.session)
    service.pass_time(seconds=20)
    found: dict[str, Any] = {}
    for _ in range(2):  # and this answer may be lost too
        answer = await citizen.phone.open("/v1/token", {"refresh_token": old["refresh_token"]})
        assert answer.status_code == 200, answer.text
        found = answer.json()["session"]
        names = ("access_token", "refresh_token", "session_id")
        assert [found[name] for name in names] == [answered[name] for name in names], "the same as was lost"
    citizen.phone.session = found
    assert (await citizen.phone.call("GET", "/v1/me")).status_code == 200
    await citizen.refresh()
    again = await citizen.phone.open("/v1/token", {"refresh_token": old["refresh_token"]})
    assert again.status_code == 401, "what came after it was used: nothing was lost"
    assert again.json()["code"] == "session_revoked"


async def test_a25_the_grace_is_for_the_same_key_and_for_half_a_minute(service: Service) -> None:
    for late in (True, False):
        citizen = await Citizen.new(service).register()
        old = citizen.phone.session["refresh_token"]
        await citizen.step_up()
        if late:
            service.pass_time(seconds=31)
        phone = citizen.phone if late else service.phone()
        answer = await phone.open("/v1/token", {"refresh_token": old})
        assert answer.status_code == 401 and answer.json()["code"] == "session_revoked"
