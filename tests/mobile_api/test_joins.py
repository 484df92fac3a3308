"""One person registered by CMND, come by VNeID with a CCCD later: found as candidates, joined by proof of both (R26)."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import func, select, update

from backend.account import Account
from backend.accounts.identity import candidates
from backend.accounts.models import Consent
from backend.facts import AccountJoined
from backend.journal import Entry
from backend.support import desks
from demo.persona import Persona
from tests.attacks.problems import refused
from tests.citizen import PASSWORD, Citizen, captcha
from tests.mobile_api.test_support import DESK
from tests.phone import Phone
from tests.service import Service

_people = count(1)
SYLLABLES = ("An", "Bình", "Chi", "Dung", "Giang", "Hà", "Khánh", "Lan", "Mai", "Nga")


def a_name() -> str:
    """Nobody else has it."""
    number = next(_people)
    return "Tôn Nữ " + " ".join(SYLLABLES[int(digit)] for digit in f"{number:03d}")


def an_old_number() -> str:
    """A CMND that nobody else has."""
    return f"000{next(_people) + 810_000:06d}"


async def two_accounts(
    service: Service, *, name: str | None = None, birth_date: str = "1990-02-03"
) -> tuple[Citizen, Phone]:
    """Registered by CMND with a password; then VNeID, which names the CCCD only, and perhaps another name or date."""
    old = Citizen.new(service, full_name=a_name(), national_id=an_old_number())
    await old.register()
    proved = service.person(name or old.person.full_name, birth_date=birth_date)
    return old, await service.sign_in(proved)


async def begin(service: Service, phone: Phone, old: Citizen, **changes: str) -> httpx2.Response:
    sent = {
        "national_id": old.person.national_id,
        "password": PASSWORD,
        "captcha": await captcha(service),
    }
    return await phone.call("POST", "/v1/me/joins", sent | changes)


async def prove(service: Service, phone: Phone, old: Citizen) -> httpx2.Response:
    begun = await begin(service, phone, old)
    assert begun.status_code == 201, begun.text
    at = f"/v1/me/joins/{begun.json()['id']}/otp"
    return await phone.call("POST", at, {"code": await old.code()})


async def items(phone: Phone, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await phone.call("GET", path)).json()["items"]
    return found


async def account_of(phone: Phone) -> UUID:
    return UUID((await phone.call("GET", "/v1/me")).json()["id"])


async def test_r26_the_other_account_is_told_once_and_by_a_masked_number_only(service: Service) -> None:
    old, phone = await two_accounts(service)
    number = old.person.national_id
    assert await items(phone, "/v1/me/joins") == [
        {"type": "old_id_number", "value": f"{number[:3]}***{number[-3:]}"}
    ]
    await service.sign_in(known_by_vneid(service, old), phone)
    told = [one for one in await items(phone, "/v1/notices") if one["kind"] == "same_person"]
    assert len(told) == 1 and f"{number[:3]}***{number[-3:]}" in told[0]["body"]
    assert old.done["account"]["id"] not in str(told) and number not in str(told)
    assert await items(old.phone, "/v1/me/joins") == [], "whom VNeID has not proved is told nothing"


def known_by_vneid(service: Service, old: Citizen) -> Persona:
    """The same person as VNeID knows them."""
    known = service.stand.eid.personas.values()
    return next(one for one in known if one.full_name == old.person.full_name and len(one.national_id) == 12)


@pytest.mark.parametrize("other", [{"name": "Tôn Nữ Khác Hẳn"}, {"birth_date": "1990-02-04"}])
async def test_r26_another_name_or_birth_date_is_no_candidate_and_never_joined(
    service: Service, other: dict[str, str]
) -> None:
    old, phone = await two_accounts(service, **other)
    assert await items(phone, "/v1/me/joins") == []
    refused(await begin(service, phone, old), 409, "not_joinable")
    await old.sign_in(service.phone())


async def test_r26_a_known_year_is_compared_as_far_as_it_goes(service: Service) -> None:
    _, phone = await two_accounts(service, birth_date="1990")
    assert len(await items(phone, "/v1/me/joins")) == 1


async def test_r26_two_with_the_same_kind_of_number_are_two_people(service: Service) -> None:
    first = await Citizen.new(service, full_name=a_name()).register()
    phone = await service.sign_in(service.person(first.person.full_name))
    assert await items(phone, "/v1/me/joins") == []
    refused(await begin(service, phone, first), 409, "not_joinable")


async def test_r26_who_proves_both_has_one_account_and_the_other_opens_nothing(service: Service) -> None:
    old, phone = await two_accounts(service)
    async with service.db.write() as tx:
        if not await desks.listed(tx):
            await desks.add(tx, service.kit, "HUE", **DESK, now=service.clock.now())
    case = await old.phone.call("POST", "/v1/support-cases", {"subject": "Hỏi", "text": "Cần giúp"})
    assert case.status_code == 201, case.text
    second = await old.second_number()
    stays, goes = await account_of(phone), await account_of(old.phone)
    answer = await prove(service, phone, old)
    assert answer.status_code == 200, answer.text
    me = answer.json()["account"]
    assert me["id"] == str(stays) and {one["type"] for one in me["identifiers"]} == {
        "national_id",
        "old_id_number",
    }
    assert any(one.endswith(old.number[-3:]) for one in me["phones"])
    assert (await phone.call("GET", "/v1/me")).json()["identifiers"] == me["identifiers"]
    gone = refused(await old.phone.call("GET", "/v1/me/export"), 401, "session_revoked")
    assert gone["reason"] == "account_joined"
    token = {"refresh_token": old.phone.session["refresh_token"]}
    refused(await old.phone.open("/v1/token", token), 401, "session_revoked")
    methods = await items(phone, "/v1/me/auth-methods")
    assert {(one["type"], one["state"]) for one in methods} == {
        ("vneid", "active"),
        ("password", "active"),
        ("phone", "active"),
        ("phone", "unconfirmed"),
    }
    assert [one["label"][-3:] for one in methods if one["state"] == "unconfirmed"] == [second[-3:]]
    assert [one["code"] for one in await items(phone, "/v1/support-cases")] == [case.json()["code"]]
    kinds = {one["kind"] for one in await items(phone, "/v1/notices")}
    assert "accounts_joined" in kinds and "same_person" not in kinds
    assert await items(phone, "/v1/me/joins") == []
    async with service.db.read() as tx:
        closed = await tx.get_one(Account, goes)
        assert (closed.status, closed.joined_into, closed.birth_date) == ("closed", stays, None)
        facts = select(Entry.subject, Entry.tag).where(Entry.tag.in_(("account.joined", "account.absorbed")))
        said = {tuple(row) for row in await tx.execute(facts.where(Entry.subject.in_((stays, goes))))}
    assert said == {(stays, "account.joined"), (goes, "account.absorbed")}


async def test_r26_the_old_number_and_password_lead_to_the_one_account(service: Service) -> None:
    old, phone = await two_accounts(service)
    assert (await prove(service, phone, old)).status_code == 200
    service.pass_time(seconds=61)
    fresh = service.phone()
    begun = (await old.knock(fresh)).json()
    (choice,) = [one for one in begun["methods"] if one["sent_to"].endswith(old.number[-3:])]
    at = f"/v1/logins/{begun['id']}/otp"
    sent = await fresh.open(f"{at}/resend", {"method_id": choice["id"]})
    assert sent.status_code == 200, sent.text
    done = await fresh.open(at, {"code": await old.code()})
    assert done.status_code == 200, done.text
    assert done.json()["account"]["full_name"] == old.person.full_name
    fresh.keep(done.json())
    assert {one["type"] for one in (await fresh.call("GET", "/v1/me")).json()["identifiers"]} == {
        "national_id",
        "old_id_number",
    }


async def test_r26_only_a_fresh_vneid_and_the_right_password_and_code_join(service: Service) -> None:
    old, phone = await two_accounts(service)
    refused(await begin(service, phone, old, password="Sai hoàn toàn 1!"), 401, "credentials_wrong")
    nobody = await begin(service, phone, old, national_id="000999999")
    refused(nobody, 401, "credentials_wrong")
    begun = await begin(service, phone, old)
    at = f"/v1/me/joins/{begun.json()['id']}/otp"
    right = await old.code()
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    assert refused(await phone.call("POST", at, {"code": wrong}), 422, "otp_wrong")["attempts_left"] == 4
    stranger = await service.sign_in()
    refused(await stranger.call("POST", at, {"code": right}), 404, "flow_not_found")
    service.pass_time(seconds=61)
    weak = await old.sign_in(service.phone())
    refused(await begin(service, weak, old), 403, "insufficient_assurance")
    service.pass_time(seconds=301)
    fresh = await phone.open("/v1/token", {"refresh_token": phone.session["refresh_token"]})
    phone.session = fresh.json()["session"]
    late = refused(await begin(service, phone, old), 403, "insufficient_assurance")
    assert late["required"] == {"method": "vneid", "level": 2, "max_age": 300}


async def test_r26_a_password_that_changes_meanwhile_proves_nothing(service: Service) -> None:
    old, phone = await two_accounts(service)
    begun = await begin(service, phone, old)
    changed = await old.phone.call(
        "POST", "/v1/me/password", {"current": PASSWORD, "new": "Cầu Trường Tiền 2026!"}
    )
    assert changed.status_code == 204, changed.text
    at = f"/v1/me/joins/{begun.json()['id']}/otp"
    refused(await phone.call("POST", at, {"code": await old.code()}), 401, "credentials_wrong")
    assert (await old.phone.call("GET", "/v1/me")).status_code == 200


@pytest.mark.parametrize("what", ["phone_changed_at", "recovered_at"])
async def test_r26_what_came_anew_within_a_day_proves_nothing_yet(service: Service, what: str) -> None:
    old, phone = await two_accounts(service)
    goes = await account_of(old.phone)
    async with service.db.write() as tx:
        await tx.execute(update(Account).where(Account.id == goes).values({what: service.clock.now()}))
    told = refused(await begin(service, phone, old), 409, "join_conflict")
    assert told["conflicts"] == ["recently_changed"]


async def test_r26_a_frozen_account_is_not_joined(service: Service) -> None:
    old, phone = await two_accounts(service)
    goes = await account_of(old.phone)
    async with service.db.write() as tx:
        await tx.execute(update(Account).where(Account.id == goes).values(frozen_at=service.clock.now()))
    refused(await begin(service, phone, old), 403, "account_frozen")


async def test_r26_the_word_of_the_account_that_stays_counts(service: Service) -> None:
    old, phone = await two_accounts(service)
    for one, given in ((old.phone, True), (phone, True), (phone, False)):
        said = await one.call("PUT", "/v1/me/consents/notices_by_sms", {"given": given})
        assert said.status_code == 200, said.text
    stays = await account_of(phone)
    assert (await prove(service, phone, old)).status_code == 200
    async with service.db.read() as tx:
        rows = list(await tx.scalars(select(Consent).where(Consent.account_id == stays)))
    assert len(rows) == 2 and all(row.withdrawn_at is not None for row in rows)


async def test_r26_sixteen_at_once_join_once(service: Service) -> None:
    old, phone = await two_accounts(service)
    begun = await begin(service, phone, old)
    at, code = f"/v1/me/joins/{begun.json()['id']}/otp", await old.code()
    stays = await account_of(phone)
    answers = await asyncio.gather(*(phone.call("POST", at, {"code": code}) for _ in range(16)))
    assert sorted(one.status_code for one in answers).count(200) == 1, [one.text for one in answers]
    assert all(one.status_code < 500 for one in answers)
    tag = str(AccountJoined.__struct_config__.tag)
    async with service.db.read() as tx:
        joined = await tx.scalar(
            select(func.count()).select_from(Entry).where(Entry.tag == tag, Entry.subject == stays)
        )
    assert joined == 1


async def test_r26_two_joins_that_were_begun_together_join_once(service: Service) -> None:
    """Each has its own code: the second finds the other account closed."""
    old, phone = await two_accounts(service)
    begun = []
    for _ in range(2):
        made = await begin(service, phone, old)
        begun.append((f"/v1/me/joins/{made.json()['id']}/otp", await old.code()))
        service.pass_time(seconds=61)
    answers = await asyncio.gather(*(phone.call("POST", at, {"code": code}) for at, code in begun))
    assert sorted(one.status_code for one in answers) == [200, 409], [one.text for one in answers]


async def test_r26_accounts_of_an_earlier_release_become_findable(service: Service) -> None:
    old, phone = await two_accounts(service)
    goes = await account_of(old.phone)
    async with service.db.write() as tx:
        await tx.execute(update(Account).where(Account.id == goes).values(person_blind=None))
    assert await items(phone, "/v1/me/joins") == []
    await candidates.fill(service.db, service.kit)
    assert len(await items(phone, "/v1/me/joins")) == 1


async def test_r26_an_erased_account_is_found_by_nothing(service: Service) -> None:
    old, phone = await two_accounts(service)
    goes = await account_of(old.phone)
    assert (await old.phone.call("DELETE", "/v1/me")).status_code == 204
    assert await items(phone, "/v1/me/joins") == []
    async with service.db.read() as tx:
        assert (await tx.get_one(Account, goes)).person_blind is None
