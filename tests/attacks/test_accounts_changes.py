"""Phone changes, recoveries and step-ups that race with what ends them (cases TC01 to TC06, TP01, TP03)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from backend.account import Account
from backend.accounts.models import Password
from backend.accounts.ways_in.assurance import InsufficientAssurance, demand
from backend.caller import Who
from backend.limits import Limits
from tests.attacks.problems import refused
from tests.attacks.ways import Way, bring, next_code, sent
from tests.citizen import Citizen
from tests.mobile_api.test_recoveries import NEW, connect, officer, recover
from tests.parts.directory import Directory
from tests.phone import Phone
from tests.service import Service


async def numbers_of(phone: Phone) -> list[str]:
    """The account's masked numbers."""
    shown: list[str] = (await phone.call("GET", "/v1/me")).json()["phones"]
    return shown


def masked(number: str) -> str:
    return f"055****{number[-3:]}"


async def change_in_login(citizen: Citizen) -> tuple[Way, Way]:
    """A password sign-in that waits, and the phone change of a lost phone inside it."""
    login = await bring("login", citizen)
    number = citizen.service.mobile_number()
    citizen.subscribe(number)
    begun = await login.phone.open(
        "/v1/phone-changes", {"phone": number, "login": login.at.rpartition("/")[2]}
    )
    assert begun.status_code == 201, begun.text
    code = await next_code(citizen.service, number, 0)
    at = f"/v1/phone-changes/{begun.json()['id']}"
    return login, Way("phone_change", at, login.phone, number, code, session=False)


async def test_tc01_a_stolen_token_changes_no_phone(service: Service) -> None:
    citizen, thief = await Citizen.new(service).register(), service.phone()
    thief.session = citizen.phone.session
    number = service.mobile_number()
    citizen.subscribe(number)
    for body in ({"phone": number}, {"phone": number, "login": str(UUID(int=1))}):
        refused(await thief.call("POST", "/v1/phone-changes", body), 401, "invalid_dpop_proof")
        bearer = {"Authorization": f"Bearer {citizen.phone.session['access_token']}"}
        answer = await service.http.post("/v1/phone-changes", json=body, headers=bearer)
        assert refused(answer)["status"] == 401
    assert sent(service, number) == []


async def test_tc03_a_change_whose_session_has_ended_is_over(service: Service) -> None:
    for how in ("signed out", "replaced"):
        citizen = await Citizen.new(service).register()
        way, before = await bring("phone_change", citizen), len(sent(service, citizen.number))
        if how == "signed out":
            assert (await citizen.phone.call("DELETE", "/v1/sessions/current")).status_code == 204
        await citizen.by_vneid(service.phone())
        late = await way.phone.open(f"{way.at}/otp", {"code": way.code})
        refused(late, 404, "flow_not_found")
        assert len(sent(service, citizen.number)) == before, "the old number is told of nothing"
        assert await numbers_of(await citizen.by_vneid(service.phone())) == [masked(citizen.number)]


async def test_tc03_a_take_over_report_stops_a_change_and_a_recovery_that_are_half_way(
    service: Service,
) -> None:
    citizen = await Citizen.new(service).register()
    await citizen.step_up()  # VNeID has come: another sign-in by it replaces this phone
    recovery = await bring("recovery", citizen)
    assert (await recovery.guess(recovery.code)).status_code == 200
    service.pass_time(seconds=61)
    attacker = await citizen.by_vneid(service.phone("Máy lạ"))
    victim, citizen.phone = citizen.phone, attacker
    change = await bring("phone_change", citizen)
    async with service.db.read() as tx:
        before = await tx.scalar(select(Password.hash).where(Password.account_id == _id(citizen)))
    assert (await victim.call("POST", "/v1/takeover-reports")).status_code == 201
    refused(await attacker.open(f"{change.at}/otp", {"code": change.code}), 404, "flow_not_found")
    refused(await recovery.post("password", {"password": NEW}), 404, "flow_not_found")
    async with service.db.read() as tx:
        account = await tx.get_one(Account, _id(citizen))
        after = await tx.scalar(select(Password.hash).where(Password.account_id == _id(citizen)))
    assert account.phone_changed_at is None and after == before


def _id(citizen: Citizen) -> UUID:
    return UUID(citizen.done["account"]["id"])


async def test_tc03_codes_that_went_to_a_lost_phone_open_nothing_once_it_was_changed(
    service: Service,
) -> None:
    """The thief has the phone and the password; the owner changes the number before the thief has typed."""
    citizen = await Citizen.new(service).register()
    thief = await bring("login", citizen)
    service.pass_time(seconds=61)
    reset = await bring("recovery", citizen)
    service.pass_time(seconds=61)
    login, change = await change_in_login(citizen)
    assert (await change.guess(change.code)).status_code == 200
    refused(await thief.guess(thief.code), 404, "flow_not_found")
    refused(await reset.guess(reset.code), 404, "flow_not_found")
    refused(await login.guess(login.code), 410, "otp_expired")  # the waiting sign-in's first code, too
    again = await login.post("otp/resend", {})
    assert again.status_code == 200 and again.json()["sent_to"] == masked(change.number), again.text
    entered = await login.guess(await next_code(service, change.number, 1))
    assert entered.status_code == 200, entered.text


async def test_tc03_a_number_that_is_pending_gives_no_rights(service: Service) -> None:
    citizen = await Citizen.new(service).register()
    change = await bring("phone_change", citizen)
    service.pass_time(seconds=61)
    login, recovery = await bring("login", citizen), None
    assert login.number == citizen.number
    offered = (await citizen.knock(service.phone())).json()
    assert offered["code"] == "otp_limit"
    service.pass_time(seconds=61)
    recovery = await bring("recovery", citizen)
    assert (await recovery.guess(recovery.code)).status_code == 200
    assert len(sent(service, change.number)) == 1, "nothing but its own code"
    assert await numbers_of(citizen.phone) == [masked(citizen.number)]


