"""Whose account it is when somebody else was there first, or has the same digits (TL10, TH, account fixation)."""

from __future__ import annotations

import itertools
from typing import Any

import httpx2
import pytest

from tests.attacks.conftest import Hostile
from tests.attacks.problems import refused
from tests.attacks.ways import bring, sent
from tests.citizen import PASSWORD, Citizen
from tests.phone import Phone
from tests.service import Service
from tests.signer import Token

_insurance = (f"0000{n:06d}" for n in itertools.count(810001))
_cmnd = (f"000{n:06d}" for n in itertools.count(741001))


async def items(phone: Phone, path: str) -> list[dict[str, Any]]:
    """A list of one's own."""
    found: list[dict[str, Any]] = (await phone.call("GET", path)).json()["items"]
    return found


async def test_whoever_registered_in_ones_name_is_out_for_good_when_the_owner_comes(service: Service) -> None:
    """Fixation: leaked data open an account by social insurance on the stranger's own phone; then the owner comes."""
    owner, stranger = Citizen.new(service), Citizen.new(service)
    number = next(_insurance)
    owner.insure(number)
    stranger.person = owner.person
    await stranger.register(method="social_insurance", social_insurance_number=number)
    phone = await owner.by_vneid()  # by way of a number of their own
    refused(await stranger.phone.call("GET", "/v1/me"), 401, "session_revoked")
    told = {one["kind"]: one["can_deny"] for one in await items(phone, "/v1/notices")}
    assert told["method_added"], "the owner sees that the account was not new"
    assert {row["type"] for row in await items(phone, "/v1/me/auth-methods")} == {"phone", "vneid"}
    shown = (await phone.call("GET", "/v1/me")).json()["phones"]
    assert shown and not any(one.endswith(stranger.number[-3:]) for one in shown)
    refused(await stranger.knock(service.phone()), 401, "credentials_wrong")
    before = len(sent(service, stranger.number))
    asked = {"national_id": owner.person.national_id}
    service.pass_time(seconds=61)
    assert (await service.phone().open("/v1/recoveries", asked)).status_code == 201
    await service.settled()
    assert len(sent(service, stranger.number)) == before, "no way back for the stranger's phone either"


async def test_a_sign_in_that_waits_from_before_the_owner_came_ends_with_the_way_in(service: Service) -> None:
    owner = await Citizen.new(service).register()
    waiting = await bring("login", owner)
    phone = await owner.by_vneid(service.phone())
    rows = {row["type"]: row for row in await items(phone, "/v1/me/auth-methods")}
    assert (await phone.call("DELETE", f"/v1/me/auth-methods/{rows['password']['id']}")).status_code == 204
    refused(await waiting.guess(waiting.code), 404, "flow_not_found")


async def by_evil(hostile: Hostile, **claims: Any) -> tuple[Phone, httpx2.Response, str]:
    """Somebody whom the provider names like this, as far as its answer."""
    phone = hostile.service.phone()
    started = await phone.begin()
    back = hostile.evil.grant(started["authorization_url"], **claims)
    return phone, await phone.bring(started["id"], back), str(started["id"])


async def registered_by_cmnd(service: Service, old: str, **changes: str) -> Citizen:
    """An account whose holder the registry knows by the old nine digits only."""
    citizen = Citizen.new(service, national_id=old, **changes)
    return await citizen.register()


async def test_nine_digits_that_two_people_got_let_nobody_into_the_others_account(hostile: Hostile) -> None:
    service, old = hostile.service, next(_cmnd)
    first = await registered_by_cmnd(service, old, full_name="Trần Thị Trước")
    stated = {"old_id_number": old, "full_name": "Lê Văn Sau", "sub": f"sau-{old}"}
    number = service.person().national_id
    phone, answer, login = await by_evil(hostile, national_id=number, **stated)
    assert answer.json()["step"] == "phone", "a new person, whose account is not the one of the same digits"
    typed = service.mobile_number()
    assert (await phone.open(f"/v1/logins/{login}/phone", {"phone": typed})).status_code == 200
    done = await phone.open(f"/v1/logins/{login}/otp", {"code": service.code_for(typed)})
    assert done.status_code == 200, done.text
    assert done.json()["account"]["id"] != first.done["account"]["id"]
    assert [one["type"] for one in done.json()["account"]["identifiers"]] == ["national_id"]
    assert (await first.phone.call("GET", "/v1/me")).status_code == 200, "the first one has noticed nothing"
    again, answer, _ = await by_evil(hostile, national_id=number, **stated)
    again.keep(answer.json())
    assert answer.json()["account"]["id"] == done.json()["account"]["id"]


