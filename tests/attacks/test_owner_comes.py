"""Who may become whom, tried on the running service: what a stranger has left goes when the owner comes (A01, A17)."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import httpx2
import msgspec
import pytest
from sqlalchemy import func, select

from backend.account import Account
from backend.accounts.models import Password
from backend.accounts.models import Phone as PhoneRow
from backend.devices.models import Session
from backend.flows import Flow
from demo.registries import Mood
from ngomon import tasks
from tests.attacks.problems import refused
from tests.attacks.ways import bring, sent
from tests.citizen import ABOUT, PASSWORD, Citizen
from tests.mobile_api.test_ways_in import by_post_office
from tests.phone import Phone, returned
from tests.service import Service
from tests.signer import Token, facts

METHODS = "/v1/me/auth-methods"


async def items(phone: Phone, path: str = METHODS) -> list[dict[str, Any]]:
    """A list of one's own."""
    found: list[dict[str, Any]] = (await phone.call("GET", path)).json()["items"]
    return found


def shape(rows: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Types of ways in with their states."""
    return {(row["type"], row["state"]) for row in rows}


async def strangers_account(service: Service) -> tuple[Citizen, Citizen]:
    """An account in the owner's name, opened at the post office by a stranger with a phone of their own."""
    owner, stranger = Citizen.new(service), Citizen.new(service)
    stranger.person = owner.person
    login, answer = await by_post_office(stranger, stranger.phone)
    assert answer.json()["step"] == "phone", answer.text
    await stranger.phone.open(f"/v1/logins/{login}/phone", {"phone": stranger.number})
    done = await stranger.phone.open(f"/v1/logins/{login}/otp", {"code": await stranger.code()})
    stranger.done = stranger.phone.keep(done.json())
    service.pass_time(seconds=61)
    return owner, stranger


async def test_a01_what_a_stranger_opened_at_the_post_office_is_over_when_the_owner_comes(
    service: Service,
) -> None:
    owner, stranger = await strangers_account(service)
    change = await bring("phone_change", stranger)
    phone = await owner.by_vneid(service.phone(), confirms=False)
    me = (await phone.call("GET", "/v1/me")).json()
    assert me["id"] == stranger.done["account"]["id"] and me["assurance_scheme"] == "vneid"
    assert not any(one.endswith(stranger.number[-3:]) for one in me["phones"])
    assert shape(await items(phone)) == {("vneid", "active"), ("phone", "active")}
    refused(await stranger.phone.call("GET", "/v1/me/export"), 401, "session_revoked")
    token = {"refresh_token": stranger.phone.session["refresh_token"]}
    refused(await stranger.phone.open("/v1/token", token), 401, "session_revoked")
    refused(await stranger.phone.open(f"{change.at}/otp", {"code": change.code}), 404, "flow_not_found")
    _, again = await by_post_office(stranger, service.phone())
    refused(again, 409, "link_required")
    told = next(one for one in await items(phone, "/v1/notices") if one["kind"] == "owner_came")
    assert stranger.number[-3:] in told["body"] and "tài khoản Bưu điện" in told["body"]


async def test_a01_the_workspace_is_a_way_in_too(service: Service) -> None:
    """The owner comes by a browser first: the same rule."""
    owner, stranger = await strangers_account(service)
    begun = await service.http.get("/workspace/login/start", follow_redirects=False)
    answer = await service.http.get(f"{begun.headers['location']}&prompt=none&login_hint={owner.person.key}")
    await service.http.get(answer.headers["location"], cookies=dict(begun.cookies))
    refused(await stranger.phone.call("GET", "/v1/me"), 401, "session_revoked")


@pytest.mark.parametrize("how", ["subscriber", "social_insurance"])
async def test_a17_a_kept_way_in_is_shut_until_its_owner_confirms_it(service: Service, how: str) -> None:
    """A junk SIM in the owner's name has the registry's word, so it is kept, and the registry's word opens nothing."""
    owner = Citizen.new(service)
    number = f"0000{owner.person.national_id[-6:]}"
    owner.insure(number)
    more = {"social_insurance_number": number} if how == "social_insurance" else {}
    await owner.register(method=how, **more)
    phone = await owner.by_vneid(service.phone(), confirms=False)
    rows = await items(phone)
    assert shape(rows) == {("vneid", "active"), ("phone", "unconfirmed"), ("password", "unconfirmed")}
    refused(await owner.knock(service.phone()), 401, "credentials_wrong")
    before = len(sent(service, owner.number))
    asked = {"national_id": owner.person.national_id}
    assert (await service.phone().open("/v1/recoveries", asked)).status_code == 201
    await service.settled()
    assert len(sent(service, owner.number)) == before, "no code goes to a number that is shut"
    refused(
        await phone.call("POST", "/v1/me/password", {"current": PASSWORD, "new": "Khác hẳn 2026!"}),
        409,
        "no_password",
    )
    await owner.confirm(phone)
    assert {row["state"] for row in await items(phone)} == {"active"}
    service.pass_time(seconds=61)
    await owner.sign_in(service.phone())


async def test_a17_only_the_owner_by_vneid_confirms_and_only_at_once(service: Service) -> None:
    owner = await Citizen.new(service).register()
    phone = await owner.by_vneid(service.phone(), confirms=False)
    (kept_phone,) = [row for row in await items(phone) if row["type"] == "phone"]
    stranger = await Citizen.new(service).register()
    refused(
        await stranger.phone.call("POST", f"{METHODS}/{kept_phone['id']}/confirm"),
        403,
        "insufficient_assurance",
    )
    await stranger.step_up()
    refused(
        await stranger.phone.call("POST", f"{METHODS}/{kept_phone['id']}/confirm"), 404, "method_not_found"
    )
    service.pass_time(seconds=301)
    await _renew(phone)
    late = refused(
        await phone.call("POST", f"{METHODS}/{kept_phone['id']}/confirm"), 403, "insufficient_assurance"
    )
    assert late["required"]["method"] == "vneid" and late["required"]["max_age"] == 300


async def test_a17_what_nobody_confirms_is_gone_after_thirty_days(service: Service) -> None:
    owner = await Citizen.new(service).register()
    phone = await owner.by_vneid(service.phone(), confirms=False)
    (row,) = [one for one in await items(phone) if one["type"] == "phone"]
    service.pass_time(days=30, seconds=1)
    phone = await owner.by_vneid(service.phone(), confirms=False)
    assert "password" not in {one["type"] for one in await items(phone)}
    refused(await phone.call("POST", f"{METHODS}/{row['id']}/confirm"), 404, "method_not_found")
    await tasks.sweep(service.db, service.kit.limits, service.clock.now())
    account = UUID(owner.done["account"]["id"])
    async with service.db.read() as tx:
        assert await tx.get(Password, account) is None
        old = await tx.get_one(PhoneRow, UUID(row["id"]))
        assert old.ended_at is not None


async def test_a17_what_is_shut_can_be_removed_instead(service: Service) -> None:
    owner = await Citizen.new(service).register()
    phone = await owner.by_vneid(service.phone(), confirms=False)
    for row in await items(phone):
        if row["state"] == "unconfirmed":
            assert row["removable"] is True
            assert (await phone.call("DELETE", f"{METHODS}/{row['id']}")).status_code == 204
    assert shape(await items(phone)) == {("vneid", "active")}


async def test_a01_while_the_registry_is_away_it_vouches_for_nothing(service: Service) -> None:
    owner = await Citizen.new(service).register()
    service.stand.registries.moods["subscribers"] = Mood.DOWN
    try:
        phone = await owner.by_vneid(service.phone(), confirms=False)
    finally:
        service.stand.registries.moods["subscribers"] = Mood.WELL
    assert {row["type"] for row in await items(phone)} == {"vneid", "phone"}
    assert not any(
        one.endswith(owner.number[-3:]) for one in (await phone.call("GET", "/v1/me")).json()["phones"]
    )


async def test_a01_a_certificate_comes_first_as_well(service: Service) -> None:
    owner, stranger = await strangers_account(service)
    token = await Token.issued(service, "citizen", owner.person.national_id, owner.person.full_name)
    phone = service.phone()
    assert (await token.sign_in(phone)).status_code == 200
    assert shape(await items(phone)) == {("certificate", "active")}
    refused(await stranger.phone.call("GET", "/v1/me"), 401, "session_revoked")
    came = (await facts(service, "account.owner_came"))[-1]
    assert came["proved_by"] == "certificate" and came["ended"] == 2


async def test_a01_a_certificate_of_another_name_does_not_come_to_the_account(service: Service) -> None:
    owner, stranger = await strangers_account(service)
    token = await Token.issued(service, "citizen", owner.person.national_id, "Tên Người Khác")
    refused(await token.sign_in(service.phone()), 403, "certificate_refused")
    assert (await stranger.phone.call("GET", "/v1/me")).status_code == 200


@pytest.mark.parametrize("how", ["vneid", "certificate"])
async def test_a01_what_a_signed_in_owner_adds_ends_the_rest_and_keeps_this_session(
    service: Service, how: str
) -> None:
    owner = await Citizen.new(service).register()
    waiting = await bring("login", owner)
    if how == "vneid":
        begun = await owner.phone.call("POST", METHODS, {"type": "vneid"})
        back = await service.consent(begun.json()["authorization_url"], owner.person)
        done = await owner.phone.call("POST", f"{METHODS}/{begun.json()['id']}/authorize", back)
    else:
        token = await Token.issued(service, "citizen", owner.person.national_id, owner.person.full_name)
        begun = await owner.phone.call(
            "POST", METHODS, {"type": "certificate", "certificate": token.certificate}
        )
        signature = await token.signature(begun.json()["challenge"])
        body = {"certificate": token.certificate, "signature": signature}
        done = await owner.phone.call("POST", f"{METHODS}/{begun.json()['id']}/sign", body)
    assert done.status_code == 200, done.text
    assert shape(await items(owner.phone)) == {
        (how, "active"), ("phone", "unconfirmed"), ("password", "unconfirmed"),
    }  # fmt: skip
    refused(await waiting.guess(waiting.code), 404, "flow_not_found")


async def test_a01_an_account_that_vneid_opened_at_level_one_grows_with_its_owner(service: Service) -> None:
    person = service.person(level=1)
    first = await service.sign_in(person)
    service.stand.eid.personas[person.key] = _at(person, 2)
    phone = await service.sign_in(_at(person, 2), service.phone())
    assert shape(await items(phone)) == {("vneid", "active"), ("phone", "active")}
    refused(await first.call("GET", "/v1/me"), 401, "session_replaced")


async def test_a01_what_the_release_before_opens_beside_us_is_still_nobody_elses(service: Service) -> None:
    """0.2.0 opens an account for VNeID of level 2 and notes no owner: the owner has still to come, and nobody else may."""
    owner = await service.sign_in(person := service.person())
    me = (await owner.call("GET", "/v1/me")).json()
    async with service.db.write() as tx:
        (await tx.get_one(Account, UUID(me["id"]))).vneid_at = None
    stranger = Citizen.new(service)
    stranger.person = person
    _, answer = await by_post_office(stranger, service.phone())
    refused(answer, 409, "link_required")
    token = await Token.issued(service, "citizen", person.national_id, "Tên Người Khác")
    refused(await token.sign_in(service.phone()), 403, "certificate_refused")
    service.pass_time(seconds=61)
    again = await service.sign_in(person)  # and a phone is asked for anew
    assert (await again.call("GET", "/v1/me")).json()["id"] == me["id"]
    assert {row["kind"] for row in await items(again, "/v1/notices")} >= {"owner_came"}


async def test_a01_sixteen_come_at_once_and_nothing_of_the_strangers_is_left(service: Service) -> None:
    """The owner's sign-ins, the post office's, and acts of the stranger's session, all at the same moment."""
    owner, stranger = await strangers_account(service)
    account = UUID(stranger.done["account"]["id"])
    starts = [(await (one := service.phone()).begin(), one) for _ in range(16)]
    backs = [await service.consent(begun["authorization_url"], owner.person) for begun, _ in starts]
    office = [await _office(stranger, service.phone()) for _ in range(4)]
    numbers = [service.mobile_number() for _ in range(4)]

    async def owner_in(at: int) -> httpx2.Response:
        begun, phone = starts[at]
        return await phone.bring(begun["id"], backs[at])

    async def strangers(number: str) -> httpx2.Response:
        return await stranger.phone.call("POST", METHODS, {"type": "phone", "phone": number})

    answers = await asyncio.gather(
        *(owner_in(at) for at in range(16)), *(one() for one in office), *(strangers(one) for one in numbers)
    )
    assert {one.status_code for one in answers[:16]} == {200}, [one.text for one in answers[:16]]
    assert {one.status_code for one in answers} <= {200, 201, 401, 409, 429}, [one.text for one in answers]
    assert (
        len([one for one in await facts(service, "account.owner_came") if one["subject"] == str(account)])
        == 1
    )
    assert (await stranger.phone.call("GET", "/v1/me")).status_code == 401
    async with service.db.read() as tx:
        live = select(func.count()).select_from(Session)
        live = live.where(Session.account_id == account, Session.ended_at.is_(None))
        assert await tx.scalar(live) == 0, "every owner's sign-in waits for a number of their own"
        waiting = select(Flow.kind).where(Flow.account_id == account)
        assert set(await tx.scalars(waiting)) == {"login"}
        numbers_left = select(func.count()).select_from(PhoneRow)
        numbers_left = numbers_left.where(PhoneRow.account_id == account, PhoneRow.ended_at.is_(None))
        assert await tx.scalar(numbers_left) == 0


async def _office(stranger: Citizen, phone: Phone) -> Any:
    """A post-office sign-in, brought to its last call."""
    service = stranger.service
    begun = await phone.open("/v1/logins", {"method": "post_office", "device": ABOUT})
    answer = await service.http.get(
        f"{begun.json()['authorization_url']}&prompt=none&login_hint={stranger.person.key}"
    )
    back = returned(answer.headers["location"])
    return lambda: phone.bring(begun.json()["id"], back)


def _at(person: Any, level: int) -> Any:
    return msgspec.structs.replace(person, level=level)


async def _renew(phone: Phone) -> None:
    answer = await phone.open("/v1/token", {"refresh_token": phone.session["refresh_token"]})
    phone.session = answer.json()["session"]