async def test_tc05_a_second_change_within_the_day_wants_vneid_also_inside_a_sign_in(
    service: Service,
) -> None:
    citizen = await Citizen.new(service).register()
    _, change = await change_in_login(citizen)
    assert (await change.guess(change.code)).status_code == 200
    citizen.number = change.number
    for hours in (0, 22):
        service.pass_time(hours=hours, seconds=61)
        login = await bring("login", citizen)
        body = {"phone": service.mobile_number(), "login": login.at.rpartition("/")[2]}
        problem = refused(await login.phone.open("/v1/phone-changes", body), 403, "insufficient_assurance")
        assert problem["required"]["method"] == "vneid"
    service.pass_time(hours=2)
    _, change = await change_in_login(citizen)
    assert (await change.guess(change.code)).status_code == 200, "the day is over"


@pytest.mark.parametrize("seconds", [-7200, 0, 1, 86_399])
@pytest.mark.parametrize("method", ["password", "certificate", None])
def test_tc05_only_the_time_that_has_passed_ends_the_day_of_caution(seconds: int, method: str | None) -> None:
    changed = datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    account, now = Account(phone_changed_at=changed), changed + timedelta(seconds=seconds)
    later = changed + timedelta(days=9)
    who = Who(UUID(int=1), UUID(int=2), "mobile", 3, later, 1, None, method) if method else None
    with pytest.raises(InsufficientAssurance) as refusal:
        demand(who, account, Limits(), now=now, careful=True)
    assert refusal.value.facts["required"] == {"method": "vneid", "max_age": max(0, seconds)}
    demand(who, account, Limits(), now=changed + timedelta(days=1), careful=True)


async def test_tp03_a_sign_in_that_races_a_recovery_leaves_nobody_in(service: Service) -> None:
    for _ in range(2):
        citizen = await Citizen.new(service).register()
        login = await bring("login", citizen)
        service.pass_time(seconds=61)
        recovery = await bring("recovery", citizen)
        assert (await recovery.guess(recovery.code)).status_code == 200
        entered, done = await asyncio.gather(
            login.guess(login.code), recovery.post("password", {"password": NEW})
        )
        assert done.status_code == 200, done.text
        if entered.status_code == 200:
            login.phone.keep(entered.json())
            refused(await login.phone.call("GET", "/v1/me"), 401, "session_revoked")
        else:
            assert refused(entered)["code"] in ("flow_not_found", "flow_step_mismatch")


async def test_tp01_of_many_new_mail_passwords_at_once_the_one_that_was_taken_is_in_force(
    service: Service, directory: Directory
) -> None:
    citizen, mail = await officer(service)
    directory.add_mail_user(mail, "Mật khẩu cũ 1!", name=citizen.person.full_name)
    await connect(service, directory)
    phone = service.phone()
    at = await recover(citizen, phone, official_email=mail)
    assert (await phone.open(f"{at}/otp", {"code": await citizen.code()})).status_code == 200
    wanted = [f"Vỹ Dạ thôn {n}!" for n in range(1930, 1936)]
    answers = await asyncio.gather(*(phone.open(f"{at}/password", {"password": one}) for one in wanted))
    assert sorted(one.status_code for one in answers) == [200] + [409] * 5
    taken = wanted[[one.status_code for one in answers].index(200)]
    assert await asyncio.to_thread(directory.imap_sign_in, mail, taken)


async def test_step_up_is_worth_nothing_once_its_session_has_ended_or_to_another_device(
    service: Service,
) -> None:
    for how in ("signed out", "replaced", "erased"):
        citizen, thief = await Citizen.new(service).register(), service.phone()
        begun = await citizen.phone.call("POST", "/v1/logins", {"method": "vneid", "step_up": True})
        at = f"/v1/logins/{begun.json()['id']}"
        back = await service.consent(begun.json()["authorization_url"], citizen.person)
        refused(await thief.open(f"{at}/authorize", back), 404, "flow_not_found")
        for step, body in (("phone", {"phone": citizen.number}), ("otp", {"code": "123456"})):
            refused(await citizen.phone.open(f"{at}/{step}", body), 409, "flow_step_mismatch")
        if how == "replaced":
            await citizen.by_vneid(service.phone())
        else:
            path = "/v1/me" if how == "erased" else "/v1/sessions/current"
            assert (await citizen.phone.call("DELETE", path)).status_code == 204
        ended = refused(await citizen.phone.open(f"{at}/authorize", back))
        assert ended["code"] in ("session_revoked", "session_replaced", "flow_not_found"), ended


async def test_s2_of_many_step_ups_at_once_one_gives_tokens_and_the_old_ones_are_dead(
    service: Service,
) -> None:
    citizen = await Citizen.new(service).register()
    old = dict(citizen.phone.session)
    begun = await citizen.phone.call("POST", "/v1/logins", {"method": "vneid", "step_up": True})
    back = await service.consent(begun.json()["authorization_url"], citizen.person)
    path = f"/v1/logins/{begun.json()['id']}/authorize"
    refreshing = citizen.phone.open("/v1/token", {"refresh_token": old["refresh_token"]})
    *answers, refreshed = await asyncio.gather(
        *(citizen.phone.open(path, back) for _ in range(8)), refreshing
    )
    assert sorted(one.status_code for one in answers) == [200] + [409] * 7
    assert refreshed.status_code in (200, 401)
    refused(await citizen.phone.call("GET", "/v1/me"), 401)
    done = next(one for one in answers if one.status_code == 200).json()
    assert done["session"]["session_id"] == old["session_id"]