async def test_the_same_person_is_found_by_the_old_digits(hostile: Hostile) -> None:
    service, old = hostile.service, next(_cmnd)
    first = await registered_by_cmnd(service, old, full_name="Trần Thị Trước")
    person = first.person
    claims = {"old_id_number": old, "full_name": person.full_name, "birth_date": person.birth_date}
    number = service.person().national_id
    _, answer, _ = await by_evil(hostile, national_id=number, sub=f"truoc-{old}", **claims)
    assert answer.json()["account"]["id"] == first.done["account"]["id"], answer.text


async def test_a03_another_persons_certificate_with_the_same_nine_digits_opens_nothing(
    service: Service,
) -> None:
    old = next(_cmnd)
    _, done = await (await Token.issued(service, "citizen", old, "Trần Thị Trước")).register(
        owners := service.phone(), "citizen"
    )
    assert done is not None and done.status_code == 200
    for name in (
        "Lê Văn Sau",
        "Trần Thị Trước",
    ):  # a certificate states no birth date: the name alone is not enough
        other = await Token.issued(service, "citizen", old, name)
        refused(await other.sign_in(service.phone()), 403, "certificate_refused")
    assert (await owners.call("GET", "/v1/me")).status_code == 200, "the owner has noticed nothing"


async def test_a03_a_certificate_that_names_nine_digits_is_added_by_whoever_is_signed_in(
    service: Service,
) -> None:
    old = next(_cmnd)
    first = await registered_by_cmnd(service, old, full_name="Trần Thị Trước")
    other = await Token.issued(service, "citizen", old, "Lê Văn Sau")
    body = {"type": "certificate", "certificate": other.certificate}
    refused(await first.phone.call("POST", "/v1/me/auth-methods", body), 409, "certificate_of_another")
    token = await Token.issued(service, "citizen", old, "Trần Thị Trước")
    body = {"type": "certificate", "certificate": token.certificate}
    begun = await first.phone.call("POST", "/v1/me/auth-methods", body)
    assert begun.status_code == 201, begun.text
    signed = {
        "certificate": token.certificate,
        "signature": await token.signature(begun.json()["challenge"]),
    }
    done = await first.phone.call("POST", f"/v1/me/auth-methods/{begun.json()['id']}/sign", signed)
    assert done.status_code == 200, done.text
    assert (await token.sign_in(service.phone())).status_code == 200


async def test_a03_nine_digits_without_a_birth_date_ask_for_the_way_that_was_used_before(
    hostile: Hostile,
) -> None:
    service, old = hostile.service, next(_cmnd)
    first = await registered_by_cmnd(service, old, full_name="Trần Thị Trước")
    number = service.person().national_id
    stated = {"old_id_number": old, "full_name": "Trần Thị Trước", "birth_date": None}
    _, answer, _ = await by_evil(hostile, national_id=number, sub=f"cung-ten-{old}", **stated)
    refused(answer, 409, "link_required")
    assert (await first.phone.call("GET", "/v1/me")).status_code == 200


@pytest.mark.parametrize("opened", ["vneid", "subscriber", "certificate"])
async def test_a04_vneid_of_level_one_joins_nothing(hostile: Hostile, opened: str) -> None:
    service = hostile.service
    owner = Citizen.new(service)
    number = owner.person.national_id
    if opened == "certificate":
        token = await Token.issued(service, "citizen", number, owner.person.full_name)
        await token.register(owner.phone, "citizen")
    elif opened == "subscriber":
        await owner.register()
    else:
        _, answer, login = await by_evil(hostile, national_id=number, sub=f"own-{number}")
        assert answer.json()["step"] == "phone"
        typed = service.mobile_number()
        phone, answer, login = await by_evil(hostile, national_id=number, sub=f"own-{number}")
        await phone.open(f"/v1/logins/{login}/phone", {"phone": typed})
        done = await phone.open(f"/v1/logins/{login}/otp", {"code": service.code_for(typed)})
        owner.phone.session, owner.phone.key = phone.keep(done.json())["session"], phone.key
    _, answer, _ = await by_evil(hostile, national_id=number, sub=f"low-{number}", assurance_level=1)
    refused(answer, 409, "link_required")
    assert (await owner.phone.call("GET", "/v1/me")).status_code == 200, "nobody was pushed out"
    if opened == "certificate":  # level 3: VNeID of level 2 does not join it either, the holder adds it
        _, answer, _ = await by_evil(hostile, national_id=number, sub=f"mid-{number}", assurance_level=2)
        refused(answer, 409, "link_required")


async def test_a04_vneid_of_level_one_opens_an_account_of_level_one_where_none_is(hostile: Hostile) -> None:
    service, number = hostile.service, hostile.service.person().national_id
    phone, answer, login = await by_evil(hostile, national_id=number, sub=f"one-{number}", assurance_level=1)
    typed = service.mobile_number()
    assert (await phone.open(f"/v1/logins/{login}/phone", {"phone": typed})).status_code == 200
    done = await phone.open(f"/v1/logins/{login}/otp", {"code": service.code_for(typed)})
    assert phone.keep(done.json())["account"]["assurance_level"] == 1
    _, answer, _ = await by_evil(hostile, national_id=number, sub=f"two-{number}", assurance_level=2)
    assert answer.json()["step"] == "phone", "the owner, whom nobody's earlier number concerns"
    refused(await phone.call("GET", "/v1/me"), 401, "session_revoked")


async def test_digits_of_another_kind_take_nobodys_sign_in_or_recovery_away(service: Service) -> None:
    """An agency whose code is the very number of a citizen: the citizen is meant by it, as before."""
    citizen = await Citizen.new(service).register()
    token = await Token.issued(service, "agency", citizen.person.national_id, "Sở Trùng Số")
    _, done = await token.register(service.phone(), "agency", email="trung@thu.example")
    assert done is not None and done.status_code == 200, done and done.text
    way = await bring("recovery", citizen)
    assert (await way.guess(way.code)).status_code == 200
    service.pass_time(seconds=61)
    phone = await citizen.sign_in(service.phone())
    me = (await phone.call("GET", "/v1/me")).json()
    assert (me["id"], me["kind"]) == (citizen.done["account"]["id"], "citizen")


async def test_a_budget_that_a_stranger_burns_leaves_other_ways_open(service: Service) -> None:
    """TO17: passwords, recoveries and codes of one victim, burnt from other devices."""
    citizen = await Citizen.new(service).register()
    for _ in range(5):
        wrong = await citizen.knock(service.phone(), password="Sai 1234 @x")
        refused(wrong, 401, "credentials_wrong")
    refused(await citizen.knock(service.phone()), 429, "too_many_attempts")
    asked = {"national_id": citizen.person.national_id}
    for _ in range(5):
        assert (await service.phone().open("/v1/recoveries", asked)).status_code == 201
        service.pass_time(seconds=61)
    refused(await service.phone().open("/v1/recoveries", asked), 429, "otp_limit")
    assert (
        await citizen.phone.open("/v1/token", {"refresh_token": citizen.phone.session["refresh_token"]})
    ).status_code == 200
    phone = await citizen.by_vneid(service.phone())
    number = service.mobile_number()
    begun = await phone.call("POST", "/v1/me/auth-methods", {"type": "phone", "phone": number})
    assert begun.status_code == 201, "the owner, once in, is held up by nothing"
    changed = {"current": PASSWORD, "new": "Mật khẩu khác 2026!"}
    assert (await phone.call("POST", "/v1/me/password", changed)).status_code in (204, 429)
